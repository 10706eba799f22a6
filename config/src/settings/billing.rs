//! The settings of billing.

use super::DAY_MS;
use crate::{reader::Reader, types::Billing, values::origin};

pub(super) fn read(r: &mut Reader<'_>) -> Billing {
    r.section("Billing, through Stripe");
    let secret_key = r.secret(
        "STRIPE_SECRET_KEY",
        "key to Stripe's API, sk_… or rk_…; without one nothing can be bought, and events count as they come",
        |text| {
            let known = ["sk_test_", "rk_test_", "sk_live_", "rk_live_"].iter().any(|prefix| text.starts_with(prefix));
            if known { Ok(()) } else { Err("must begin with sk_test_, sk_live_, rk_test_ or rk_live_".to_owned()) }
        },
        |_| "***".to_owned(),
    );
    let live = secret_key.as_ref().map(|key| key.expose().get(3..8) == Some("live_"));
    Billing {
        live,
        secret_key,
        api_base: r.value("STRIPE_API_BASE", "https://api.stripe.com".to_owned(), "where Stripe's API is; a test server's address", origin),
        account: r.optional(
            "STRIPE_ACCOUNT",
            "connected account whose events are ours, acct_…; those of the platform when absent",
            |text| Ok(text.to_owned()),
        ),
        grace: r.duration("BILLING_GRACE_DAYS", 7, 0..=365, DAY_MS, "an organisation that is past due may go on for this long"),
    }
}

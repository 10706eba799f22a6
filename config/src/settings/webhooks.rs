//! The settings of webhooks.

use super::DAY_MS;
use crate::{reader::Reader, types::Webhooks};

pub(super) fn read(r: &mut Reader<'_>) -> Webhooks {
    r.section("Webhooks: secrets, each may be several, newest first, separated by commas; without one its path answers 503");
    let mut secret = |name, doc| r.secret(name, doc, |_| Ok(()), |_| "***".to_owned());
    Webhooks {
        stripe: secret("STRIPE_WEBHOOKS_SECRET", "Stripe's endpoint secret, whsec_…"),
        github: secret("GITHUB_WEBHOOK_SECRET", "GitHub's webhook secret"),
        twilio: secret("TWILIO_AUTH_TOKEN", "Twilio's auth token; PUBLIC_URL must be the address Twilio calls"),
        lemon_squeezy: secret("LEMON_SQUEEZY_SIGNING_SECRET", "Lemon Squeezy's signing secret"),
        standard: secret("STANDARD_WEBHOOK_SECRET", "secret of a sender that keeps to Standard Webhooks, whsec_… or whpk_…"),
        kept: r.duration("WEBHOOK_DAYS", 90, 4..=3650, DAY_MS, "bodies of events are kept this long, for replay"),
    }
}

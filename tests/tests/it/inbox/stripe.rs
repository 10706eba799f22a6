//! Stripe's own troubles: deliveries that get lost, and answers that are late, refused or nonsense.

use fake_stripe::{Chaos, Fault};
use serde_json::json;

use crate::billing::Shop;

const NOTHING_WAITS: &str = "SELECT count(*) FROM webhook_events WHERE status = 'pending'";

async fn reconcile(shop: &Shop) -> String {
    let mut command = tests::command(
        &["billing", "reconcile"],
        &[("DATABASE_URL", &shop.app.database.url), ("STRIPE_SECRET_KEY", "sk_test_fake"), ("STRIPE_API_BASE", &shop.stripe.base_url)],
    );
    let output = tokio::task::spawn_blocking(move || command.output().expect("the program")).await.expect("its end");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    told
}

#[tokio::test]
async fn with_a_third_of_the_events_lost_and_the_rest_twice_and_shuffled_the_state_is_stripes_after_a_comparison() {
    let mut shop = Shop::open().await;
    let price = shop.price("team_monthly").await;
    shop.stripe.set_chaos(Chaos { drop_percent: 30, duplicate_percent: 30, shuffle: true, parallel: 4, seed: 7, ..Chaos::default() });
    let mut expected = Vec::new();
    for number in 0..6_u32 {
        shop.org = shop.app.org(&shop.owner, &format!("Customer {number}")).await;
        let session = shop.begin(&price, number + 1).await;
        let subscription = shop.stripe.pay(&session).expect("paid");
        shop.stripe.cancel_at_period_end(&subscription, true).expect("to be cancelled");
        shop.stripe.cancel_at_period_end(&subscription, number % 2 == 0).expect("to be cancelled or not");
        if number % 3 == 0 {
            shop.stripe.cancel_now(&subscription).expect("cancelled");
        }
        expected.push((subscription, if number % 3 == 0 { "canceled" } else { "active" }, number));
    }
    shop.stripe.settled().await;
    let told = reconcile(&shop).await;
    shop.app.until_count(0, NOTHING_WAITS).await;
    println!("{told}");
    for (subscription, status, number) in expected {
        let row = format!(
            "SELECT status || ' ' || cancel_at_period_end || ' ' || quantity || ' ' || (org_id IS NOT NULL) \
            FROM subscriptions JOIN subscription_items ON subscription_id = subscriptions.id WHERE subscriptions.id = '{subscription}'"
        );
        let stored = shop.app.text(&row).await;
        assert_eq!(stored, format!("{status} {} {} true", number % 2 == 0, number + 1), "{subscription}");
    }
    assert_eq!(shop.app.count("SELECT count(*) FROM checkout_sessions WHERE fulfilled_at IS NOT NULL").await, 6);
    assert_eq!(shop.app.count("SELECT count(*) FROM webhook_events WHERE status = 'dead'").await, 0);
}

/// Pays while Stripe has this trouble: everything waits, and counts once it is over.
async fn waits_out(fault: Fault) -> Shop {
    let shop = Shop::open().await;
    let price = shop.price("team_monthly").await;
    let session = shop.begin(&price, 3).await;
    // The comparison at the start has gone by.
    shop.stripe.fail(fault, None);
    shop.stripe.pay(&session).expect("paid");
    let tried = "SELECT least(count(*), 1) FROM webhook_events WHERE status = 'pending' AND last_error IS NOT NULL";
    shop.app.until_count(1, tried).await;
    assert_eq!(shop.app.count("SELECT count(*) FROM subscriptions").await, 0);
    assert_eq!(shop.app.count("SELECT count(*) FROM checkout_sessions WHERE fulfilled_at IS NOT NULL").await, 0, "nothing is half done");
    shop
}

async fn is_done_later(shop: &Shop) {
    shop.stripe.mend();
    tests::eventually("all is done", async || {
        shop.app
            .sql("UPDATE webhook_events SET due_at = now() WHERE status = 'pending' AND last_error IS NOT NULL AND due_at > now()")
            .await;
        shop.app.count(NOTHING_WAITS).await == 0
    })
    .await;
    let billing = shop.owner.client.get(&format!("/api/orgs/{}/billing", shop.org)).send().await.expect(200);
    assert_eq!((billing.at("/entitlements/plan"), billing.at("/entitlements/seats")), (json!("team"), json!(3)));
    assert_eq!(shop.app.count("SELECT count(*) FROM checkout_sessions WHERE fulfilled_at IS NOT NULL").await, 1);
    assert_eq!(shop.app.count("SELECT count(*) FROM webhook_events WHERE status = 'dead'").await, 0);
}

#[tokio::test]
async fn while_stripe_is_slower_than_the_time_out_events_wait() {
    is_done_later(&waits_out(Fault::Slow(9_000)).await).await;
}

#[tokio::test]
async fn while_stripe_asks_to_come_back_later_events_wait_for_so_long() {
    let shop = waits_out(Fault::TooMany(120)).await;
    let pause =
        "SELECT min(extract(epoch FROM due_at - now()))::bigint FROM webhook_events WHERE status = 'pending' AND last_error IS NOT NULL";
    assert!(shop.app.count(pause).await > 90);
    is_done_later(&shop).await;
}

#[tokio::test]
async fn while_stripe_talks_nonsense_events_wait() {
    is_done_later(&waits_out(Fault::Garbage).await).await;
}

//! Subscriptions as time goes by.

use std::time::Duration;

use fake_stripe::{Dunning, FakeStripe, Settings};
use serde_json::{Value, json};
use upstream::stripe::{NewCheckout, Stripe};

use super::{checkout, client, customer, fake, settings, subscribed};

fn days(count: u64) -> Duration {
    Duration::from_secs(24 * 60 * 60 * count)
}

/// The types of the events from that place on.
fn told(fake: &FakeStripe, from: usize) -> Vec<String> {
    fake.deliveries().into_iter().skip(from).map(|event| event.kind).collect()
}

async fn status(stripe: &Stripe, id: &str) -> Value {
    stripe.subscription(id).await.expect("the subscription").value()["status"].clone()
}

#[tokio::test]
async fn a_trial_is_announced_ends_and_is_paid() {
    let fake = fake();
    let stripe = client(&fake);
    let customer = customer(&stripe).await;
    let session = stripe.create_checkout("k", &NewCheckout { trial_days: Some(14), ..checkout(&customer) }).await.expect("a session");
    let id = fake.pay(&session.id).expect("a subscription");
    let seen = fake.deliveries().len();
    fake.advance(days(12));
    assert_eq!(told(&fake, seen), ["customer.subscription.trial_will_end"]);
    fake.advance(days(3));
    assert_eq!(
        told(&fake, seen + 1),
        ["customer.subscription.updated", "invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_succeeded"]
    );
    assert_eq!(status(&stripe, &id).await, "active");
}

#[tokio::test]
async fn a_period_renews_at_its_time_and_says_what_changed() {
    let fake = fake();
    let stripe = client(&fake);
    let (_, id) = subscribed(&fake, &stripe).await;
    let seen = fake.deliveries().len();
    fake.advance(days(31));
    let renewed = stripe.event(&fake.deliveries()[seen].event).await.expect("the event").value();
    assert_eq!((&renewed["type"], &renewed["created"]), (&json!("customer.subscription.updated"), &json!(1_752_592_000)));
    assert!(renewed["data"]["previous_attributes"]["items"].is_object());
    let subscription = stripe.subscription(&id).await.expect("the subscription").value();
    let invoice = stripe.invoice(subscription["latest_invoice"].as_str().expect("an id")).await.expect("the invoice").value();
    assert_eq!((&invoice["amount_paid"], &invoice["billing_reason"]), (&json!(5800), &json!("subscription_cycle")));
    fake.advance(days(365));
    let invoices = told(&fake, 0).iter().filter(|kind| *kind == "invoice.paid").count();
    assert_eq!(invoices, 14, "the first, and one for each of 13 months");
}

#[tokio::test]
async fn a_card_that_fails_is_tried_again_then_the_subscription_ends_or_stays_unpaid() {
    for (dunning, last) in [(Dunning::Cancel, "canceled"), (Dunning::Unpaid, "unpaid")] {
        let fake = FakeStripe::start(Settings { dunning, ..settings() }).expect("a fake");
        let stripe = client(&fake);
        let (customer, id) = subscribed(&fake, &stripe).await;
        fake.set_payment(&customer, false).expect("the customer");
        fake.advance(days(31));
        assert_eq!(status(&stripe, &id).await, "past_due");
        fake.advance(days(30));
        assert_eq!(status(&stripe, &id).await, last);
        assert_eq!(told(&fake, 0).iter().filter(|kind| *kind == "invoice.payment_failed").count(), 4);
        assert_eq!(told(&fake, 0).contains(&"customer.subscription.deleted".to_owned()), last == "canceled");
    }
}

#[tokio::test]
async fn a_card_that_works_again_revives_the_subscription() {
    let fake = fake();
    let stripe = client(&fake);
    let (customer, id) = subscribed(&fake, &stripe).await;
    fake.set_payment(&customer, false).expect("the customer");
    fake.advance(days(31));
    fake.set_payment(&customer, true).expect("the customer");
    fake.retry_payment(&id).expect("a try");
    assert_eq!(status(&stripe, &id).await, "active");
}

#[tokio::test]
async fn plans_change_and_subscriptions_end() {
    let fake = fake();
    let stripe = client(&fake);
    let (_, id) = subscribed(&fake, &stripe).await;
    fake.change_price(&id, "price_business_monthly").expect("changed");
    assert!(fake.change_price(&id, "price_none").is_err());
    fake.cancel_at_period_end(&id, true).expect("canceling");
    let canceling = stripe.subscription(&id).await.expect("the subscription").value();
    assert_eq!((&canceling["status"], &canceling["cancel_at_period_end"]), (&json!("active"), &json!(true)));
    fake.cancel_at_period_end(&id, false).expect("resumed");
    fake.cancel_at_period_end(&id, true).expect("canceling");
    fake.advance(days(31));
    let ended = stripe.subscription(&id).await.expect("the subscription").value();
    assert_eq!((&ended["status"], &ended["ended_at"]), (&json!("canceled"), &json!(1_752_592_000)));
    assert!(fake.cancel_at_period_end(&id, false).is_err(), "what has ended is not revived");
    assert_eq!(told(&fake, 0).last().map(String::as_str), Some("customer.subscription.deleted"));
}

#[tokio::test]
async fn a_session_expires_after_a_day() {
    let fake = fake();
    let stripe = client(&fake);
    let (_, session) = super::session(&stripe).await;
    fake.advance(days(2));
    assert!(fake.pay(&session.id).is_err());
    assert_eq!(told(&fake, 1), ["checkout.session.expired"]);
}

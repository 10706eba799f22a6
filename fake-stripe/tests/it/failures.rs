//! What the client makes of a Stripe that is slow, busy, broken, or says no.

use std::time::{Duration, Instant};

use fake_stripe::Fault;
use upstream::stripe::{Error, EventFilter, NewCustomer, Page, Settings, Stripe};

use super::{ADA, KEY, client, client_with, fake};

const SOON: Duration = Duration::from_millis(1500);

fn impatient(settings: &mut Settings) {
    settings.timeout = Duration::from_millis(300);
    settings.deadline = Duration::from_secs(1);
}

#[tokio::test]
async fn a_retry_makes_one_customer_though_the_answer_was_lost() {
    let fake = fake();
    let stripe = client(&fake);
    fake.fail(Fault::Cut, Some(2));
    let made = stripe.create_customer("once", &ADA).await.expect("a customer");
    let calls = fake.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.idempotency_key.as_deref() == Some("once")));
    assert_eq!(fake.deliveries().iter().filter(|event| event.kind == "customer.created").count(), 1);
    assert_eq!(stripe.create_customer("once", &ADA).await.expect("the same").id, made.id);
    assert_ne!(stripe.create_customer("twice", &ADA).await.expect("another").id, made.id);
}

#[tokio::test]
async fn a_key_with_other_parameters_is_refused() {
    let fake = fake();
    let stripe = client(&fake);
    stripe.create_customer("once", &ADA).await.expect("a customer");
    let refused = stripe.create_customer("once", &NewCustomer { name: "Grace", ..ADA }).await;
    assert!(
        matches!(&refused, Err(Error::Rejected { status: 400, code: Some(code), request_id: Some(_), .. }) if code == "idempotency_error")
    );
}

#[tokio::test]
async fn a_key_that_cannot_be_sent_is_not() {
    let fake = fake();
    let stripe = client(&fake);
    for key in ["", "a\nb", &"x".repeat(256)] {
        assert!(matches!(stripe.create_customer(key, &ADA).await, Err(Error::Invalid(_))));
    }
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn a_call_gets_through_once_stripe_is_there_again() {
    for fault in [Fault::Down, Fault::Locked, Fault::TooMany(0)] {
        let fake = fake();
        fake.fail(fault, Some(2));
        client(&fake).create_customer("k", &ADA).await.expect("a customer");
        assert_eq!(fake.calls().len(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn retries_end() {
    let fake = fake();
    for (fault, error) in [(Fault::Down, Error::Busy { retry_after: None }), (Fault::Locked, Error::Busy { retry_after: None })] {
        fake.fail(fault, None);
        let before = fake.calls().len();
        assert_eq!(client(&fake).products(&Page::first()).await.err(), Some(error));
        assert_eq!(fake.calls().len() - before, 3);
    }
    fake.mend();
    client(&fake).products(&Page::first()).await.expect("products");
}

#[tokio::test]
async fn what_stripe_calls_hopeless_is_not_tried_again() {
    let fake = fake();
    fake.fail(Fault::Hopeless, None);
    assert_eq!(client(&fake).products(&Page::first()).await.err(), Some(Error::Busy { retry_after: None }));
    assert_eq!(fake.calls().len(), 1);
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let fake = fake();
    fake.fail(Fault::TooMany(1), Some(1));
    let started = Instant::now();
    client(&fake).products(&Page::first()).await.expect("products");
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_handed_on_at_once() {
    let fake = fake();
    fake.fail(Fault::TooMany(30), None);
    let started = Instant::now();
    let error = client(&fake).products(&Page::first()).await.err();
    assert_eq!(error, Some(Error::Busy { retry_after: Some(Duration::from_secs(30)) }));
    assert!(started.elapsed() < SOON && fake.calls().len() == 1);
    fake.fail(Fault::TooMany(u64::MAX), None);
    let error = client(&fake).products(&Page::first()).await.err();
    assert_eq!(error, Some(Error::Busy { retry_after: Some(Duration::from_secs(86_400)) }));
}

#[tokio::test]
async fn a_slow_stripe_is_a_time_out_within_the_deadline() {
    let fake = fake();
    fake.fail(Fault::Slow(5_000), None);
    let started = Instant::now();
    assert_eq!(client_with(&fake, impatient).products(&Page::first()).await.err(), Some(Error::Timeout));
    assert!(started.elapsed() < SOON && fake.calls().len() > 1, "{:?}", started.elapsed());
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let stripe = client_with(&fake(), impatient);
    let started = Instant::now();
    assert_eq!(stripe.products(&Page::first()).await.err(), Some(Error::Unreachable));
    assert!(started.elapsed() < SOON);
}

#[tokio::test]
async fn what_cannot_be_read_is_garbage() {
    let fake = fake();
    let stripe = client(&fake);
    for fault in [Fault::Garbage, Fault::Endless] {
        fake.fail(fault, None);
        let before = fake.calls().len();
        assert!(matches!(stripe.create_customer("k", &ADA).await, Err(Error::Garbage(_))), "{fault:?}");
        assert!(matches!(stripe.events(&EventFilter::default(), &Page::first()).await, Err(Error::Garbage(_))), "{fault:?}");
        assert_eq!(fake.calls().len() - before, 2, "tried once each");
    }
}

#[tokio::test]
async fn a_wrong_key_is_told_without_it() {
    let fake = fake();
    let stripe = client_with(&fake, |settings| settings.secret_key = "sk_test_hunter2".to_owned());
    let error = stripe.products(&Page::first()).await.expect_err("an error");
    assert_eq!(error, Error::Unauthorized);
    assert!(error.is_permanent() && fake.calls().len() == 1);
    assert!(!format!("{error} {error:?} {stripe} {stripe:?}").contains("hunter2"));
}

#[tokio::test]
async fn no_error_repeats_the_key_or_an_address() {
    let fake = fake();
    let stripe = client(&fake);
    let email = format!("{KEY} nobody");
    let error = stripe.create_customer("k", &NewCustomer { email: &email, ..ADA }).await.expect_err("an error");
    assert!(matches!(&error, Error::Rejected { code: Some(code), .. } if code == "email_invalid"));
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
}

#[test]
fn a_client_is_made_without_a_runtime() {
    assert!(Stripe::new(Settings::new("sk_test_x")).is_ok());
    assert!(Stripe::new(Settings::new("sk_test_x\n")).is_err());
}

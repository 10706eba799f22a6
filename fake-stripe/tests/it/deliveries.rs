//! Webhooks of the fake: signed, in order or not, tried again, lost and found.

use std::{collections::HashSet, time::Duration};

use fake_stripe::{Chaos, FakeStripe, Outcome, Settings};
use serde_json::json;
use upstream::stripe::{EventFilter, Page};

use super::{client, fake, receiver::Receiver, settings, subscribed};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const UNDELIVERED: EventFilter = EventFilter { created_from: None, undelivered: true };

async fn with_receiver() -> (FakeStripe, Receiver) {
    let receiver = Receiver::start().await;
    let fake = FakeStripe::start(Settings { webhook_url: Some(receiver.url.clone()), ..settings() }).expect("a fake");
    (fake, receiver)
}

fn emit(fake: &FakeStripe, count: usize) -> Vec<String> {
    (0..count).map(|n| fake.emit("custom.event", json!({ "id": format!("x_{n}"), "object": "thing" }))).collect()
}

#[tokio::test]
async fn a_payment_is_told_in_events_that_verify() {
    let (fake, receiver) = with_receiver().await;
    let (customer, subscription) = subscribed(&fake, &client(&fake)).await;
    fake.settled().await;
    assert_eq!(
        receiver.types(),
        [
            "customer.created",
            "customer.subscription.created",
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
            "checkout.session.completed",
        ]
    );
    for event in receiver.received() {
        assert_eq!((event.problem, event.subject.as_ref(), event.livemode), (None, Some(&customer), Some(false)));
    }
    let about: Vec<_> = receiver.received().into_iter().map(|event| event.subscription).collect();
    assert_eq!(about[1..], vec![Some(subscription); 6]);
    assert!(fake.deliveries().iter().all(|event| event.outcome == Outcome::Delivered && event.attempts == 1));
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_until_it_arrives() {
    let (fake, receiver) = with_receiver().await;
    receiver.fail(2);
    let ids = emit(&fake, 1);
    fake.settled().await;
    assert_eq!(receiver.received().iter().map(|event| event.key.clone()).collect::<Vec<_>>(), ids);
    let delivery = &fake.deliveries()[0];
    assert_eq!((delivery.outcome, delivery.attempts, delivery.status), (Outcome::Delivered, 3, Some(200)));
}

#[tokio::test]
async fn what_never_arrives_can_be_found_and_sent_again() {
    let (fake, receiver) = with_receiver().await;
    let stripe = client(&fake);
    let ids = emit(&fake, 3);
    fake.settled().await;
    assert!(stripe.events(&UNDELIVERED, &Page::first()).await.expect("events").objects.is_empty());
    receiver.fail(4);
    let lost = emit(&fake, 1);
    fake.settled().await;
    assert_eq!((fake.deliveries()[3].outcome, fake.deliveries()[3].status), (Outcome::Failed, Some(500)));
    let found = stripe.events(&UNDELIVERED, &Page::newer_than(&ids[2])).await.expect("events");
    assert_eq!(found.objects.iter().map(|event| event.id.clone()).collect::<Vec<_>>(), lost);
    assert_eq!(found.objects[0].value()["pending_webhooks"], 1);
    fake.redeliver();
    fake.settled().await;
    assert!(stripe.events(&UNDELIVERED, &Page::first()).await.expect("events").objects.is_empty());
    assert_eq!(receiver.received().len(), 4);
}

#[tokio::test]
async fn dropped_deliveries_show_up_and_depend_on_the_seed_alone() {
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let (fake, receiver) = with_receiver().await;
        fake.set_chaos(Chaos { drop_percent: 30, seed: 7, ..Chaos::default() });
        emit(&fake, 100);
        fake.settled().await;
        let found = client(&fake).events(&UNDELIVERED, &Page::first()).await.expect("events").objects;
        let lost: Vec<String> = found.into_iter().map(|event| event.id).collect();
        assert!((15..45).contains(&lost.len()), "{}", lost.len());
        assert_eq!(receiver.received().len() + lost.len(), 100);
        rounds.push(lost);
    }
    assert_eq!(rounds[0], rounds[1]);
}

#[tokio::test]
async fn deliveries_are_doubled_shuffled_and_delayed() {
    let (fake, receiver) = with_receiver().await;
    let delay = Duration::from_millis(100);
    fake.set_chaos(Chaos { duplicate_percent: 50, shuffle: true, delay, parallel: 4, seed: 1, ..Chaos::default() });
    let ids = emit(&fake, 50);
    assert!(receiver.received().is_empty());
    fake.settled().await;
    let came: Vec<String> = receiver.received().into_iter().map(|event| event.key).collect();
    let each: HashSet<&String> = came.iter().collect();
    assert_eq!(each, ids.iter().collect());
    assert!(came.len() > 60 && !came.is_sorted(), "{}", came.len());
}

#[tokio::test]
async fn without_a_receiver_nothing_is_owed() {
    let fake = fake();
    emit(&fake, 2);
    fake.settled().await;
    assert!(fake.deliveries().iter().all(|event| event.outcome == Outcome::Unsent));
    assert!(client(&fake).events(&UNDELIVERED, &Page::first()).await.expect("events").objects.is_empty());
}

#[tokio::test]
async fn events_are_kept_for_thirty_days() {
    let fake = fake();
    let stripe = client(&fake);
    emit(&fake, 1);
    fake.advance(29 * DAY);
    let later = emit(&fake, 1);
    let from = |created_from| EventFilter { created_from: Some(created_from), undelivered: false };
    assert_eq!(stripe.events(&from(0), &Page::first()).await.expect("events").objects.len(), 2);
    assert_eq!(stripe.events(&from(fake.now()), &Page::first()).await.expect("events").objects.len(), 1);
    fake.advance(2 * DAY);
    let kept = stripe.events(&from(0), &Page::first()).await.expect("events").objects;
    assert_eq!(kept.into_iter().map(|event| event.id).collect::<Vec<_>>(), later);
}

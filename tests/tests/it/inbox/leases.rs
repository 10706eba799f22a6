//! Who has taken an event, for how long, and what becomes of those who come back too late.

use std::future::{Ready, ready};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::join_all;
use persistence::{
    Db, Sizes,
    inbox::{self, Claimed, Effect, NewEvent, Outcome, Prepared, Told},
};
use serde_json::Value;
use tests::{App, Database};

use super::{SETTINGS, TWICE, change, count_ends, deliver, until_status};

const MINUTE: Duration = Duration::from_secs(60);
const BOUND: Duration = Duration::from_secs(10);
/// The lease of whoever has something ends now.
const LEASES_END: &str = "UPDATE webhook_events SET due_at = now() WHERE status = 'pending'";

/// A process of its own, as far as the database can tell.
fn process(database: &Database) -> Db {
    let sizes = Sizes { pool: 5, pipelines: 1, pool_wait: BOUND, read: BOUND };
    Db::new(Arc::new(database.connector()), sizes, Arc::default())
}

fn new_event(event: &Value) -> NewEvent {
    let raw = event.to_string().into_bytes();
    let envelope = webhooks::stripe::fetched(&raw);
    NewEvent {
        provider: "stripe",
        event_key: envelope.key,
        event_type: envelope.event_type.unwrap_or_default(),
        subject: envelope.subject,
        account: None,
        livemode: Some(false),
        api_version: None,
        created_at: envelope.created_at,
        headers: serde_json::json!({}),
        raw,
    }
}

/// The effect of an event that says that a subscription has so many seats.
fn effect(event: &Value) -> Ready<Prepared> {
    let object = event.pointer("/data/object").expect("an object");
    let subscription = domain::billing::Subscription::read(object).expect("a subscription");
    ready(Prepared { effects: vec![Effect::Subscription(Box::new(subscription), Told::OnAsking)], outcome: Outcome::Done })
}

async fn seats(database: &Database) -> Option<i32> {
    let row = database.connect().await.query_one("SELECT max(quantity) FROM subscription_items", &[]).await;
    row.expect("the test's SQL").get(0)
}

#[tokio::test]
async fn who_comes_back_late_cannot_end_what_another_has_taken() {
    let database = Database::cloned().await;
    let (one, other) = (process(&database), process(&database));
    let (late, right) = (change("evt_1", 1, 7), change("evt_1", 1, 9));
    inbox::insert(&one, &[new_event(&right)]).await.expect("kept");
    let first = inbox::claim(&one, MINUTE).await.expect("a claim").expect("an event");
    assert_eq!(inbox::claim(&other, MINUTE).await.expect("a claim"), None, "it is taken");
    database.connect().await.batch_execute(LEASES_END).await.expect("an update");
    let second = inbox::claim(&other, MINUTE).await.expect("a claim").expect("the same event");
    assert_eq!((second.id, first.attempt, second.attempt), (first.id, 1, 2));

    // While the other works on it, and after it is done.
    for worked_on in [true, false] {
        inbox::settle(&one, &first, BOUND, effect(&late)).await.expect_err("it is another's");
        assert!(!inbox::end(&one, &first, &Outcome::Dead("late".to_owned())).await.expect("an answer"));
        inbox::postpone(&one, &first, MINUTE).await.expect("nothing to do");
        if worked_on {
            assert_eq!(seats(&database).await, None, "nothing of it is kept");
            assert_eq!(inbox::settle(&other, &second, BOUND, effect(&right)).await.expect("an end"), Some(Outcome::Done));
        }
        assert_eq!(seats(&database).await, Some(9));
    }
    inbox::settle(&other, &second, BOUND, effect(&late)).await.expect_err("it is done");
    assert_eq!(seats(&database).await, Some(9));
}

#[tokio::test]
async fn what_a_dead_worker_had_taken_is_done_by_another() {
    let app = App::with(SETTINGS).await;
    deliver(&app, &change("evt_0", 0, 1)).await;
    until_status(&app, "evt_0", "done").await;
    // As if somebody had taken it and was never heard of again.
    let event = new_event(&change("evt_1", 1, 1));
    let dead = process(&app.database);
    app.sql("ALTER TABLE webhook_events ALTER due_at SET DEFAULT now() + interval '1 hour'").await;
    inbox::insert(&dead, &[event]).await.expect("kept");
    app.sql("UPDATE webhook_events SET attempts = 1 WHERE event_key = 'evt_1'").await;
    app.sql("UPDATE webhook_events SET due_at = now() - interval '1 s' WHERE event_key = 'evt_1'").await;
    until_status(&app, "evt_1", "done").await;
    assert_eq!(app.count("SELECT attempts::bigint FROM webhook_events WHERE event_key = 'evt_1'").await, 2);
    // It took its worker with it every time: it is not given to any more.
    inbox::insert(&dead, &[new_event(&change("evt_2", 2, 1))]).await.expect("kept");
    app.sql("UPDATE webhook_events SET attempts = 15, due_at = now() WHERE event_key = 'evt_2'").await;
    until_status(&app, "evt_2", "dead").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_are_two_events_of_one_subject_worked_on_at_a_time() {
    let database = Database::cloned().await;
    count_ends(&database).await;
    let processes = [process(&database), process(&database)];
    let events: Vec<_> = (0..100).map(|number| new_event(&change(&format!("evt_{number}"), number % 5, 1))).collect();
    inbox::insert(processes.first().expect("a process"), &events).await.expect("kept");
    let busy: Mutex<HashMap<String, usize>> = Mutex::default();
    let add = |event: &Claimed, more: isize| {
        let mut busy = busy.lock().expect("no panic");
        let count = busy.entry(event.subject.clone().expect("a subject")).or_default();
        *count = count.checked_add_signed(more).expect("a count");
        assert!(*count <= 1, "{event:?} is worked on while another of its subject is");
    };
    let work = async |db: &Db| {
        let sql = database.connect().await;
        let left = "SELECT count(*) FROM webhook_events WHERE status = 'pending'";
        while sql.query_one(left, &[]).await.expect("the test's SQL").get::<_, i64>(0) > 0 {
            let Some(event) = inbox::claim(db, MINUTE).await.expect("a claim") else { continue };
            let prepare = async {
                add(&event, 1);
                tokio::time::sleep(Duration::from_millis(3)).await;
                add(&event, -1);
                Prepared { effects: Vec::new(), outcome: Outcome::Done }
            };
            if inbox::settle(db, &event, BOUND, prepare).await.expect("an end").is_none() {
                inbox::postpone(db, &event, Duration::from_millis(1)).await.expect("an update");
            }
        }
    };
    join_all(processes.iter().cycle().take(6).map(work)).await;
    let sql = database.connect().await;
    let row = sql.query_one("SELECT count(*), count(DISTINCT event) FROM ends", &[]).await.expect("the test's SQL");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (100, 100));
}

#[tokio::test]
async fn two_servers_work_on_one_inbox_and_each_event_is_done_once() {
    let one = App::with(SETTINGS).await;
    count_ends(&one.database).await;
    let other = App::beside(&one, SETTINGS).await;
    let deliveries = (0..200_u32).map(|number| {
        let (app, version) = (if number % 2 == 0 { &one } else { &other }, number / 5 + 1);
        async move { deliver(app, &change(&format!("evt_{number}"), usize::try_from(number % 5).expect("a few"), version)).await }
    });
    join_all(deliveries).await;
    one.until_count(200, "SELECT count(*) FROM webhook_events WHERE status = 'done'").await;
    assert_eq!((one.count("SELECT count(*) FROM ends").await, one.count(TWICE).await), (200, 0));
    assert_eq!(one.count("SELECT count(*) FROM subscription_items WHERE quantity = 40").await, 5, "each has its newest state");
}

/// They wait for each other's rows; were it in a circle, the database would refuse one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_of_the_same_events_in_another_order_do_not_block_each_other() {
    let database = Database::cloned().await;
    let (one, other) = (process(&database), process(&database));
    for round in 0..20 {
        let events: Vec<_> = (0..100).map(|number| new_event(&change(&format!("evt_{round}_{number}"), 1, 1))).collect();
        let reversed: Vec<_> = events.iter().rev().cloned().collect();
        let (new, known) = tokio::join!(inbox::insert(&one, &events), inbox::insert(&other, &reversed));
        assert_eq!(new.expect("kept") + known.expect("kept"), 100, "round {round}");
    }
}

/// The lock of a customer is one lock, be it an event or a comparison that asks Stripe.
#[tokio::test]
async fn an_event_waits_while_its_customer_is_compared_with_stripe() {
    let app = App::with(SETTINGS).await;
    let db = process(&app.database);
    let (asked, asking) = tokio::sync::oneshot::channel::<()>();
    let (answer, answered) = tokio::sync::oneshot::channel::<()>();
    let comparing = tokio::spawn(async move {
        let ask = async {
            let _ = asked.send(());
            let _ = answered.await;
            None
        };
        inbox::refresh(&db, "cus_1", BOUND, ask).await
    });
    asking.await.expect("it asks");
    deliver(&app, &change("evt_1", 1, 3)).await;
    app.until_count(1, "SELECT count(*) FROM webhook_events WHERE due_at > received_at").await;
    deliver(&app, &change("evt_2", 2, 3)).await;
    until_status(&app, "evt_2", "done").await;
    assert_eq!(super::status(&app, "evt_1").await, "pending");
    answer.send(()).expect("it waits");
    comparing.await.expect("no panic").expect("an end");
    until_status(&app, "evt_1", "done").await;
}

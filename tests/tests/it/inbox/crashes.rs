//! The server is killed again and again while events come in and are processed.

use std::{net::SocketAddr, time::Duration};

use futures::StreamExt;
use tests::{Client, Database, Program, http};
use tokio::{sync::watch, time::sleep};

use super::{TWICE, change, count_ends, delivery};

/// How many events are sent.
const EVENTS: usize = 300;
/// Of how many subscriptions.
const SUBSCRIPTIONS: usize = 10;
/// How often the server is killed meanwhile.
const KILLS: usize = 4;
/// How many deliveries are under way at the same time.
const AT_ONCE: usize = 24;
/// Every so manieth event is delivered once more after it was acknowledged.
const AGAIN: usize = 7;
/// How long a sender waits for an answer, and before it tries again.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

fn serve(database: &Database) -> Program {
    let variables = [
        ("DATABASE_URL", database.url.as_str()),
        ("PORT", "0"),
        ("WORKERS", "2"),
        ("RATE_LIMIT_ADDRESS", "off"),
        ("STRIPE_WEBHOOKS_SECRET", super::SECRET),
    ];
    Program::start(&["serve"], &variables)
}

/// Delivers an event until it is acknowledged, wherever the server is by now; says how often it took.
async fn insist(server: &watch::Receiver<SocketAddr>, http: &Client, body: &[u8]) -> usize {
    let mut tries = 1;
    loop {
        let client = http.at(*server.borrow());
        if let Ok(Ok(200)) = tokio::time::timeout(PATIENCE, delivery(&client, body).try_send()).await {
            return tries;
        }
        tries += 1;
        sleep(PAUSE).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_any_number_of_kills_and_counts_once() {
    let _ = http();
    let database = Database::cloned().await;
    count_ends(&database).await;
    let sql = database.connect().await;
    let count = async |query: &str| sql.query_one(query, &[]).await.expect("the test's SQL").get::<_, i64>(0);
    let mut server = serve(&database);
    let (moved, address) = watch::channel(server.address());
    let (acknowledge, mut acknowledged) = watch::channel(0);

    // In an order that has nothing to do with theirs: EVENTS and the step have no common divisor.
    let step = 7919;
    let order = (0..EVENTS).map(move |number| number * step % EVENTS);
    let sending = tokio::spawn(async move {
        let client = Client::new(*address.borrow(), None);
        let tries = futures::stream::iter(order).map(|number| {
            let (client, address, acknowledge) = (client.clone(), address.clone(), acknowledge.clone());
            async move {
                let version = u32::try_from(number / SUBSCRIPTIONS + 1).expect("a few");
                let body = change(&format!("evt_{number}"), number % SUBSCRIPTIONS, version).to_string();
                let mut tries = insist(&address, &client, body.as_bytes()).await;
                acknowledge.send_modify(|count| *count += 1);
                if number % AGAIN == 0 {
                    tries += insist(&address, &client, body.as_bytes()).await;
                }
                tries
            }
        });
        tries.buffer_unordered(AT_ONCE).fold(0, async |sum, tries| sum + tries).await
    });

    for kill in 1..=KILLS {
        let enough = acknowledged.wait_for(|count| *count >= EVENTS * kill / (KILLS + 1));
        let enough = tokio::time::timeout(Duration::from_secs(15), enough).await.map(drop);
        assert!(enough.is_ok(), "events are not acknowledged:\n{}", server.output());
        server.kill();
        // What the dead one had taken would come back after its lease, which is longer than a test may be.
        sql.batch_execute("UPDATE webhook_events SET due_at = now() WHERE status = 'pending'").await.expect("an update");
        server = serve(&database);
        moved.send_replace(server.address());
    }
    let tries = sending.await.expect("all are acknowledged");
    let begun = std::time::Instant::now();
    while count("SELECT count(*) FROM webhook_events WHERE status = 'pending'").await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(180), "events are left:\n{}", server.output());
        sleep(PAUSE).await;
    }
    let done = count("SELECT count(*) FROM webhook_events WHERE status = 'done'").await;
    let twice = count(TWICE).await;
    println!("{EVENTS} events in {tries} deliveries, {KILLS} kills: {done} done, {twice} of them more than once");
    assert_eq!((done, twice), (i64::try_from(EVENTS).expect("a few"), 0));
    assert_eq!(count("SELECT count(*) FROM webhook_events").await, done, "each is there once");
    assert_eq!(count("SELECT count(DISTINCT event) FROM ends").await, done);
    for subscription in 0..SUBSCRIPTIONS {
        let newest = (0..EVENTS).filter(|number| number % SUBSCRIPTIONS == subscription).count();
        let seats = count(&format!("SELECT quantity::bigint FROM subscription_items WHERE subscription_id = 'sub_{subscription}'")).await;
        assert_eq!(seats, i64::try_from(newest).expect("a few"), "sub_{subscription}");
    }
}

//! Three servers on one database; the listening connection of the third is ended again and again.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::{App, Proxy};

use super::{SECOND, from, plans, product};

/// How often each kind of change is made.
const TRIES: usize = 10;

#[tokio::test]
async fn a_change_and_a_purge_are_seen_by_three_servers_in_under_a_second() {
    let quiet = [("WORKER", "false")];
    let first = App::with(&quiet).await;
    let second = App::beside(&first, &quiet).await;
    let proxy = Proxy::start().await;
    let third = App::on(first.database.borrowed(), &proxy.url(&first.database), &quiet).await;
    let admin = first.admin().await;
    let connection = first.database.connect().await;
    let cutting = tokio::spawn(async move {
        loop {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND application_name = 'handrail-listener' AND client_addr IS NOT NULL";
            let _ = connection.batch_execute(cut).await;
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    });
    let servers = [&first, &second, &third];
    let mut slowest = Duration::ZERO;
    for number in 0..TRIES {
        let name = format!("Number {number}");
        first.sql(&product("prod_1", &name)).await;
        let begun = Instant::now();
        for server in servers {
            while plans(server).await.expect(200).at("/0/name") != name.as_str() {
                assert!(begun.elapsed() < SECOND, "{name} is not shown");
            }
        }
        slowest = slowest.max(begun.elapsed());

        for server in servers {
            plans(server).await.expect(200);
        }
        admin.client.post("/api/admin/revalidate").json(&json!({ "tag": "plans" })).send().await.expect(200);
        let begun = Instant::now();
        for server in servers {
            // What is not believed is made anew each time, which is as good as purged.
            while from(&plans(server).await) == "handrail; hit" {
                assert!(begun.elapsed() < SECOND, "purge {number} is not heard of");
            }
        }
        slowest = slowest.max(begun.elapsed());
    }
    cutting.abort();
    println!("{} changes and purges, the slowest took {slowest:?} until all three servers knew", TRIES * 2);
}

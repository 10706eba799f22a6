//! Those who read an export slowly, or leave, hold nothing up.

use serde_json::json;
use tests::{App, Client, Program, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{PATH, begin, fill, numbers, titles};

const ACTIVE: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()";
/// Connections that have read posts within the last second, or are at it.
const READ_LATELY: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%\"content\"%' \
    AND pid <> pg_backend_pid() AND (state <> 'idle' OR state_change > now() - interval '1 second')";

#[tokio::test]
async fn who_does_not_read_holds_no_connection() {
    let app = App::with(&[("DATABASE_POOL_SIZE", "2"), ("WRITE_TIMEOUT_SECONDS", "60")]).await;
    let ada = app.user("Ada").await;
    fill(&app, &ada, 20_000, 2000).await;
    let mut unread = Vec::new();
    for _ in 0..4 {
        unread.push(begin(&app, &ada, "*/*").await);
    }
    // Until what lies between server and clients is full, the server is busy filling it.
    eventually("no posts are read any more", async || app.count(READ_LATELY).await == 0).await;
    for number in 0..10 {
        app.org(&ada, &format!("Org {number}")).await;
    }
    let text = unread.pop().expect("one").text().await.expect("the whole of it");
    assert_eq!(titles(&text), numbers(20_000));
}

#[tokio::test]
async fn who_never_reads_is_cut() {
    let app = App::with(&[("WRITE_TIMEOUT_SECONDS", "1")]).await;
    let ada = app.user("Ada").await;
    fill(&app, &ada, 20_000, 2000).await;
    let mut stream = tokio::net::TcpStream::connect(app.address).await.expect("a connection");
    let head = format!("GET {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", ada.token);
    stream.write_all(head.as_bytes()).await.expect("a request");
    let peer = stream.local_addr().expect("an address");
    // The kernel gives up by itself: there is nothing to wait for but its list of connections.
    eventually("the server's end is gone", async || !is_open(app.address.port(), peer.port())).await;
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received).await;
    assert!(received.len() < 40_000_000 && !received.ends_with(b"0\r\n\r\n"), "{} bytes", received.len());
    assert_eq!(app.count(ACTIVE).await, 0);
    ada.client.get("/api/posts?limit=1").send().await.expect(200);
}

/// Whether the kernel knows an open connection from this local port to that one.
fn is_open(local: u16, remote: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's connections");
    let (local, remote) = (format!(":{local:04X}"), format!(":{remote:04X}"));
    table.lines().skip(1).any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words.as_slice(), [_, ours, theirs, "01", ..] if ours.ends_with(&local) && theirs.ends_with(&remote))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_takes_nothing_along() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    fill(&app, &ada, 20_000, 2000).await;
    let program = Program::start(&["serve"], &[("DATABASE_URL", &app.database.url), ("PORT", "0"), ("WORKERS", "2")]);
    let client = Client::new(program.address(), Some(ada.token.clone()));
    eventually("it is ready", async || client.get("/readyz").send().await.status == 200).await;
    client.get("/api/posts?limit=1").send().await.expect(200);
    client.post("/api/orgs").json(&json!({ "name": "Acme" })).send().await.expect(201);
    let read = async |chunks: usize| {
        let request = tests::http().get(format!("http://{}{PATH}", program.address())).bearer_auth(&ada.token);
        let mut answer = request.send().await.expect("an answer");
        for _ in 0..chunks {
            answer.chunk().await.expect("a chunk").expect("a chunk");
        }
    };
    // The first ones make the connections that the server keeps.
    futures::future::join_all((0..20).map(&read)).await;
    let mut kept = program.descriptors();
    eventually("the first are gone", async || {
        let before = std::mem::replace(&mut kept, program.descriptors());
        before == kept && app.count(ACTIVE).await == 0
    })
    .await;
    for _ in 0..3 {
        futures::future::join_all((0..20).map(&read)).await;
    }
    eventually("descriptors and connections are back", async || program.descriptors() <= kept && app.count(ACTIVE).await == 0).await;
    client.get("/api/posts?limit=1").send().await.expect(200);
}

//! Exports that break off do not look complete, and can be gone on with.

use serde_json::Value;
use tests::{App, Caller, Database, Proxy, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{CSV, PATH, begin, fill, numbers, titles};

async fn behind_a_proxy(settings: &[(&str, &str)]) -> (Proxy, App, Caller) {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let app = App::on(database, &url, settings).await;
    let ada = app.user("Ada").await;
    (proxy, app, ada)
}

/// Reads an export whose database is cut when it has begun: what came, and whether it broke off.
async fn cut_in_the_middle(proxy: &Proxy, app: &App, by: &Caller, accept: &str, coding: &str) -> (Vec<u8>, bool) {
    let request = tests::http().get(format!("http://{}{PATH}", app.address)).header("accept-encoding", coding).header("accept", accept);
    let mut answer = request.bearer_auth(&by.token).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let mut bytes = answer.chunk().await.expect("a beginning").expect("a beginning").to_vec();
    proxy.cut();
    let broken = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend(chunk),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    proxy.mend();
    eventually("the database is back", async || app.anon().get("/readyz").send().await.status == 200).await;
    (bytes, broken)
}

#[tokio::test]
async fn an_export_whose_database_goes_away_does_not_look_complete() {
    let (proxy, app, ada) = behind_a_proxy(&[]).await;
    fill(&app, &ada, 20_000, 2000).await;
    for (accept, coding) in [("*/*", "identity"), (CSV, "identity"), ("*/*", "gzip")] {
        let (bytes, broken) = cut_in_the_middle(&proxy, &app, &ada, accept, coding).await;
        assert!(broken && !bytes.is_empty(), "{accept} {coding}");
    }
}

#[tokio::test]
async fn an_export_that_broke_off_goes_on_behind_its_last_whole_post() {
    let (proxy, app, ada) = behind_a_proxy(&[]).await;
    fill(&app, &ada, 20_000, 2000).await;
    let (bytes, broken) = cut_in_the_middle(&proxy, &app, &ada, "*/*", "identity").await;
    assert!(broken);
    let end = bytes.iter().rposition(|byte| *byte == b'\n').expect("a whole line") + 1;
    let text = std::str::from_utf8(&bytes[..end]).expect("UTF-8");
    let last: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    let last = last["id"].as_str().expect("an id");
    let rest = tests::http().get(format!("http://{}{PATH}?after={last}", app.address)).bearer_auth(&ada.token);
    let rest = rest.send().await.expect("an answer").text().await.expect("the rest");
    assert_eq!([titles(text), titles(&rest)].concat(), numbers(20_000));
}

#[tokio::test]
async fn an_export_outlives_lost_connections() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    fill(&app, &ada, 20_000, 2000).await;
    let mut answer = begin(&app, &ada, "*/*").await;
    let (mut bytes, mut lost) = (Vec::new(), 0);
    while let Some(chunk) = answer.chunk().await.expect("more of it") {
        bytes.extend(chunk);
        if bytes.len() > lost * 10_000_000 {
            lost += 1;
            let others = "datname = current_database() AND pid <> pg_backend_pid()";
            app.sql(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")).await;
        }
    }
    assert_eq!((titles(std::str::from_utf8(&bytes).expect("UTF-8")), lost), (numbers(20_000), 5));
}

#[tokio::test]
async fn without_chunks_a_reset_tells_that_it_broke_off() {
    let (proxy, app, ada) = behind_a_proxy(&[]).await;
    fill(&app, &ada, 20_000, 2000).await;
    let begin = async || {
        let mut stream = TcpStream::connect(app.address).await.expect("a connection");
        let head = format!(
            "GET {PATH} HTTP/1.0\r\nconnection: keep-alive\r\naccept-encoding: gzip\r\nauthorization: Bearer {}\r\n\r\n",
            ada.token
        );
        stream.write_all(head.as_bytes()).await.expect("a request");
        let mut bytes = vec![0; 64 * 1024];
        let count = stream.read(&mut bytes).await.expect("a beginning");
        bytes.truncate(count);
        assert!(bytes.starts_with(b"HTTP/1.0 200") && !bytes.windows(7).any(|some| some == b"chunked"));
        (stream, bytes)
    };
    let (mut whole, mut bytes) = begin().await;
    whole.read_to_end(&mut bytes).await.expect("an end");
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(titles(text.split_once("\r\n\r\n").expect("a head").1), numbers(20_000));

    let (mut broken, mut bytes) = begin().await;
    proxy.cut();
    let end = broken.read_to_end(&mut bytes).await.expect_err("no end");
    assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn without_a_database_no_export_begins() {
    let (proxy, app, ada) = behind_a_proxy(&[]).await;
    fill(&app, &ada, 10, 10).await;
    ada.client.get(PATH).send().await.expect(200);
    app.sql("ALTER TABLE posts RENAME TO hidden").await;
    ada.client.get(PATH).send().await.expect_error(500, "INTERNAL_ERROR");
    proxy.cut();
    // Who is calling is still known.
    ada.client.get(PATH).header("accept", CSV).send().await.expect_error(503, "UNAVAILABLE");
}

#[tokio::test]
async fn a_head_reads_no_further_than_a_beginning() {
    let (proxy, app, ada) = behind_a_proxy(&[("WORKER", "false")]).await;
    let root = app.admin().await;
    fill(&app, &ada, 20_000, 2000).await;
    app.sql("INSERT INTO audit_events (action, target_type) SELECT 'test.many', 'user' FROM generate_series(1, 20000)").await;
    for (by, path, accept) in [(&ada, PATH, CSV), (&root, "/api/admin/audit", "application/x-ndjson")] {
        let first = by.client.request(reqwest::Method::HEAD, path).header("accept", accept).send().await.expect(200);
        assert_eq!((first.text.as_str(), first.header("content-length")), ("", None), "{path}");
        assert!(first.header("content-type").is_some_and(|kind| kind.starts_with(accept)), "{path}");
        let mark = proxy.mark();
        let mut stream = TcpStream::connect(app.address).await.expect("a connection");
        let head = format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\naccept: {accept}\r\n\r\n", by.token);
        // What is asked behind it on the same connection is answered when it is done.
        let behind = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(format!("{head}{behind}").as_bytes()).await.expect("two requests");
        let mut said = String::new();
        stream.read_to_string(&mut said).await.expect("two answers");
        assert_eq!(said.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{said}");
        proxy.expect_quiet_since(mark);
    }
}

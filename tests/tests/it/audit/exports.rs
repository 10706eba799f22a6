//! All of the log, as NDJSON.

use serde_json::Value;
use tests::{App, Caller, Database, Proxy};

const NDJSON: &str = "application/x-ndjson";

async fn fill(app: &App, count: u32, bytes: u32) {
    app.sql(&format!(
        "INSERT INTO audit_events (action, target_type, details) \
         SELECT 'test.many', 'user', jsonb_build_object('number', n, 'filling', repeat('x', {bytes})) FROM generate_series(1, {count}) n"
    ))
    .await;
}

/// Begins to read the whole log.
async fn export(app: &App, by: &Caller) -> reqwest::Response {
    let request = tests::http().get(format!("http://{}/api/admin/audit", app.address));
    request.bearer_auth(&by.token).header("accept", NDJSON).send().await.expect("an answer")
}

fn numbers(text: &str) -> Vec<u64> {
    let line = |line: &str| serde_json::from_str::<Value>(line).expect("a JSON value a line");
    text.lines().map(line).filter_map(|event| event.pointer("/details/number")?.as_u64()).collect()
}

#[tokio::test]
async fn an_export_has_every_event_one_a_line() {
    let app = App::start().await;
    let root = app.admin().await;
    fill(&app, 1234, 10).await;
    let whole = root.client.get("/api/admin/audit").header("accept", NDJSON).send().await.expect(200);
    assert_eq!(whole.header("content-type"), Some(NDJSON));
    assert!(whole.headers.get_all("vary").iter().any(|value| value.to_str().is_ok_and(|value| value.to_lowercase().contains("accept"))));
    assert_eq!(i64::try_from(whole.text.lines().count()).expect("a few"), app.count("SELECT count(*) FROM audit_events").await);
    let (found, newest_first) = (numbers(&whole.text), (1..=1234).rev().collect::<Vec<u64>>());
    assert_eq!(found, newest_first);
    for (query, lines) in [("action=test.many", 1234), ("action=test.none", 0), ("action=test.many&limit=1&page=3", 1234)] {
        let some = root.client.get(&format!("/api/admin/audit?{query}")).header("accept", NDJSON).send().await.expect(200);
        assert_eq!(some.text.lines().count(), lines, "{query}");
    }
    let page = root.client.get("/api/admin/audit?action=test.many&limit=100&cursor=").send().await.expect(200);
    let next = page.header("link").expect("a next page").trim_start_matches('<').split('>').next().expect("a link").to_owned();
    let rest = root.client.get(&next).header("accept", &format!("text/html, {NDJSON};q=0.9")).send().await.expect(200);
    assert_eq!(numbers(&rest.text), (1..=1134).rev().collect::<Vec<u64>>());
    root.client.get("/api/admin/audit?action=x").header("accept", NDJSON).send().await.expect_refused(&["action"]);
    for accept in ["*/*", "application/json", "application/x-ndjson;q=0"] {
        root.client.get("/api/admin/audit").header("accept", accept).send().await.expect(200).json();
    }
}

#[tokio::test]
async fn an_organisations_export_has_its_own_events_alone() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let (org, other) = (app.org(&ada, "Acme").await, app.org(&ada, "Other").await);
    app.sql(&format!(
        "INSERT INTO audit_events (action, target_type, org_id) SELECT 'test.many', 'user', '{org}' FROM generate_series(1, 1100)"
    ))
    .await;
    let whole = ada.client.get(&format!("/api/orgs/{org}/audit")).header("accept", NDJSON).send().await.expect(200);
    assert_eq!(whole.text.lines().count(), 1102);
    assert!(!whole.text.contains(&other));
}

#[tokio::test]
async fn an_export_that_breaks_off_does_not_look_complete() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let app = App::on(database, &url, &[]).await;
    let root = app.admin().await;
    fill(&app, 20_000, 2000).await;
    for coding in ["identity", "gzip"] {
        let request = tests::http().get(format!("http://{}/api/admin/audit", app.address)).header("accept-encoding", coding);
        let mut answer = request.bearer_auth(&root.token).header("accept", NDJSON).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200);
        answer.chunk().await.expect("a beginning").expect("a beginning");
        proxy.cut();
        let broken = loop {
            match answer.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken, "{coding}");
        proxy.mend();
        tests::eventually("the database is back", async || app.anon().get("/readyz").send().await.status == 200).await;
    }
}

#[tokio::test]
async fn who_does_not_read_their_export_holds_no_connection() {
    let app = App::with(&[("DATABASE_POOL_SIZE", "2"), ("DATABASE_POOL_WAIT_MS", "1000"), ("WRITE_TIMEOUT_SECONDS", "60")]).await;
    let root = app.admin().await;
    fill(&app, 20_000, 2000).await;
    let mut unread = Vec::new();
    for _ in 0..8 {
        unread.push(export(&app, &root).await);
    }
    // Until the buffers between server and clients are full, the server is busy filling them.
    let body = serde_json::json!({ "name": "Acme" });
    tests::eventually("there is a connection", async || root.client.post("/api/orgs").json(&body).send().await.status == 201).await;
    // Without one they would be refused.
    for number in 0..10 {
        app.org(&root, &format!("Org {number}")).await;
    }
    let text = unread.pop().expect("one").text().await.expect("the whole of it");
    assert_eq!(numbers(&text).len(), 20_000);
}

#[tokio::test]
async fn without_a_database_no_export_begins() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let app = App::on(database, &url, &[]).await;
    let root = app.admin().await;
    let get = async || root.client.get("/api/admin/audit").header("accept", NDJSON).send().await;
    get().await.expect(200);
    // Who is calling is still known.
    app.sql("ALTER TABLE audit_events RENAME TO hidden").await;
    get().await.expect_error(500, "INTERNAL_ERROR");
    proxy.cut();
    get().await.expect_error(503, "UNAVAILABLE");
}

//! `/api/admin/audit` and `/api/orgs/{orgId}/audit`, and what stands in them.

mod accounts;
mod changes;
mod exports;

use serde_json::{Value, json};
use tests::{Answer, App, Caller};

use crate::orgs::NOTHING;

/// What has been logged, news by news.
struct Log<'a> {
    app: &'a App,
    seen: i64,
}

impl<'a> Log<'a> {
    async fn from_now(app: &'a App) -> Self {
        Self { app, seen: app.count("SELECT count(*) FROM audit_events").await }
    }

    /// The events since the last look, oldest first.
    async fn news(&mut self) -> Vec<Value> {
        let query = "SELECT to_jsonb(e)::text FROM audit_events e ORDER BY id OFFSET $1";
        let rows = self.app.database.connect().await.query(query, &[&self.seen]).await.expect("the log");
        let news: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row.get(0)).expect("JSON")).collect();
        self.seen += i64::try_from(news.len()).expect("a few");
        news
    }

    /// Fails unless exactly these were logged since the last look: action and target, all done by this one in this organisation.
    async fn expect(&mut self, by: &Caller, org: Option<&str>, events: &[(&str, &str)]) -> Vec<Value> {
        let news = self.news().await;
        let mut seen: Vec<_> = news.iter().map(|event| (event["action"].as_str(), event["target_id"].as_str())).collect();
        let mut wanted: Vec<_> = events.iter().map(|(action, target)| (Some(*action), Some(*target))).collect();
        seen.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(seen, wanted, "{news:#?}");
        for event in &news {
            assert_eq!((&event["actor_id"], &event["org_id"]), (&json!(by.id), &json!(org)), "{event}");
            assert_eq!(event["address"], "127.0.0.1", "{event}");
        }
        news
    }
}

fn actions(answer: &Answer) -> Vec<String> {
    let events = answer.json();
    events.as_array().into_iter().flatten().filter_map(|event| event["action"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn an_organisations_administrators_read_its_events_and_no_others() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    let (org, other) = (app.org(&ada, "Acme").await, app.org(&eve, "Other").await);
    let (admin, member) = (app.member(&org, "admin").await, app.member(&org, "member").await);
    let path = format!("/api/orgs/{org}/audit");
    for caller in [&ada, &admin] {
        let events = caller.client.get(&path).send().await.expect(200);
        assert_eq!(actions(&events), ["member.added", "member.added", "member.added", "organisation.created"]);
        assert!(events.json().as_array().into_iter().flatten().all(|event| event["orgId"] == org.as_str()), "{}", events.text);
    }
    member.client.get(&path).send().await.expect_error(403, "FORBIDDEN");
    eve.client.get(&path).send().await.expect_error(404, "NOT_FOUND");
    app.admin().await.client.get(&path).send().await.expect_error(404, "NOT_FOUND");
    for accept in ["application/json", "application/x-ndjson"] {
        eve.client.get(&path).header("accept", accept).send().await.expect_error(404, "NOT_FOUND");
        member.client.get(&path).header("accept", accept).send().await.expect_error(403, "FORBIDDEN");
    }
    let foreign = format!("{path}?targetId={other}");
    assert_eq!(ada.client.get(&foreign).send().await.expect(200).text, "[]");
    ada.client.get(&format!("{path}?orgId={other}")).send().await.expect_refused(&["orgId"]);
}

#[tokio::test]
async fn administrators_alone_read_everything() {
    let app = App::start().await;
    let (ada, root) = (app.user("Ada").await, app.admin().await);
    let org = app.org(&ada, "Acme").await;
    ada.client.get("/api/admin/audit").send().await.expect_error(403, "FORBIDDEN");
    app.anon().get("/api/admin/audit").send().await.expect_error(401, "UNAUTHORIZED");
    let events = root.client.get("/api/admin/audit").send().await.expect(200);
    assert_eq!(&actions(&events)[..2], ["member.added", "organisation.created"]);
    assert_eq!(
        (events.at("/1/orgId"), events.at("/1/actorId"), events.at("/1/targetType")),
        (json!(org), json!(ada.id), json!("organisation"))
    );
    assert_eq!((events.at("/1/actorKeyId"), events.at("/1/address")), (Value::Null, json!("127.0.0.1")));
}

#[tokio::test]
async fn filters_find_what_they_name() {
    // Without the sweep, to which an event of 2020 is too old.
    let app = App::with(&[("WORKER", "false")]).await;
    let (ada, root) = (app.user("Ada").await, app.admin().await);
    let org = app.org(&ada, "Acme").await;
    let get = async |query: &str| root.client.get(&format!("/api/admin/audit?{query}")).send().await;
    assert_eq!(actions(&get("action=organisation.created").await.expect(200)), ["organisation.created"]);
    assert_eq!(actions(&get(&format!("targetId={org}")).await.expect(200)), ["organisation.created"]);
    let hers = get(&format!("actorId={}", ada.id)).await.expect(200);
    assert_eq!(actions(&hers), ["member.added", "organisation.created", "login.succeeded"]);
    assert_eq!(actions(&get(&format!("actorId={}&action=member.added", ada.id)).await.expect(200)), ["member.added"]);
    assert_eq!(get(&format!("actorId={NOTHING}")).await.expect(200).text, "[]");

    app.sql("UPDATE audit_events SET created_at = '2020-01-01T12:00:00Z' WHERE action = 'member.added'").await;
    for (query, found) in [
        ("until=2020-01-01T12:00:00.000001Z", 1),
        ("until=2020-01-01T12:00:00Z", 0),
        ("since=2020-01-01T12:00:00Z&until=2021-01-01T00:00:00Z", 1),
        ("since=2020-01-01T14:00:00%2B02:00&until=2021-01-01T00:00:00Z", 1),
        ("since=2020-01-01T12:00:00.000001Z&until=2021-01-01T00:00:00Z", 0),
        ("since=2021-01-01T00:00:00Z&until=2020-01-01T00:00:00Z", 0),
        ("since=9999-12-31T23:59:59Z", 0),
        ("until=0001-01-01T00:00:00Z", 0),
        // Beyond what the database knows of time.
        ("since=-262143-01-01T00:00:00Z&until=2021-01-01T00:00:00Z", 1),
        ("since=%2B262142-12-31T23:59:59Z", 0),
        ("since=-9999-01-01T00:00:00Z&until=2021-01-01T00:00:00Z", 1),
        ("until=%2B262142-12-31T23:59:59Z&action=member.added", 1),
    ] {
        assert_eq!(actions(&get(query).await.expect(200)).len(), found, "{query}");
    }
}

#[tokio::test]
async fn filters_that_make_no_sense_are_refused_by_field() {
    let app = App::start().await;
    let root = app.admin().await;
    let get = async |query: &str| root.client.get(&format!("/api/admin/audit?{query}")).send().await;
    let everything = "action=x&actorId=1&targetId=y&since=yesterday&until=2020-13-01T00:00:00Z&cursor=%23";
    get(everything).await.expect_refused(&["action", "actorId", "cursor", "since", "targetId", "until"]);
    get("action=a.b&action=c.d").await.expect_refused(&["action"]);
    get("actor=x").await.expect_refused(&["actor"]);
    get(&format!("action={}.x", "a".repeat(63))).await.expect_refused(&["action"]);
    get("action='%3BDROP TABLE users").await.expect_refused(&["action"]);
    get("since=").await.expect_refused(&["since"]);
}

#[tokio::test]
async fn pages_and_cursors_cover_every_event_once() {
    let app = App::start().await;
    let root = app.admin().await;
    app.sql("INSERT INTO audit_events (action, target_type) SELECT 'test.many', 'user' FROM generate_series(1, 45)").await;
    let first = root.client.get("/api/admin/audit?action=test.many").send().await.expect(200);
    assert_eq!((actions(&first).len(), first.header("x-total-count")), (20, Some("45")));
    let last = root.client.get("/api/admin/audit?action=test.many&page=3").send().await.expect(200);
    assert_eq!(actions(&last).len(), 5);
    let (mut path, mut ids) = ("/api/admin/audit?action=test.many&limit=7&cursor=".to_owned(), Vec::new());
    loop {
        let page = root.client.get(&path).send().await.expect(200);
        ids.extend(page.json().as_array().into_iter().flatten().filter_map(|event| event["id"].as_str().map(str::to_owned)));
        let Some(link) = page.header("link") else { break };
        path = link.trim_start_matches('<').split('>').next().expect("a link").to_owned();
    }
    assert_eq!(ids.len(), 45);
    assert!(ids.is_sorted_by(|one, two| one > two), "newest first, none twice");
}

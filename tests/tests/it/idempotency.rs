//! `Idempotency-Key`: what is asked for twice is made once.

mod crashes;

use futures::future::join_all;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tests::{Answer, App, Client, Request};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

fn post(client: &Client, path: &str, key: &str) -> Request {
    client.post(path).header("idempotency-key", key)
}

#[track_caller]
fn expect_same(first: &Answer, again: &Answer) {
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    for header in ["location", "content-type", "set-cookie"] {
        assert_eq!(first.header(header), again.header(header), "{header}");
    }
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
}

#[tokio::test]
async fn every_post_that_makes_something_makes_it_once() {
    let app = App::start().await;
    let (admin, ada) = (app.admin().await, app.user("Ada").await);
    let org = app.org(&ada, "Acme").await;
    let key_id = ada.client.post("/api/api-keys").json(&json!({ "name": "k", "scopes": ["posts:write"] })).send().await.expect(201);
    let key_id = key_id.text_at("/apiKey/id");
    let rotate = format!("/api/api-keys/{key_id}/rotate");
    let of_org = |rest: &str| format!("/api/orgs/{org}/{rest}");
    let cases: Vec<(&Client, String, Value, &str)> = vec![
        (&ada.client, "/api/posts".into(), json!({ "title": "t", "content": "c" }), "posts"),
        (&ada.client, "/api/orgs".into(), json!({ "name": "Other" }), "organisations"),
        (&ada.client, of_org("projects"), json!({ "name": "Engine" }), "projects"),
        (&ada.client, of_org("invitations"), json!({ "email": "guest@example.com", "role": "member" }), "invitations"),
        (&ada.client, "/api/api-keys".into(), json!({ "name": "key", "scopes": ["posts:write"] }), "api_keys"),
        (&ada.client, of_org("api-keys"), json!({ "name": "key", "scopes": ["projects:read"] }), "api_keys"),
        (&ada.client, rotate, json!({ "overlapSeconds": 60 }), "api_keys"),
        (&admin.client, "/api/users".into(), json!({ "name": "Bob", "email": "bob@example.com" }), "users"),
    ];
    for (number, (client, path, body, table)) in cases.iter().enumerate() {
        let key = format!("{KEY}-{number}");
        let count = format!("SELECT count(*) FROM {table}");
        let before = app.count(&count).await;
        let first = post(client, path, &key).json(body).send().await.expect(201);
        for _ in 0..3 {
            expect_same(&first, &post(client, path, &key).json(body).send().await);
        }
        assert_eq!(app.count(&count).await, before + 1, "{path}");
        let another = post(client, path, &format!("{key}-other")).json(&json!({ "unknown": 1 })).send().await;
        another.expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_registration_is_repeated_with_its_token_and_nobody_else_can() {
    let app = App::start().await;
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": "correct horse battery" });
    let register = async |body: &Value| post(&app.anon(), "/api/auth/register", KEY).json(body).send().await;
    let first = register(&body).await.expect(201);
    expect_same(&first, &register(&body).await);
    let token = first.text_at("/token");
    Client::new(app.address, Some(token.clone())).get("/api/profile").send().await.expect(200);
    let wrong = json!({ "email": "ada@example.com", "name": "Ada", "password": "correct horse batterz" });
    register(&wrong).await.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    let kept = app.text("SELECT encode(key_hash || fingerprint || answer, 'escape') FROM idempotency_keys").await;
    assert!(!kept.contains(&token) && !kept.contains("ada@example.com"), "the database alone tells no token");
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller() {
    let app = App::start().await;
    let (ada, bob) = (app.user("Ada").await, app.user("Bob").await);
    let body = json!({ "title": "t", "content": "c" });
    let first = post(&ada.client, "/api/posts", KEY).json(&body).send().await.expect(201);
    let other = json!({ "title": "t", "content": "d" });
    post(&ada.client, "/api/posts", KEY).json(&other).send().await.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    post(&ada.client, "/api/posts", KEY).body("text/plain", body.to_string()).send().await.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    let org = post(&ada.client, "/api/orgs", KEY).json(&json!({ "name": "Acme" })).send().await;
    org.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    let bobs = post(&bob.client, "/api/posts", KEY).json(&body).send().await.expect(201);
    assert_ne!(first.text_at("/id"), bobs.text_at("/id"));
    post(&app.anon(), "/api/posts", KEY).json(&body).send().await.expect_error(401, "UNAUTHORIZED");
    assert_eq!(app.count("SELECT count(*) FROM posts").await, 2);
}

#[tokio::test]
async fn a_form_is_known_again_whatever_boundary_it_comes_with() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let form = |text: &'static str| Form::new().part("file", Part::text(text).file_name("notes.md")).text("tags", "a");
    let first = post(&ada.client, "/api/posts", KEY).form(form("# One\n\nWords")).send().await.expect(201);
    expect_same(&first, &post(&ada.client, "/api/posts", KEY).form(form("# One\n\nWords")).send().await);
    let other = post(&ada.client, "/api/posts", KEY).form(form("# One\n\nWordz")).send().await;
    other.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn of_many_at_once_one_makes_it_and_all_learn_of_it() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for round in 0..5 {
        let (key, body) = (format!("{KEY}-{round}"), json!({ "name": format!("Org {round}") }));
        let answers = join_all((0..16).map(|_| post(&ada.client, "/api/orgs", &key).json(&body).send())).await;
        let ids: Vec<String> = answers.into_iter().map(|answer| answer.expect(201).text_at("/id")).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
    assert_eq!(app.count("SELECT count(*) FROM organisations").await, 5);
}

#[tokio::test]
async fn who_waits_too_long_for_the_first_is_told_to_come_back() {
    let app = App::with(&[("DATABASE_LOCK_TIMEOUT_MS", "300")]).await;
    let ada = app.user("Ada").await;
    app.sql(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
           $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
         CREATE TRIGGER dawdle BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION dawdle()",
    )
    .await;
    let gate = app.database.connect().await;
    gate.batch_execute("SELECT pg_advisory_lock(7)").await.expect("a lock");
    let body = json!({ "title": "t", "content": "c" });
    let first = post(&ada.client, "/api/posts", KEY).json(&body).send();
    let second = async {
        app.until_count(1, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 7").await;
        let second = post(&ada.client, "/api/posts", KEY).json(&body).send().await;
        gate.batch_execute("SELECT pg_advisory_unlock(7)").await.expect("an open gate");
        second
    };
    let (first, second) = futures::join!(first, second);
    let second = second.expect_error(409, "IDEMPOTENCY_KEY_IN_USE");
    assert_eq!(second.header("retry-after"), Some("1"));
    let third = post(&ada.client, "/api/posts", KEY).json(&body).send().await;
    expect_same(&first.expect(201), &third);
}

#[tokio::test]
async fn what_failed_may_be_tried_again_under_its_key() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = ada.client.post("/api/orgs").json(&json!({ "name": "Acme", "slug": "acme" })).send().await.expect(201);
    let body = json!({ "name": "Acme too", "slug": "acme" });
    post(&ada.client, "/api/orgs", KEY).json(&body).send().await.expect_error(409, "SLUG_TAKEN");
    let path = format!("/api/orgs/{}", org.text_at("/id"));
    ada.client.patch(&path).json(&json!({ "slug": "acme-old" })).send().await.expect(200);
    post(&ada.client, "/api/orgs", KEY).json(&body).send().await.expect(201);
    assert_eq!(app.count("SELECT count(*) FROM idempotency_keys WHERE answer IS NOT NULL").await, 1);
}

#[tokio::test]
async fn after_a_day_the_key_is_free_and_its_row_is_swept() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let body = json!({ "title": "t", "content": "c" });
    let make = async || post(&ada.client, "/api/posts", KEY).json(&body).send().await.expect(201);
    let first = make().await;
    let day = "expires_at > now() + interval '23 hours' AND expires_at <= now() + interval '24 hours'";
    assert_eq!(app.count(&format!("SELECT count(*) FROM idempotency_keys WHERE {day}")).await, 1);
    app.sql("UPDATE idempotency_keys SET expires_at = now()").await;
    let second = make().await;
    assert_ne!(first.text_at("/id"), second.text_at("/id"));
    expect_same(&second, &make().await);
    app.sql("UPDATE idempotency_keys SET expires_at = now()").await;
    // Servers sweep when they start.
    let _sweeper = App::beside(&app, &[]).await;
    app.until_count(0, "SELECT count(*) FROM idempotency_keys").await;
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused_and_nothing_is_made() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let body = json!({ "title": "t", "content": "c" });
    for key in ["", "a b", &"k".repeat(256), &"k".repeat(10 * 1024)] {
        let refused = post(&ada.client, "/api/posts", key).json(&body).send().await.expect_refused(&["Idempotency-Key"]);
        assert_eq!(refused.text_at("/error"), "Invalid parameters");
    }
    let twice = post(&ada.client, "/api/posts", "a").header("idempotency-key", "b").json(&body).send().await;
    twice.expect_refused(&["Idempotency-Key"]);
    assert_eq!(app.count("SELECT count(*) FROM posts").await, 0);
}

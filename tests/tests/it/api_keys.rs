//! `/api/api-keys` and `/api/orgs/{orgId}/api-keys`.

mod ending;
mod of_orgs;
mod reach;

use serde_json::{Value, json};
use tests::{Answer, App, Caller, Client};

use crate::orgs::NOTHING;

/// Makes a key at this path.
async fn make(by: &Caller, path: &str, scopes: &[&str]) -> Answer {
    by.client.post(path).json(&json!({ "name": "Robot", "scopes": scopes })).send().await
}

/// A client with a new personal key, and the key's path.
async fn personal(app: &App, by: &Caller, scopes: &[&str]) -> (Client, String) {
    let made = make(by, "/api/api-keys", scopes).await.expect(201);
    (with(app, &made), made.header("location").expect("a location").to_owned())
}

/// A client with a key that was just made.
fn with(app: &App, made: &Answer) -> Client {
    Client::new(app.address, Some(made.text_at("/key")))
}

fn names(answer: &Answer) -> Vec<Value> {
    answer.json().as_array().into_iter().flatten().map(|key| key["name"].clone()).collect()
}

#[tokio::test]
async fn a_key_is_shown_once_and_only_its_hash_is_kept() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let made = make(&ada, "/api/api-keys", &["profile:read", "posts:write", "profile:read"]).await.expect(201);
    let key = made.text_at("/key");
    assert!(key.starts_with("hrk_") && key.len() == 53 && key.starts_with(&made.text_at("/apiKey/prefix")), "{}", made.text);
    assert_eq!(made.at("/apiKey/prefix").as_str().map(str::len), Some(10));
    assert_eq!((made.at("/apiKey/scopes"), made.at("/apiKey/lastUsedAt")), (json!(["profile:read", "posts:write"]), Value::Null));
    assert_eq!((made.at("/apiKey/userId"), made.at("/apiKey/orgId")), (json!(ada.id), Value::Null));
    let listed = ada.client.get("/api/api-keys").send().await.expect(200);
    assert_eq!(listed.at("/0"), made.at("/apiKey"));
    assert!(!listed.text.contains(&key));
    let profile = with(&app, &made).get("/api/profile").send().await.expect(200);
    assert_eq!(profile.at("/id"), json!(ada.id));
    let secret = &key[10..];
    for table in ["api_keys", "audit_events", "sessions", "users"] {
        assert_eq!(app.count(&format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{secret}%'")).await, 0, "{table}");
    }
    let hashed = format!("SELECT count(*) FROM api_keys WHERE key_hash = sha256('{key}'::bytea)");
    assert_eq!(app.count(&hashed).await, 1);
}

#[tokio::test]
async fn everybody_lists_and_revokes_their_own_alone() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    let mut paths = Vec::new();
    for number in 0..3 {
        let body = json!({ "name": number.to_string(), "scopes": ["profile:read"] });
        let made = ada.client.post("/api/api-keys").json(&body).send().await.expect(201);
        paths.push(made.header("location").expect("a location").to_owned());
    }
    let first = ada.client.get("/api/api-keys?limit=2").send().await.expect(200);
    assert_eq!((names(&first), first.header("x-total-count")), (vec![json!("2"), json!("1")], Some("3")));
    let first = ada.client.get("/api/api-keys?limit=2&cursor=").send().await.expect(200);
    let next = first.header("link").expect("a next page").trim_start_matches('<').split('>').next().expect("a link").to_owned();
    assert_eq!(names(&ada.client.get(&next).send().await.expect(200)), ["0"]);

    assert_eq!(eve.client.get("/api/api-keys").send().await.expect(200).text, "[]");
    for path in [paths[0].as_str(), &format!("/api/api-keys/{NOTHING}")] {
        eve.client.delete(path).send().await.expect_error(404, "NOT_FOUND");
        eve.client.post(&format!("{path}/rotate")).json(&json!({})).send().await.expect_error(404, "NOT_FOUND");
    }
    ada.client.delete("/api/api-keys/nonsense").send().await.expect_refused(&["id"]);
    ada.client.delete(&paths[0]).send().await.expect(200);
    assert_eq!(names(&ada.client.get("/api/api-keys").send().await.expect(200)), ["2", "1"]);
}

#[tokio::test]
async fn what_is_no_key_is_refused_by_field() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let post = async |body: Value| ada.client.post("/api/api-keys").json(&body).send().await;
    post(json!({})).await.expect_refused(&["name", "scopes"]);
    for scopes in [
        json!([]),
        json!(["root"]),
        json!(["profile:read", "PROFILE:READ"]),
        json!(["*"]),
        json!("admin"),
        json!(null),
        json!(vec!["profile:read"; 12]),
    ] {
        let answer = post(json!({ "name": "x", "scopes": scopes })).await.expect_error(400, "VALIDATION_ERROR");
        let fields = answer.at("/details/fieldErrors");
        assert!(fields.as_object().is_some_and(|fields| fields.keys().all(|name| name.starts_with("scopes"))), "{fields}");
    }
    for days in [json!(0), json!(1096), json!(-1), json!(1.5), json!("90"), json!(65_536)] {
        post(json!({ "name": "x", "scopes": ["profile:read"], "expiresInDays": days })).await.expect_refused(&["expiresInDays"]);
    }
    let more = json!({ "name": " ", "scopes": ["profile:read"], "userId": NOTHING, "key": "hrk_x" });
    post(more).await.expect_refused(&["key", "name", "userId"]);
    post(json!({ "name": "x", "scopes": ["profile:read", "admin"] })).await.expect_refused(&["scopes"]);
    assert_eq!(app.count("SELECT count(*) FROM api_keys").await, 0);
    post(json!({ "name": "x", "scopes": ["profile:read"], "expiresInDays": 1095 })).await.expect(201);
    assert_eq!(app.count("SELECT count(*) FROM api_keys WHERE expires_at > now() + interval '1094 days'").await, 1);
}

#[tokio::test]
async fn nobody_has_more_than_a_hundred_also_when_they_are_made_at_once() {
    let app = App::with(&[("DATABASE_POOL_WAIT_MS", "30000")]).await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let of_org = format!("/api/orgs/{org}/api-keys");
    for (path, org) in [("/api/api-keys", "NULL".to_owned()), (&of_org, format!("'{org}'"))] {
        app.sql(&format!(
            "INSERT INTO api_keys (id, user_id, org_id, name, prefix, key_hash, scopes, expires_at) \
             SELECT gen_random_uuid(), '{}', {org}, 'x', 'x', sha256((n || '{path}')::bytea), '{{}}', now() + interval '1 day' \
             FROM generate_series(1, 95) n",
            ada.id
        ))
        .await;
        let tries = (0..20).map(|_| make(&ada, path, &["orgs:read"]));
        let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 5, "{statuses:?}");
        make(&ada, path, &["orgs:read"]).await.expect_error(409, "CONFLICT");
        assert_eq!(ada.client.get(path).send().await.expect(200).header("x-total-count"), Some("100"));
    }
    // Nor does rotating make more, unless the old one makes room.
    let some = ada.client.get(&of_org).send().await.expect(200).text_at("/0/id");
    let rotate =
        async |overlap: u32| ada.client.post(&format!("{of_org}/{some}/rotate")).json(&json!({ "overlapSeconds": overlap })).send().await;
    rotate(60).await.expect_error(409, "CONFLICT");
    rotate(0).await.expect(201);
    // Those that ended do not count.
    app.sql("UPDATE api_keys SET expires_at = now() WHERE prefix = 'x'").await;
    make(&ada, "/api/api-keys", &["orgs:read"]).await.expect(201);
}

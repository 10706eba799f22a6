//! Use, rotation and end of keys.

use serde_json::json;
use tests::{App, Client, eventually};

use super::{make, personal, with};

async fn status(key: &Client) -> u16 {
    key.get("/api/profile").send().await.status
}

#[tokio::test]
async fn a_revoked_key_ends_at_once() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for _ in 0..10 {
        let (key, path) = personal(&app, &ada, &["profile:read"]).await;
        assert_eq!(status(&key).await, 200);
        assert_eq!(ada.client.delete(&path).send().await.expect(200).json(), json!({ "success": true }));
        key.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
        ada.client.delete(&path).send().await.expect_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_expired_key_is_worth_nothing() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let ((fresh, _), (used, path)) = (personal(&app, &ada, &["profile:read"]).await, personal(&app, &ada, &["profile:read"]).await);
    assert_eq!(status(&used).await, 200);
    app.sql("UPDATE api_keys SET expires_at = now()").await;
    assert_eq!(status(&fresh).await, 401);
    eventually("the change is heard of", async || status(&used).await == 401).await;
    assert_eq!(ada.client.get("/api/api-keys").send().await.expect(200).text, "[]");
    ada.client.post(&format!("{path}/rotate")).json(&json!({})).send().await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn rotated_with_an_overlap_both_work_until_the_old_one_ends() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let (old, path) = personal(&app, &ada, &["profile:read"]).await;
    assert_eq!(status(&old).await, 200);
    let rotated = ada.client.post(&format!("{path}/rotate")).json(&json!({ "overlapSeconds": 3600 })).send().await.expect(201);
    let new = with(&app, &rotated);
    assert_eq!((rotated.at("/apiKey/name"), rotated.at("/apiKey/scopes")), (json!("Robot"), json!(["profile:read"])));
    assert_ne!(rotated.header("location"), Some(path.as_str()));
    assert_eq!((status(&old).await, status(&new).await), (200, 200));
    let ends = "SELECT count(*) FROM api_keys WHERE expires_at BETWEEN now() + interval '59 minutes' AND now() + interval '1 hour'";
    let lives = "SELECT count(*) FROM api_keys WHERE expires_at > now() + interval '89 days'";
    assert_eq!((app.count(ends).await, app.count(lives).await), (1, 1));
    app.sql("UPDATE api_keys SET expires_at = now() WHERE expires_at < now() + interval '1 day'").await;
    eventually("the change is heard of", async || status(&old).await == 401).await;
    assert_eq!(status(&new).await, 200);
}

#[tokio::test]
async fn rotated_without_an_overlap_the_old_one_ends_at_once() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let (old, path) = personal(&app, &ada, &["profile:read"]).await;
    assert_eq!(status(&old).await, 200);
    let rotate = async || ada.client.post(&format!("{path}/rotate")).json(&json!({ "overlapSeconds": 0 })).send().await;
    let answers = futures::future::join_all((0..10).map(|_| rotate())).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 404)), "{statuses:?}");
    assert_eq!(status(&old).await, 401);
    let new = answers.iter().find(|answer| answer.status == 201).expect("one");
    assert_eq!(status(&with(&app, new)).await, 200);
}

#[tokio::test]
async fn an_overlap_lengthens_no_life_and_has_bounds() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let (_, path) = personal(&app, &ada, &["profile:read"]).await;
    let rotate = format!("{path}/rotate");
    for overlap in [json!(604_801), json!(-1), json!("1"), json!(1.5)] {
        ada.client.post(&rotate).json(&json!({ "overlapSeconds": overlap })).send().await.expect_refused(&["overlapSeconds"]);
    }
    ada.client.post(&rotate).json(&json!({ "scopes": ["admin"] })).send().await.expect_refused(&["scopes"]);
    app.sql("UPDATE api_keys SET expires_at = now() + interval '1 hour'").await;
    ada.client.post(&rotate).json(&json!({ "overlapSeconds": 604_800 })).send().await.expect(201);
    assert_eq!(app.count("SELECT count(*) FROM api_keys WHERE expires_at <= now() + interval '1 hour'").await, 1);
}

#[tokio::test]
async fn use_is_written_but_not_at_every_request() {
    // Every request looks the key up, so that only the minute between two writes counts.
    let app = App::with(&[("SESSION_MEMORY_SECONDS", "0")]).await;
    let ada = app.user("Ada").await;
    let (key, _) = personal(&app, &ada, &["profile:read"]).await;
    let version = async || app.count("SELECT xmin::text::bigint FROM api_keys").await;
    let made = version().await;
    assert_eq!(status(&key).await, 200);
    let used = version().await;
    assert_ne!(used, made);
    assert_eq!(app.count("SELECT count(*) FROM api_keys WHERE last_used_at > now() - interval '1 minute'").await, 1);
    let answers = futures::future::join_all((0..50).map(|_| status(&key))).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    assert_eq!(version().await, used);
    app.sql("UPDATE api_keys SET last_used_at = now() - interval '61 seconds'").await;
    assert_eq!(status(&key).await, 200);
    assert_eq!(app.count("SELECT count(*) FROM api_keys WHERE last_used_at > now() - interval '1 minute'").await, 1);
}

#[tokio::test]
async fn the_keys_of_who_is_banned_or_deleted_end_at_once() {
    let app = App::start().await;
    let (root, ada) = (app.admin().await, app.user("Ada").await);
    let org = app.org(&ada, "Acme").await;
    app.member(&org, "owner").await;
    let of_org = with(&app, &make(&ada, &format!("/api/orgs/{org}/api-keys"), &["orgs:read"]).await.expect(201));
    let (key, _) = personal(&app, &ada, &["profile:read"]).await;
    let whole = format!("/api/orgs/{org}");
    let both = async || (status(&key).await, of_org.get(&whole).send().await.status);
    assert_eq!(both().await, (200, 200));
    let account = format!("/api/users/{}", ada.id);
    root.client.patch(&account).json(&json!({ "banned": true })).send().await.expect(200);
    assert_eq!(both().await, (401, 401));
    root.client.patch(&account).json(&json!({ "banned": false })).send().await.expect(200);
    assert_eq!(both().await, (200, 200));
    root.client.delete(&account).send().await.expect(200);
    assert_eq!(both().await, (401, 401));
    assert_eq!(app.count("SELECT count(*) FROM api_keys").await, 0);
}

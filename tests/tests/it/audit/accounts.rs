//! What happens to accounts is told once.

use serde_json::{Value, json};
use tests::{App, Client};

use super::Log;

const PASSWORD: &str = "difference engine 1843";

#[tokio::test]
async fn log_ins_are_told_also_those_that_failed() {
    let app = App::start().await;
    let mut log = Log::from_now(&app).await;
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": PASSWORD });
    let id = app.anon().post("/api/auth/register").json(&body).send().await.expect(201).text_at("/user/id");
    let login = async |email: &str, password: &str| {
        app.anon().post("/api/auth/login").json(&json!({ "email": email, "password": password })).send().await
    };
    login("ADA@example.com", PASSWORD).await.expect(200);
    for event in log.news().await {
        assert_eq!((&event["action"], &event["actor_id"], &event["target_id"]), (&json!("login.succeeded"), &json!(id), &json!(id)));
        assert_eq!((&event["address"], &event["org_id"]), (&json!("127.0.0.1"), &Value::Null));
    }
    assert_eq!(log.seen, 2);
    login("Ada@example.com", "wrong").await.expect(401);
    login("nobody@example.com", "wrong").await.expect(401);
    let news = log.news().await;
    assert_eq!(news.len(), 2);
    for (event, target) in news.iter().zip([json!(id), Value::Null]) {
        assert_eq!((&event["action"], &event["actor_id"], &event["target_id"]), (&json!("login.failed"), &Value::Null, &target));
        assert!(!event.to_string().contains("nobody@"), "{event}");
    }
}

#[tokio::test]
async fn roles_bans_and_passwords_are_told_once() {
    let app = App::start().await;
    let root = app.admin().await;
    let mut log = Log::from_now(&app).await;
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": PASSWORD });
    let id = root.client.post("/api/users").json(&body).send().await.expect(201).text_at("/id");
    log.expect(&root, None, &[]).await;
    let path = format!("/api/users/{id}");
    let change = async |body: Value| root.client.patch(&path).json(&body).send().await.expect(200);
    change(json!({ "role": "admin" })).await;
    let news = log.expect(&root, None, &[("user.role_changed", &id)]).await;
    assert_eq!(news[0]["details"], json!({ "from": "user", "to": "admin" }));
    for same in [json!({ "role": "admin" }), json!({ "name": "Ada L." }), json!({ "banned": false }), json!({})] {
        change(same).await;
    }
    log.expect(&root, None, &[]).await;
    change(json!({ "role": "user", "banned": true })).await;
    log.expect(&root, None, &[("user.role_changed", &id), ("user.banned", &id)]).await;
    change(json!({ "banned": true })).await;
    log.expect(&root, None, &[]).await;
    change(json!({ "banned": false })).await;
    log.expect(&root, None, &[("user.unbanned", &id)]).await;

    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let token = app.anon().post("/api/auth/login").json(&login).send().await.expect(200).text_at("/token");
    log.news().await;
    let ada = Client::new(app.address, Some(token));
    let passwords = |current: &str| json!({ "currentPassword": current, "newPassword": "analytical engine 1837" });
    ada.put("/api/auth/password").json(&passwords("wrong")).send().await.expect(400);
    let failed = log.news().await;
    assert_eq!((failed.len(), &failed[0]["action"], &failed[0]["target_id"]), (1, &json!("login.failed"), &json!(id)));
    ada.put("/api/auth/password").json(&passwords(PASSWORD)).send().await.expect(200);
    let changed = log.news().await;
    assert_eq!((changed.len(), &changed[0]["action"]), (1, &json!("user.password_changed")));
    assert_eq!((&changed[0]["actor_id"], &changed[0]["target_id"]), (&json!(id), &json!(id)));
    root.client.delete(&path).send().await.expect(200);
    log.expect(&root, None, &[("user.deleted", &id)]).await;
}

#[tokio::test]
async fn a_deleted_account_takes_its_memberships_and_keys_along_and_each_is_told() {
    let app = App::start().await;
    let (ada, root) = (app.user("Ada").await, app.admin().await);
    let org = app.org(&ada, "Acme").await;
    let admin = app.member(&org, "admin").await;
    let new = json!({ "name": "Robot", "scopes": ["orgs:read"] });
    let key = admin.client.post(&format!("/api/orgs/{org}/api-keys")).json(&new).send().await.expect(201).text_at("/apiKey/id");
    let mut log = Log::from_now(&app).await;
    root.client.delete(&format!("/api/users/{}", admin.id)).send().await.expect(200);
    let news = log.news().await;
    let mut told: Vec<_> = news.iter().map(|event| (event["action"].as_str(), event["target_id"].as_str())).collect();
    told.sort_unstable();
    let id = admin.id.to_string();
    assert_eq!(told, [(Some("api_key.revoked"), Some(&*key)), (Some("member.removed"), Some(&*id)), (Some("user.deleted"), Some(&*id))]);
    assert!(news.iter().all(|event| event["actor_id"] == json!(root.id)), "{news:#?}");
}

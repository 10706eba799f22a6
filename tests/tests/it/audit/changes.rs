//! What happens in an organisation is told once.

use serde_json::{Value, json};
use tests::{App, Client};

use super::Log;

#[tokio::test]
async fn changes_of_organisations_and_projects_are_told_once() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let mut log = Log::from_now(&app).await;
    let (org, own) = (app.org(&ada, "Acme").await, ada.id.to_string());
    let here = Some(org.as_str());
    log.expect(&ada, here, &[("organisation.created", &org), ("member.added", &own)]).await;
    let path = format!("/api/orgs/{org}");
    ada.client.patch(&path).json(&json!({ "name": "New" })).send().await.expect(200);
    let news = log.expect(&ada, here, &[("organisation.updated", &org)]).await;
    assert_eq!(news[0]["details"], json!({ "name": "New" }));
    ada.client.patch(&path).json(&json!({ "name": "New" })).send().await.expect(200);
    ada.client.patch(&path).json(&json!({})).send().await.expect(200);
    ada.client.get(&path).send().await.expect(200);
    log.expect(&ada, here, &[]).await;

    let made = ada.client.post(&format!("{path}/projects")).json(&json!({ "name": "Rocket" })).send().await.expect(201);
    let (project, at) = (made.text_at("/id"), made.header("location").expect("a location").to_owned());
    log.expect(&ada, here, &[("project.created", &project)]).await;
    ada.client.delete(&at).send().await.expect(200);
    log.expect(&ada, here, &[("project.deleted", &project)]).await;
    ada.client.delete(&at).send().await.expect(404);
    log.expect(&ada, here, &[]).await;
    ada.client.post(&format!("{at}/restore")).send().await.expect(200);
    log.expect(&ada, here, &[("project.restored", &project)]).await;
    ada.client.delete(&path).send().await.expect(200);
    log.expect(&ada, here, &[("organisation.deleted", &org)]).await;
    ada.client.post(&format!("{path}/restore")).send().await.expect(200);
    log.expect(&ada, here, &[("organisation.restored", &org)]).await;
}

#[tokio::test]
async fn who_comes_rises_and_goes_is_told_once() {
    let app = App::start().await;
    let (ada, guest) = (app.user("Ada").await, app.user("Guest").await);
    let org = app.org(&ada, "Acme").await;
    let (here, path, own, theirs) = (Some(org.as_str()), format!("/api/orgs/{org}"), ada.id.to_string(), guest.id.to_string());
    let mut log = Log::from_now(&app).await;
    let invite = json!({ "email": guest.email, "role": "member" });
    let made = ada.client.post(&format!("{path}/invitations")).json(&invite).send().await.expect(201);
    let (id, at) = (made.text_at("/id"), made.header("location").expect("a location").to_owned());
    app.mailed_token(&guest.email).await;
    let news = log.expect(&ada, here, &[("invitation.created", &id)]).await;
    assert_eq!(news[0]["details"], invite);
    ada.client.post(&format!("{at}/resend")).send().await.expect(200);
    log.expect(&ada, here, &[("invitation.resent", &id)]).await;
    let token = app.mailed_tokens(&guest.email, 2).await.swap_remove(1);
    // It would prove the address of somebody new, which is told outside of the organisation.
    app.sql(&format!("UPDATE users SET email_verified_at = now() WHERE id = '{theirs}'")).await;
    log.news().await;
    guest.client.post(&format!("/api/invitations/{token}/accept")).send().await.expect(200);
    log.expect(&guest, here, &[("invitation.accepted", &id), ("member.added", &theirs)]).await;

    let member = format!("{path}/members/{theirs}");
    ada.client.patch(&member).json(&json!({ "role": "admin" })).send().await.expect(200);
    let news = log.expect(&ada, here, &[("member.role_changed", &theirs)]).await;
    assert_eq!(news[0]["details"], json!({ "from": "member", "to": "admin" }));
    ada.client.patch(&member).json(&json!({ "role": "admin" })).send().await.expect(200);
    log.expect(&ada, here, &[]).await;
    ada.client.post(&format!("{path}/transfer")).json(&json!({ "userId": theirs })).send().await.expect(200);
    log.expect(&ada, here, &[("member.role_changed", &theirs), ("member.role_changed", &own)]).await;
    let second = ada.client.post(&format!("{path}/invitations")).json(&json!({ "email": "x@example.com", "role": "member" }));
    let second = second.send().await.expect(201).text_at("/id");
    log.expect(&ada, here, &[("invitation.created", &second)]).await;
    guest.client.delete(&format!("{path}/invitations/{second}")).send().await.expect(200);
    log.expect(&guest, here, &[("invitation.revoked", &second)]).await;
    ada.client.delete(&format!("{path}/members/{own}")).send().await.expect(200);
    log.expect(&ada, here, &[("member.removed", &own)]).await;
}

#[tokio::test]
async fn what_is_done_with_keys_is_told_and_by_which_key() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let (here, path, org_id) = (Some(org.as_str()), format!("/api/orgs/{org}"), org.clone());
    let mut log = Log::from_now(&app).await;
    let new = json!({ "name": "Robot", "scopes": ["orgs:write"] });
    for (keys, org) in [(format!("{path}/api-keys"), here), ("/api/api-keys".to_owned(), None)] {
        let made = ada.client.post(&keys).json(&new).send().await.expect(201);
        let (id, key, at) = (made.text_at("/apiKey/id"), made.text_at("/key"), made.header("location").expect("a location").to_owned());
        let news = log.expect(&ada, org, &[("api_key.created", &id)]).await;
        assert_eq!((&news[0]["details"]["scopes"], &news[0]["actor_key_id"]), (&json!(["orgs:write"]), &Value::Null));
        assert!(!news[0].to_string().contains(&key[10..]));
        let client = Client::new(app.address, Some(key));
        client.patch(&path).json(&json!({ "name": format!("By {id}") })).send().await.expect(200);
        let news = log.expect(&ada, here, &[("organisation.updated", &org_id)]).await;
        assert_eq!(news[0]["actor_key_id"], json!(id));
        let rotated = ada.client.post(&format!("{at}/rotate")).json(&json!({})).send().await.expect(201).text_at("/apiKey/id");
        log.expect(&ada, org, &[("api_key.created", &rotated), ("api_key.rotated", &id)]).await;
        ada.client.delete(&at).send().await.expect(200);
        log.expect(&ada, org, &[("api_key.revoked", &id)]).await;
    }
    // Use is nobody's change.
    assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE actor_key_id IS NOT NULL").await, 2);
}

#[tokio::test]
async fn what_did_not_happen_is_not_told() {
    let app = App::start().await;
    let (ada, root) = (app.user("Ada").await, app.admin().await);
    let org = app.org(&ada, "Acme").await;
    let member = app.member(&org, "member").await;
    let mut log = Log::from_now(&app).await;
    let (path, own) = (format!("/api/orgs/{org}"), format!("/api/orgs/{org}/members/{}", ada.id));
    ada.client.patch(&own).json(&json!({ "role": "member" })).send().await.expect_error(409, "LAST_OWNER");
    ada.client.delete(&own).send().await.expect_error(409, "LAST_OWNER");
    root.client.delete(&format!("/api/users/{}", ada.id)).send().await.expect_error(409, "LAST_OWNER");
    let last = format!("/api/users/{}", root.id);
    root.client.patch(&last).json(&json!({ "role": "user", "banned": true })).send().await.expect_error(409, "LAST_ADMIN");
    root.client.delete(&last).send().await.expect_error(409, "LAST_ADMIN");
    member.client.patch(&path).json(&json!({ "name": "Mine" })).send().await.expect_error(403, "FORBIDDEN");
    member.client.delete(&own).send().await.expect_error(403, "FORBIDDEN");
    ada.client.post("/api/orgs").json(&json!({ "name": "x", "slug": "acme" })).send().await.expect_error(409, "SLUG_TAKEN");
    let invited = json!({ "email": member.email, "role": "member" });
    ada.client.post(&format!("{path}/invitations")).json(&invited).send().await.expect_error(409, "ALREADY_MEMBER");
    assert_eq!(log.news().await, Vec::<Value>::new());
}

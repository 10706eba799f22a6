//! Handing an organisation over.

use serde_json::json;
use tests::{Answer, App, Caller};

use super::NOTHING;

async fn transfer(org: &str, from: &Caller, to: &str) -> Answer {
    from.client.post(&format!("/api/orgs/{org}/transfer")).json(&json!({ "userId": to })).send().await
}

async fn owners(app: &App, org: &str) -> i64 {
    app.count(&format!("SELECT count(*) FROM memberships WHERE org_id = '{org}' AND role = 'owner'")).await
}

#[tokio::test]
async fn the_other_becomes_owner_and_the_caller_administrator() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let grace = app.member(&org, "member").await;
    transfer(&org, &ada, &grace.id.to_string()).await.expect(200);
    let path = format!("/api/orgs/{org}");
    assert_eq!(grace.client.get(&path).send().await.expect(200).at("/role"), "owner");
    assert_eq!(ada.client.get(&path).send().await.expect(200).at("/role"), "admin");
    ada.client.delete(&path).send().await.expect_error(403, "FORBIDDEN");
    transfer(&org, &ada, &ada.id.to_string()).await.expect_error(403, "FORBIDDEN");
    grace.client.delete(&path).send().await.expect(200);
}

#[tokio::test]
async fn to_who_is_no_member_nothing_is_handed_over() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    let org = app.org(&ada, "Acme").await;
    for to in [eve.id.to_string(), NOTHING.to_owned()] {
        transfer(&org, &ada, &to).await.expect_error(404, "NOT_FOUND");
    }
    transfer(&org, &ada, "nonsense").await.expect_refused(&["userId"]);
    assert_eq!(ada.client.get(&format!("/api/orgs/{org}")).send().await.expect(200).at("/role"), "owner");
}

#[tokio::test]
async fn to_oneself_nothing_changes() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let before = app.count("SELECT count(*) FROM audit_events").await;
    transfer(&org, &ada, &ada.id.to_string()).await.expect(200);
    assert_eq!(ada.client.get(&format!("/api/orgs/{org}")).send().await.expect(200).at("/role"), "owner");
    assert_eq!(app.count("SELECT count(*) FROM audit_events").await, before);
}

#[tokio::test]
async fn of_many_transfers_at_once_one_is_made() {
    let app = App::with(&[("DATABASE_POOL_WAIT_MS", "30000")]).await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let mut others = Vec::new();
    for _ in 0..10 {
        others.push(app.member(&org, "member").await);
    }
    let tries = others.iter().map(|other| {
        let (id, org, ada) = (other.id.to_string(), &org, &ada);
        async move { transfer(org, ada, &id).await.status }
    });
    let statuses = futures::future::join_all(tries).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 403)), "{statuses:?}");
    assert_eq!(owners(&app, &org).await, 1);
}

#[tokio::test]
async fn an_open_invitation_lets_in_nobody_above_who_sent_it() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let (grace, friend) = (app.member(&org, "member").await, app.user("Friend").await);
    let invite = json!({ "email": friend.email, "role": "owner" });
    ada.client.post(&format!("/api/orgs/{org}/invitations")).json(&invite).send().await.expect(201);
    let token = app.mailed_token(&friend.email).await;
    transfer(&org, &ada, &grace.id.to_string()).await.expect(200);
    friend.client.post(&format!("/api/invitations/{token}/accept")).send().await.expect_error(404, "NOT_FOUND");
    assert_eq!(owners(&app, &org).await, 1);
}

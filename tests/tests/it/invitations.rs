//! `/api/orgs/{orgId}/invitations` and `/api/invitations/{token}`.

mod accepting;
mod delivery;

use serde_json::{Value, json};
use tests::{Answer, App, Caller};

use crate::orgs::NOTHING;

/// Invites an address.
async fn invite(org: &str, by: &Caller, email: &str, role: &str) -> Answer {
    by.client.post(&format!("/api/orgs/{org}/invitations")).json(&json!({ "email": email, "role": role })).send().await
}

/// The open invitations.
async fn open(org: &str, by: &Caller) -> Vec<Value> {
    let list = by.client.get(&format!("/api/orgs/{org}/invitations")).send().await.expect(200).json();
    list.as_array().cloned().unwrap_or_default()
}

async fn accept(token: &str, by: &Caller) -> Answer {
    by.client.post(&format!("/api/invitations/{token}/accept")).send().await
}

#[tokio::test]
async fn an_invitation_is_made_listed_and_revoked() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let admin = app.member(&org, "admin").await;
    let made = invite(&org, &admin, "Guest@Example.com", "member").await.expect(201);
    assert_eq!((made.at("/email"), made.at("/role")), (json!("Guest@Example.com"), json!("member")));
    assert_eq!((made.at("/delivery"), made.at("/invitedBy")), (json!("pending"), json!(admin.id)));
    let path = made.header("location").expect("a location").to_owned();
    let token = app.mailed_token("Guest@example.com").await;
    app.until_count(1, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL").await;
    let listed = open(&org, &ada).await;
    assert_eq!((listed.len(), &listed[0]["id"], &listed[0]["delivery"]), (1, &made.at("/id"), &json!("sent")));
    let shown = app.anon().get(&format!("/api/invitations/{token}")).send().await.expect(200);
    assert_eq!(
        (shown.at("/organisation"), shown.at("/email"), shown.at("/role")),
        (json!("Acme"), json!("Guest@Example.com"), json!("member"))
    );

    let (other, elsewhere) = (app.user("Eve").await, format!("/api/orgs/{{}}/invitations/{}", made.text_at("/id")));
    let theirs = app.org(&other, "Theirs").await;
    other.client.delete(&elsewhere.replace("{}", &theirs)).send().await.expect_error(404, "NOT_FOUND");
    other.client.post(&format!("{}/resend", elsewhere.replace("{}", &theirs))).send().await.expect_error(404, "NOT_FOUND");
    admin.client.delete(&path).send().await.expect(200);
    admin.client.delete(&path).send().await.expect_error(404, "NOT_FOUND");
    admin.client.post(&format!("{path}/resend")).send().await.expect_error(404, "NOT_FOUND");
    app.anon().get(&format!("/api/invitations/{token}")).send().await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn what_is_no_invitation_is_refused_by_field() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let post = async |body: Value| ada.client.post(&format!("/api/orgs/{org}/invitations")).json(&body).send().await;
    post(json!({})).await.expect_refused(&["email", "role"]);
    post(json!({ "email": "no", "role": "root", "token": "x" })).await.expect_refused(&["email", "role", "token"]);
    let long = format!("{}@example.com", "x".repeat(250));
    for email in ["a@example.com\r\nBcc: b@example.com", "a b@example.com", "a@b", "@example.com", "a@example.com,b@example.com", &long] {
        post(json!({ "email": email, "role": "member" })).await.expect_refused(&["email"]);
    }
    assert_eq!(app.count("SELECT count(*) FROM invitations").await, 0);
}

#[tokio::test]
async fn only_administrators_invite_and_nobody_above_themselves() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let (admin, member) = (app.member(&org, "admin").await, app.member(&org, "member").await);
    invite(&org, &member, "a@example.com", "member").await.expect_error(403, "FORBIDDEN");
    member.client.get(&format!("/api/orgs/{org}/invitations")).send().await.expect_error(403, "FORBIDDEN");
    invite(&org, &admin, "a@example.com", "owner").await.expect_error(403, "FORBIDDEN");
    invite(&org, &admin, "b@example.com", "admin").await.expect(201);
    let made = invite(&org, &ada, "a@example.com", "owner").await.expect(201);
    // Nor does an administrator bring such an invitation back to life.
    app.sql("UPDATE invitations SET expires_at = now() - interval '1 day' WHERE role = 'owner'").await;
    let resend = format!("{}/resend", made.header("location").expect("a location"));
    admin.client.post(&resend).send().await.expect_error(403, "FORBIDDEN");
    ada.client.post(&resend).send().await.expect(200);
}

#[tokio::test]
async fn an_address_is_invited_once_however_it_is_written() {
    let app = App::start().await;
    let (ada, grace) = (app.user("Ada").await, app.user("Grace").await);
    let (org, other) = (app.org(&ada, "Acme").await, app.org(&ada, "Other").await);
    invite(&org, &ada, &grace.email, "member").await.expect(201);
    let refused = invite(&org, &ada, &grace.email.to_uppercase(), "admin").await.expect_error(409, "ALREADY_INVITED");
    assert_eq!(refused.at("/details/fieldErrors/email/0"), "Already invited");
    invite(&other, &ada, &grace.email, "member").await.expect(201);
    let tries = (0..20).map(|_| invite(&org, &ada, "race@example.com", "member"));
    let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
    // An expired one stands in nobody's way.
    app.sql("UPDATE invitations SET expires_at = now() - interval '1 second'").await;
    assert!(open(&org, &ada).await.is_empty());
    invite(&org, &ada, &grace.email, "admin").await.expect(201);
}

#[tokio::test]
async fn members_are_not_invited_again() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let member = app.member(&org, "member").await;
    for email in [member.email.clone(), member.email.to_uppercase(), ada.email.clone()] {
        invite(&org, &ada, &email, "admin").await.expect_error(409, "ALREADY_MEMBER");
    }
    assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE action LIKE 'invitation.%'").await, 0);
}

#[tokio::test]
async fn open_invitations_come_by_page_and_by_cursor() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    for number in 0..5 {
        invite(&org, &ada, &format!("guest{number}@example.com"), "member").await.expect(201);
    }
    let path = format!("/api/orgs/{org}/invitations");
    let page = ada.client.get(&format!("{path}?limit=2&page=2")).send().await.expect(200);
    assert_eq!((page.header("x-total-count"), page.at("/0/email")), (Some("5"), json!("guest2@example.com")));
    let first = ada.client.get(&format!("{path}?limit=2&cursor=")).send().await.expect(200);
    let next = first.header("link").expect("a next page").trim_start_matches('<').split('>').next().expect("a link").to_owned();
    assert_eq!(ada.client.get(&next).send().await.expect(200).at("/0/email"), "guest2@example.com");
    ada.client.delete(&format!("{path}/{NOTHING}")).send().await.expect_error(404, "NOT_FOUND");
}

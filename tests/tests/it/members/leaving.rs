//! What goes with somebody who leaves.

use serde_json::json;
use tests::{App, Caller};

use super::{remove, set};

async fn invite(org: &str, by: &Caller, email: &str) {
    let body = json!({ "email": email, "role": "member" });
    by.client.post(&format!("/api/orgs/{org}/invitations")).json(&body).send().await.expect(201);
}

async fn open(org: &str, by: &Caller) -> usize {
    let list = by.client.get(&format!("/api/orgs/{org}/invitations")).send().await.expect(200).json();
    list.as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn the_open_invitations_of_who_is_removed_or_demoted_end() {
    let app = App::start().await;
    let owner = app.user("Ada").await;
    let org = app.org(&owner, "Acme").await;
    let (removed, demoted) = (app.member(&org, "admin").await, app.member(&org, "admin").await);
    for (by, name) in [(&owner, "owner"), (&removed, "removed"), (&demoted, "demoted")] {
        invite(&org, by, &format!("{name}@example.com")).await;
    }
    let guest = app.user("Guest").await;
    invite(&org, &removed, &guest.email).await;
    let token = app.mailed_token(&guest.email).await;
    guest.client.post(&format!("/api/invitations/{token}/accept")).send().await.expect(200);
    let late = app.mailed_token("removed@example.com").await;
    remove(&org, &owner, &removed).await.expect(200);
    app.anon().get(&format!("/api/invitations/{late}")).send().await.expect_error(404, "NOT_FOUND");
    assert_eq!(open(&org, &owner).await, 2);
    set(&org, &owner, &demoted, "member").await.expect(200);
    assert_eq!(open(&org, &owner).await, 1);
    guest.client.get(&format!("/api/orgs/{org}")).send().await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE action = 'invitation.revoked'").await, 2);
}

#[tokio::test]
async fn the_open_invitations_of_a_deleted_account_end() {
    let app = App::start().await;
    let (owner, root) = (app.user("Ada").await, app.admin().await);
    let org = app.org(&owner, "Acme").await;
    let gone = app.member(&org, "admin").await;
    invite(&org, &gone, "guest@example.com").await;
    let token = app.mailed_token("guest@example.com").await;
    root.client.delete(&format!("/api/users/{}", gone.id)).send().await.expect(200);
    app.anon().get(&format!("/api/invitations/{token}")).send().await.expect_error(404, "NOT_FOUND");
    assert_eq!(open(&org, &owner).await, 0);
}

#[tokio::test]
async fn who_steps_down_leaves_open_what_they_could_still_give() {
    let app = App::start().await;
    let owner = app.user("Ada").await;
    let org = app.org(&owner, "Acme").await;
    let second = app.member(&org, "owner").await;
    for role in ["owner", "admin", "member"] {
        let body = json!({ "email": format!("{role}@example.com"), "role": role });
        second.client.post(&format!("/api/orgs/{org}/invitations")).json(&body).send().await.expect(201);
    }
    set(&org, &owner, &second, "admin").await.expect(200);
    assert_eq!(open(&org, &owner).await, 2);
    set(&org, &owner, &second, "member").await.expect(200);
    assert_eq!(open(&org, &owner).await, 0);
}

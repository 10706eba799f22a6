//! Deleting, restoring and purging.

use serde_json::json;
use tests::{App, Caller, Client};

use super::{NOTHING, ask, requests};

/// An organisation with something of everything in it.
struct Full {
    org: String,
    owner: Caller,
    admin: Caller,
    member: Caller,
    key: Client,
    invited: Caller,
    token: String,
    project: String,
}

impl Full {
    async fn of(app: &App) -> Self {
        let owner = app.user("Ada").await;
        let org = app.org(&owner, "Acme").await;
        let (admin, member) = (app.member(&org, "admin").await, app.member(&org, "member").await);
        let invited = app.user("Invited").await;
        let post = async |path: &str, body| owner.client.post(&format!("/api/orgs/{org}/{path}")).json(&body).send().await.expect(201);
        let key = post("api-keys", json!({ "name": "Robot", "scopes": ["orgs:read", "projects:read"] })).await.text_at("/key");
        post("invitations", json!({ "email": invited.email, "role": "member" })).await;
        let project = post("projects", json!({ "name": "Rocket" })).await.text_at("/id");
        let token = app.mailed_token(&invited.email).await;
        Self { key: Client::new(app.address, Some(key)), org, owner, admin, member, invited, token, project }
    }

    fn path(&self) -> String {
        format!("/api/orgs/{}", self.org)
    }

    async fn restore(&self, caller: &Caller) -> tests::Answer {
        caller.client.post(&format!("{}/restore", self.path())).send().await
    }
}

#[tokio::test]
async fn a_deleted_organisation_is_gone_at_once_with_everything_in_it() {
    let app = App::start().await;
    let full = Full::of(&app).await;
    for client in [&full.owner.client, &full.admin.client, &full.member.client, &full.key] {
        client.get(&full.path()).send().await.expect(200);
    }
    full.owner.client.delete(&full.path()).send().await.expect(200);
    for caller in [&full.owner, &full.admin, &full.member] {
        for request in requests(&full.org).iter().filter(|(_, path, _)| !path.ends_with(&format!("{}/restore", full.org))) {
            ask(&caller.client, request).await.expect_error(404, "NOT_FOUND");
        }
        caller.client.get(&format!("{}/projects/{}", full.path(), full.project)).send().await.expect_error(404, "NOT_FOUND");
        assert_eq!(caller.client.get("/api/orgs").send().await.expect(200).text, "[]");
    }
    full.key.get(&full.path()).send().await.expect_error(401, "UNAUTHORIZED");
    full.key.get("/api/users").send().await.expect_error(401, "UNAUTHORIZED");
    app.anon().get(&format!("/api/invitations/{}", full.token)).send().await.expect_error(404, "NOT_FOUND");
    full.invited.client.post(&format!("/api/invitations/{}/accept", full.token)).send().await.expect_error(404, "NOT_FOUND");
    let again = json!({ "name": "Other", "slug": "acme" });
    full.owner.client.post("/api/orgs").json(&again).send().await.expect_error(409, "SLUG_TAKEN");
}

#[tokio::test]
async fn its_owner_restores_it_with_everything_in_it() {
    let app = App::start().await;
    let full = Full::of(&app).await;
    let before = full.owner.client.get(&full.path()).send().await.expect(200).json();
    full.restore(&full.owner).await.expect_error(404, "NOT_FOUND");
    full.owner.client.delete(&full.path()).send().await.expect(200);
    let listed = full.owner.client.get("/api/orgs?deleted=true").send().await.expect(200);
    assert_eq!((listed.at("/0/id"), listed.at("/0/deletedAt").is_string()), (json!(full.org), true));
    let outsider = app.user("Eve").await;
    for other in [&full.admin, &full.member, &outsider, &app.admin().await] {
        assert_eq!(other.client.get("/api/orgs?deleted=true").send().await.expect(200).text, "[]");
        let request = |org: &str| other.client.post(&format!("/api/orgs/{org}/restore")).header("x-request-id", "same").send();
        let (real, none) = (request(&full.org).await.expect_error(404, "NOT_FOUND"), request(NOTHING).await);
        assert_eq!(real.text, none.text);
    }
    full.key.post(&format!("{}/restore", full.path())).send().await.expect_error(401, "UNAUTHORIZED");
    let restored = full.restore(&full.owner).await.expect(200).json();
    assert_eq!((&restored["slug"], &restored["role"], restored.get("deletedAt")), (&before["slug"], &json!("owner"), None));
    for client in [&full.owner.client, &full.admin.client, &full.member.client, &full.key] {
        client.get(&format!("{}/projects/{}", full.path(), full.project)).send().await.expect(200);
    }
    full.invited.client.post(&format!("/api/invitations/{}/accept", full.token)).send().await.expect(200);
    assert_eq!(full.owner.client.get("/api/orgs?deleted=true").send().await.expect(200).text, "[]");
    full.restore(&full.owner).await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn of_many_who_delete_and_restore_at_once_each_change_is_told_once() {
    let app = App::with(&[("DATABASE_POOL_WAIT_MS", "30000")]).await;
    let owner = app.user("Ada").await;
    let org = app.org(&owner, "Acme").await;
    let path = format!("/api/orgs/{org}");
    let tries = (0..20).map(|_| owner.client.delete(&path).send());
    let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 404)), "{statuses:?}");
    let restore = format!("{path}/restore");
    let tries = (0..20).map(|_| owner.client.post(&restore).send());
    let statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    for action in ["organisation.deleted", "organisation.restored"] {
        assert_eq!(app.count(&format!("SELECT count(*) FROM audit_events WHERE action = '{action}'")).await, 1);
    }
}

#[tokio::test]
async fn after_thirty_days_it_is_purged_and_younger_ones_stay() {
    let app = App::start().await;
    let full = Full::of(&app).await;
    let young = app.org(&full.owner, "Young").await;
    for path in [full.path(), format!("/api/orgs/{young}")] {
        full.owner.client.delete(&path).send().await.expect(200);
    }
    let age = |org: &str, age: &str| format!("UPDATE organisations SET deleted_at = now() - interval '{age}' WHERE id = '{org}'");
    app.sql(&age(&full.org, "30 days 1 minute")).await;
    app.sql(&age(&young, "29 days 23 hours 59 minutes")).await;
    full.restore(&full.owner).await.expect_error(404, "NOT_FOUND");
    let restorable = full.owner.client.get("/api/orgs?deleted=true").send().await.expect(200).json();
    assert_eq!(restorable.as_array().map(Vec::len), Some(1), "{restorable}");
    // Servers sweep when they start.
    let _sweeper = App::beside(&app, &[]).await;
    app.until_count(1, "SELECT count(*) FROM organisations").await;
    for table in ["memberships", "projects", "invitations", "api_keys"] {
        assert_eq!(app.count(&format!("SELECT count(*) FROM {table} WHERE org_id = '{}'", full.org)).await, 0, "{table}");
    }
    assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE action = 'organisation.purged' AND actor_id IS NULL").await, 1);
    full.owner.client.post(&format!("/api/orgs/{young}/restore")).send().await.expect(200);
    full.owner.client.post("/api/orgs").json(&json!({ "name": "New", "slug": "acme" })).send().await.expect(201);
}

#[tokio::test]
async fn no_mail_goes_out_for_a_deleted_organisation_until_it_is_restored() {
    let app = App::start().await;
    let owner = app.user("Ada").await;
    let org = app.org(&owner, "Acme").await;
    let other = app.org(&owner, "Other").await;
    owner.client.delete(&format!("/api/orgs/{org}")).send().await.expect(200);
    app.sql(&format!(
        "INSERT INTO invitations (id, org_id, email, role, expires_at, mail_due_at) \
         VALUES (gen_random_uuid(), '{org}', 'late@example.com', 'member', now() + interval '1 day', now() - interval '1 hour')"
    ))
    .await;
    let invite = json!({ "email": "new@example.com", "role": "member" });
    owner.client.post(&format!("/api/orgs/{other}/invitations")).json(&invite).send().await.expect(201);
    app.mailed_token("new@example.com").await;
    assert_eq!(app.count("SELECT count(*) FROM invitations WHERE email = 'late@example.com' AND mail_attempts = 0").await, 1);
    owner.client.post(&format!("/api/orgs/{org}/restore")).send().await.expect(200);
    owner
        .client
        .post(&format!("/api/orgs/{other}/invitations"))
        .json(&json!({ "email": "wake@example.com", "role": "member" }))
        .send()
        .await
        .expect(201);
    app.mailed_token("late@example.com").await;
}

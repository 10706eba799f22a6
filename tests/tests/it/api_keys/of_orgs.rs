//! Keys of organisations.

use serde_json::json;
use tests::{App, Caller, Client};

use super::{make, names, with};
use crate::orgs::NOTHING;

const ALL: [&str; 5] = ["orgs:read", "orgs:write", "projects:read", "projects:write", "audit:read"];

async fn of(app: &App, org: &str, by: &Caller) -> (Client, String) {
    let made = make(by, &format!("/api/orgs/{org}/api-keys"), &ALL).await.expect(201);
    assert_eq!((made.at("/apiKey/orgId"), made.at("/apiKey/userId")), (json!(org), json!(by.id)));
    (with(app, &made), made.header("location").expect("a location").to_owned())
}

#[tokio::test]
async fn it_reaches_its_organisation_and_nothing_else() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let (org, other) = (app.org(&ada, "Acme").await, app.org(&ada, "Other").await);
    let (key, _) = of(&app, &org, &ada).await;
    for path in ["", "/members", "/invitations", "/projects", "/audit"] {
        key.get(&format!("/api/orgs/{org}{path}")).send().await.expect(200);
        for elsewhere in [other.as_str(), NOTHING] {
            let answer = key.get(&format!("/api/orgs/{elsewhere}{path}")).send().await.expect_error(404, "NOT_FOUND");
            assert_eq!(answer.at("/error"), "Organisation not found");
        }
    }
    key.post(&format!("/api/orgs/{org}/projects")).json(&json!({ "name": "Rocket" })).send().await.expect(201);
    for path in ["/api/orgs", "/api/profile", "/api/admin/audit", "/api/api-keys", "/api/auth/sessions"] {
        key.get(path).send().await.expect_error(403, "FORBIDDEN");
    }
    key.post("/api/posts").json(&json!({ "title": "t", "content": "c" })).send().await.expect_error(403, "FORBIDDEN");
    key.post("/api/orgs").json(&json!({ "name": "Mine" })).send().await.expect_error(403, "FORBIDDEN");
    key.get("/api/posts").send().await.expect(200);
}

#[tokio::test]
async fn it_has_no_scopes_that_reach_further() {
    let app = App::start().await;
    let root = app.admin().await;
    let org = app.org(&root, "Acme").await;
    let path = format!("/api/orgs/{org}/api-keys");
    for scope in ["profile:read", "profile:write", "posts:read", "posts:write", "admin"] {
        make(&root, &path, &["orgs:read", scope]).await.expect_refused(&["scopes"]);
    }
    assert_eq!(app.count("SELECT count(*) FROM api_keys").await, 0);
}

#[tokio::test]
async fn administrators_make_see_and_revoke_all_of_them_and_members_none() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let (org, other) = (app.org(&ada, "Acme").await, app.org(&ada, "Other").await);
    let (admin, member) = (app.member(&org, "admin").await, app.member(&org, "member").await);
    let (key, path) = of(&app, &org, &ada).await;
    let list = format!("/api/orgs/{org}/api-keys");
    make(&member, &list, &["orgs:read"]).await.expect_error(403, "FORBIDDEN");
    member.client.get(&list).send().await.expect_error(403, "FORBIDDEN");
    member.client.delete(&path).send().await.expect_error(403, "FORBIDDEN");
    assert_eq!(names(&admin.client.get(&list).send().await.expect(200)), ["Robot"]);
    // It is neither a personal one nor another organisation's.
    assert_eq!(ada.client.get("/api/api-keys").send().await.expect(200).text, "[]");
    let id = path.rsplit('/').next().expect("an id");
    for elsewhere in [format!("/api/api-keys/{id}"), format!("/api/orgs/{other}/api-keys/{id}")] {
        ada.client.delete(&elsewhere).send().await.expect_error(404, "NOT_FOUND");
        ada.client.post(&format!("{elsewhere}/rotate")).json(&json!({})).send().await.expect_error(404, "NOT_FOUND");
    }
    key.get(&format!("/api/orgs/{org}")).send().await.expect(200);
    admin.client.delete(&path).send().await.expect(200);
    key.get(&format!("/api/orgs/{org}")).send().await.expect_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn it_is_limited_to_its_makers_role_and_ends_with_their_membership() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let admin = app.member(&org, "admin").await;
    let (key, _) = of(&app, &org, &admin).await;
    let (projects, whole) = (format!("/api/orgs/{org}/projects"), format!("/api/orgs/{org}"));
    key.post(&projects).json(&json!({ "name": "One" })).send().await.expect(201);
    let member = format!("/api/orgs/{org}/members/{}", admin.id);
    ada.client.patch(&member).json(&json!({ "role": "member" })).send().await.expect(200);
    key.post(&projects).json(&json!({ "name": "Two" })).send().await.expect_error(403, "FORBIDDEN");
    key.get(&format!("{whole}/audit")).send().await.expect_error(403, "FORBIDDEN");
    key.get(&projects).send().await.expect(200);
    ada.client.delete(&member).send().await.expect(200);
    key.get(&projects).send().await.expect_error(401, "UNAUTHORIZED");
    // Coming back does not bring the key back.
    app.join(&org, &admin, "admin").await;
    key.get(&projects).send().await.expect_error(401, "UNAUTHORIZED");
    assert_eq!(app.count("SELECT count(*) FROM api_keys").await, 0);
}

#[tokio::test]
async fn its_successor_acts_for_who_rotated_it() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let admin = app.member(&org, "admin").await;
    let (key, path) = of(&app, &org, &ada).await;
    let rotated = admin.client.post(&format!("{path}/rotate")).json(&json!({})).send().await.expect(201);
    assert_eq!((rotated.at("/apiKey/userId"), rotated.at("/apiKey/orgId")), (json!(admin.id), json!(org)));
    let successor = with(&app, &rotated);
    let whole = format!("/api/orgs/{org}");
    assert_eq!(key.get(&whole).send().await.expect(200).at("/role"), "owner");
    assert_eq!(successor.get(&whole).send().await.expect(200).at("/role"), "admin");
    ada.client.delete(&format!("{whole}/members/{}", admin.id)).send().await.expect(200);
    successor.get(&whole).send().await.expect_error(401, "UNAUTHORIZED");
    key.get(&whole).send().await.expect(200);
}

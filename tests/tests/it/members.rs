//! `/api/orgs/{orgId}/members`.

mod leaving;
mod owners;

use serde_json::json;
use tests::{Answer, App, Caller};

use crate::orgs::NOTHING;

/// Gives somebody another role.
async fn set(org: &str, by: &Caller, whom: &Caller, role: &str) -> Answer {
    by.client.patch(&format!("/api/orgs/{org}/members/{}", whom.id)).json(&json!({ "role": role })).send().await
}

/// Removes somebody.
async fn remove(org: &str, by: &Caller, whom: &Caller) -> Answer {
    by.client.delete(&format!("/api/orgs/{org}/members/{}", whom.id)).send().await
}

/// An organisation and one of each role.
struct Team {
    org: String,
    owner: Caller,
    admin: Caller,
    member: Caller,
}

impl Team {
    async fn of(app: &App) -> Self {
        let owner = app.user("Ada").await;
        let org = app.org(&owner, "Acme").await;
        Self { admin: app.member(&org, "admin").await, member: app.member(&org, "member").await, org, owner }
    }
}

#[tokio::test]
async fn members_see_each_other_by_page_and_by_cursor() {
    let app = App::start().await;
    let team = Team::of(&app).await;
    let path = format!("/api/orgs/{}/members", team.org);
    let all = team.member.client.get(&path).send().await.expect(200);
    assert_eq!(all.header("x-total-count"), Some("3"));
    let roles: Vec<_> = all.json().as_array().into_iter().flatten().map(|member| member["role"].clone()).collect();
    assert_eq!(roles, ["owner", "admin", "member"]);
    assert_eq!(all.at("/1/email"), team.admin.email);
    let second = team.member.client.get(&format!("{path}?limit=2&page=2")).send().await.expect(200);
    assert_eq!(second.json(), json!([all.at("/2")]));
    let first = team.member.client.get(&format!("{path}?limit=2&cursor=")).send().await.expect(200);
    let link = first.header("link").expect("a next page").trim_start_matches('<').split('>').next().expect("a link").to_owned();
    assert_eq!(team.member.client.get(&link).send().await.expect(200).json(), second.json());
}

#[tokio::test]
async fn roles_that_do_not_exist_are_refused() {
    let app = App::start().await;
    let team = Team::of(&app).await;
    let path = format!("/api/orgs/{}/members/{}", team.org, team.member.id);
    for role in [json!("root"), json!("Admin"), json!(""), json!(null), json!(1), json!(["admin"])] {
        team.owner.client.patch(&path).json(&json!({ "role": role })).send().await.expect_refused(&["role"]);
    }
    team.owner.client.patch(&path).json(&json!({})).send().await.expect_refused(&["role"]);
    team.owner.client.patch(&path).json(&json!({ "role": "admin", "userId": NOTHING })).send().await.expect_refused(&["userId"]);
    let odd = format!("/api/orgs/{}/members/nonsense", team.org);
    team.owner.client.patch(&odd).json(&json!({ "role": "admin" })).send().await.expect_refused(&["userId"]);
    team.owner.client.delete(&odd).send().await.expect_refused(&["userId"]);
}

#[tokio::test]
async fn nobody_rises_by_their_own_hand() {
    let app = App::start().await;
    let Team { org, owner, admin, member } = Team::of(&app).await;
    for role in ["member", "admin", "owner"] {
        set(&org, &member, &member, role).await.expect_error(403, "FORBIDDEN");
    }
    set(&org, &admin, &admin, "owner").await.expect_error(403, "FORBIDDEN");
    assert_eq!(set(&org, &admin, &admin, "admin").await.expect(200).at("/role"), "admin");
    assert_eq!(set(&org, &owner, &owner, "owner").await.expect(200).at("/role"), "owner");
    set(&org, &admin, &admin, "member").await.expect(200);
    set(&org, &admin, &admin, "admin").await.expect_error(403, "FORBIDDEN");
}

#[tokio::test]
async fn administrators_neither_touch_nor_make_owners() {
    let app = App::start().await;
    let Team { org, owner, admin, member } = Team::of(&app).await;
    let second = app.member(&org, "owner").await;
    for role in ["member", "admin", "owner"] {
        set(&org, &admin, &second, role).await.expect_error(403, "FORBIDDEN");
    }
    remove(&org, &admin, &second).await.expect_error(403, "FORBIDDEN");
    set(&org, &admin, &member, "owner").await.expect_error(403, "FORBIDDEN");
    set(&org, &admin, &member, "admin").await.expect(200);
    set(&org, &admin, &member, "member").await.expect(200);
    remove(&org, &admin, &member).await.expect(200);
    set(&org, &owner, &second, "admin").await.expect(200);
    set(&org, &owner, &second, "owner").await.expect(200);
}

#[tokio::test]
async fn members_change_nobody_but_may_leave() {
    let app = App::start().await;
    let Team { org, owner, admin, member } = Team::of(&app).await;
    let other = app.member(&org, "member").await;
    for whom in [&owner, &admin, &other] {
        set(&org, &member, whom, "member").await.expect_error(403, "FORBIDDEN");
        remove(&org, &member, whom).await.expect_error(403, "FORBIDDEN");
    }
    assert_eq!(remove(&org, &member, &member).await.expect(200).json(), json!({ "success": true }));
    member.client.get(&format!("/api/orgs/{org}")).send().await.expect_error(404, "NOT_FOUND");
    remove(&org, &member, &member).await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn who_does_not_belong_to_it_cannot_be_changed() {
    let app = App::start().await;
    let Team { org, owner, .. } = Team::of(&app).await;
    let outsider = app.user("Eve").await;
    set(&org, &owner, &outsider, "member").await.expect_error(404, "NOT_FOUND");
    remove(&org, &owner, &outsider).await.expect_error(404, "NOT_FOUND");
    let theirs = app.org(&outsider, "Theirs").await;
    set(&theirs, &owner, &outsider, "member").await.expect_error(404, "NOT_FOUND");
    remove(&theirs, &owner, &outsider).await.expect_error(404, "NOT_FOUND");
    assert_eq!(app.count("SELECT count(*) FROM memberships").await, 4);
}

#[tokio::test]
async fn a_lost_role_counts_from_the_next_request() {
    let app = App::start().await;
    let Team { org, owner, admin, member } = Team::of(&app).await;
    let rename = async |name: &str| admin.client.patch(&format!("/api/orgs/{org}")).json(&json!({ "name": name })).send().await;
    for round in 0..10 {
        rename(&round.to_string()).await.expect(200);
        set(&org, &owner, &admin, "member").await.expect(200);
        rename("late").await.expect_error(403, "FORBIDDEN");
        set(&org, &owner, &admin, "admin").await.expect(200);
        member.client.get(&format!("/api/orgs/{org}/projects")).send().await.expect(200);
        remove(&org, &owner, &member).await.expect(200);
        for path in ["", "/projects", "/members"] {
            member.client.get(&format!("/api/orgs/{org}{path}")).send().await.expect_error(404, "NOT_FOUND");
        }
        app.join(&org, &member, "member").await;
    }
}

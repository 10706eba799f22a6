//! `/api/orgs/{orgId}/projects`.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Caller};

async fn make(org: &str, by: &Caller, body: Value) -> tests::Answer {
    by.client.post(&format!("/api/orgs/{org}/projects")).json(&body).send().await
}

#[tokio::test]
async fn a_project_is_made_shown_changed_deleted_and_restored() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let made = make(&org, &ada, json!({ "name": "Moon Rocket", "description": "Up.\nAnd down." })).await.expect(201);
    assert_eq!((made.at("/slug"), made.at("/orgId")), (json!("moon-rocket"), json!(org)));
    let path = made.header("location").expect("a location").to_owned();
    assert_eq!(ada.client.get(&path).send().await.expect(200).json(), made.json());
    let change = json!({ "name": "Mars Rocket", "description": "" });
    let changed = ada.client.patch(&path).json(&change).send().await.expect(200);
    assert_eq!(
        (changed.at("/name"), changed.at("/description"), changed.at("/slug")),
        (json!("Mars Rocket"), json!(""), json!("moon-rocket"))
    );
    assert_eq!(ada.client.patch(&path).json(&json!({})).send().await.expect(200).json(), changed.json());

    assert_eq!(ada.client.delete(&path).send().await.expect(200).json(), json!({ "success": true }));
    ada.client.delete(&path).send().await.expect_error(404, "NOT_FOUND");
    ada.client.get(&path).send().await.expect_error(404, "NOT_FOUND");
    ada.client.patch(&path).json(&change).send().await.expect_error(404, "NOT_FOUND");
    ada.client.patch(&path).json(&json!({})).send().await.expect_error(404, "NOT_FOUND");
    let list = format!("/api/orgs/{org}/projects");
    assert_eq!(ada.client.get(&list).send().await.expect(200).text, "[]");
    assert_eq!(ada.client.get(&format!("{list}?deleted=true")).send().await.expect(200).at("/0/id"), made.at("/id"));
    make(&org, &ada, json!({ "name": "x", "slug": "moon-rocket" })).await.expect_error(409, "SLUG_TAKEN");
    assert_eq!(ada.client.post(&format!("{path}/restore")).send().await.expect(200).at("/name"), "Mars Rocket");
    ada.client.get(&path).send().await.expect(200);
    ada.client.post(&format!("{path}/restore")).send().await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn slugs_are_unique_within_an_organisation_only() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let (one, two) = (app.org(&ada, "One").await, app.org(&ada, "Two").await);
    let first = make(&one, &ada, json!({ "name": "Rocket", "slug": "rocket" })).await.expect(201);
    make(&two, &ada, json!({ "name": "Rocket", "slug": "rocket" })).await.expect(201);
    let refused = make(&one, &ada, json!({ "name": "Other", "slug": "rocket" })).await.expect_error(409, "SLUG_TAKEN");
    assert_eq!(refused.at("/details/fieldErrors/slug/0"), "Already taken");
    let derived = make(&one, &ada, json!({ "name": "Rocket" })).await.expect(201);
    assert_ne!(derived.at("/slug"), first.at("/slug"));
    let path = derived.header("location").expect("a location").to_owned();
    ada.client.patch(&path).json(&json!({ "slug": "rocket" })).send().await.expect_error(409, "SLUG_TAKEN");
}

#[tokio::test]
async fn what_is_no_project_is_refused_by_field() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    make(&org, &ada, json!({})).await.expect_refused(&["name"]);
    make(&org, &ada, json!({ "name": "x", "orgId": org })).await.expect_refused(&["orgId"]);
    make(&org, &ada, json!({ "name": "\t", "slug": "X", "description": "x".repeat(2001) })).await.expect_refused(&[
        "description",
        "name",
        "slug",
    ]);
    make(&org, &ada, json!({ "name": "x", "description": "\u{0}" })).await.expect_refused(&["description"]);
    for odd in ["nonsense", "1", "%00"] {
        ada.client.get(&format!("/api/orgs/{org}/projects/{odd}")).send().await.expect_refused(&["projectId"]);
    }
}

#[tokio::test]
async fn another_organisations_project_is_not_under_ones_own() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    let (own, other) = (app.org(&eve, "Own").await, app.org(&ada, "Other").await);
    // Not even for somebody who belongs to both.
    app.join(&other, &eve, "owner").await;
    let id = make(&other, &ada, json!({ "name": "Secret" })).await.expect(201).text_at("/id");
    let path = format!("/api/orgs/{own}/projects/{id}");
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let request = eve.client.request(method.clone(), &path);
        let request = if method == Method::PATCH { request.json(&json!({ "name": "Mine" })) } else { request };
        request.send().await.expect_error(404, "NOT_FOUND");
    }
    ada.client.delete(&format!("/api/orgs/{other}/projects/{id}")).send().await.expect(200);
    eve.client.post(&format!("{path}/restore")).send().await.expect_error(404, "NOT_FOUND");
    assert_eq!(app.count("SELECT count(*) FROM projects WHERE name = 'Secret' AND deleted_at IS NOT NULL").await, 1);
}

#[tokio::test]
async fn members_read_and_administrators_write() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let (admin, member) = (app.member(&org, "admin").await, app.member(&org, "member").await);
    let path = make(&org, &admin, json!({ "name": "Rocket" })).await.expect(201).header("location").expect("a location").to_owned();
    member.client.get(&path).send().await.expect(200);
    assert_eq!(member.client.get(&format!("/api/orgs/{org}/projects")).send().await.expect(200).at("/0/name"), "Rocket");
    make(&org, &member, json!({ "name": "Mine" })).await.expect_error(403, "FORBIDDEN");
    member.client.patch(&path).json(&json!({ "name": "Mine" })).send().await.expect_error(403, "FORBIDDEN");
    member.client.delete(&path).send().await.expect_error(403, "FORBIDDEN");
    member.client.post(&format!("{path}/restore")).send().await.expect_error(403, "FORBIDDEN");
}

#[tokio::test]
async fn after_thirty_days_a_project_is_purged_and_younger_ones_stay() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let mut paths = Vec::new();
    for (name, age) in [("Old", "30 days 1 minute"), ("Young", "29 days 23 hours")] {
        let path = make(&org, &ada, json!({ "name": name })).await.expect(201).header("location").expect("a location").to_owned();
        ada.client.delete(&path).send().await.expect(200);
        app.sql(&format!("UPDATE projects SET deleted_at = now() - interval '{age}' WHERE name = '{name}'")).await;
        paths.push(path);
    }
    ada.client.post(&format!("{}/restore", paths[0])).send().await.expect_error(404, "NOT_FOUND");
    let restorable = ada.client.get(&format!("/api/orgs/{org}/projects?deleted=true")).send().await.expect(200);
    assert_eq!((restorable.header("x-total-count"), restorable.at("/0/name")), (Some("1"), json!("Young")));
    let _sweeper = App::beside(&app, &[]).await;
    app.until_count(1, "SELECT count(*) FROM projects").await;
    ada.client.post(&format!("{}/restore", paths[1])).send().await.expect(200);
}

//! Who may do what: every row of the route table with every kind of caller. A row that is not in here fails.

mod table;
mod world;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use tests::{App, Client};

use table::{Keys, Rule, table};
use world::World;

#[tokio::test]
async fn every_route_has_a_row_and_no_row_is_left_over() {
    let routes: BTreeSet<String> = routes().into_iter().collect();
    let rows: BTreeSet<String> = table().iter().map(|rule| rule.route.to_owned()).collect();
    assert_eq!(rows, routes, "the policy test and the route table name different routes");
    assert_eq!(table().len(), rows.len(), "a route stands in the policy test twice");
}

fn routes() -> Vec<String> {
    let rows = api::routes::table();
    rows.iter().flat_map(|row| row.entries().iter().map(|entry| format!("{} {}", entry.method, row.path())).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should() {
    let app = App::start().await;
    let world = World::make(&app).await;
    let mut asked = 0;
    for rule in table() {
        for (caller, client, expected) in world.callers(&rule) {
            assert_eq!(world.ask(client, &rule, &world.acme).await, expected, "{} as {caller}", rule.route);
            asked += 1;
        }
    }
    println!("{} routes, {asked} pairs of route and caller", table().len());
}

/// Somebody who owns an organisation sees nothing of another one through it: not with its id, not with the ids of what is in it.
#[tokio::test]
async fn nothing_of_another_organisation_is_there() {
    let app = App::start().await;
    let world = World::make(&app).await;
    for rule in table().iter().filter(|rule| rule.route.contains("{orgId}")) {
        let foreign = world.request(&world.eve, rule, &world.acme).send().await;
        let nowhere = world.request(&world.eve, rule, "01900000-0000-7000-8000-000000000000").send().await;
        assert_eq!((foreign.status, nowhere.status), (404, 404), "{}", rule.route);
        assert_eq!(foreign.text_at("/error"), nowhere.text_at("/error"), "{}", rule.route);
        if rule.route.matches('{').count() > 1 {
            let smuggled = world.request(&world.eve, rule, &world.evil).send().await;
            assert_eq!(smuggled.status, 404, "{} with a child of another organisation", rule.route);
        }
    }
    let left = "SELECT (SELECT count(*) FROM projects WHERE deleted_at IS NULL) + (SELECT count(*) FROM memberships) + (SELECT count(*) FROM api_keys)";
    assert_eq!(app.count(left).await, world.things, "nothing was changed");
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say_and_nothing_else() {
    let app = App::start().await;
    let world = World::make(&app).await;
    let mut asked = 0;
    for rule in table() {
        let wrong = |status: u16| matches!(status, 401 | 403);
        let (fitting, others) = match rule.keys {
            Keys::Open => (None, None),
            Keys::Never => (None, Some(world.key_without("nothing"))),
            Keys::Scope(scope) => (Some(world.key_with(scope)), Some(world.key_without(scope))),
        };
        if let Some(key) = others {
            assert_eq!(world.ask(key, &rule, &world.acme).await, 403, "{} with every other scope", rule.route);
        }
        if let Some(key) = fitting {
            assert!(!wrong(world.ask(key, &rule, &world.acme).await), "{} with its scope", rule.route);
        }
        // The key of an organisation, which has every scope such a key can have, reaches that organisation and nothing else.
        let bound = world.ask(&world.bound_key, &rule, &world.evil).await;
        match rule.keys {
            Keys::Open => assert!(!wrong(bound), "{} with the key of an organisation", rule.route),
            _ if rule.route.contains("{orgId}") && !rule.route.ends_with("/restore") => {
                assert_eq!(bound, 404, "{} with the key of another organisation", rule.route);
            }
            _ if rule.route.contains("/projects/") => assert_eq!(bound, 404, "{} with the key of another organisation", rule.route),
            _ => assert_eq!(bound, 403, "{} with the key of an organisation", rule.route),
        }
        asked += 3;
    }
    println!("{asked} pairs of route and key");
}

#[tokio::test]
async fn nobody_without_the_role_learns_whether_something_exists() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    for id in [eve.id.to_string(), "01900000-0000-7000-8000-000000000000".to_owned(), "nonsense".to_owned()] {
        let answer = ada.client.delete(&format!("/api/users/{id}")).send().await.expect_error(403, "FORBIDDEN");
        assert_eq!(answer.text_at("/error"), "Forbidden");
    }
}

#[tokio::test]
async fn headers_that_claim_an_identity_are_ignored() {
    let app = App::start().await;
    let admin = app.admin().await;
    let request = app.anon().get("/api/profile");
    let claims = ["x-user-id", "x-user", "x-role", "x-forwarded-user", "remote-user", "x-admin"];
    let request = claims.iter().fold(request, |request, name| request.header(name, &admin.id.to_string()));
    request.send().await.expect_error(401, "UNAUTHORIZED");
}

/// A request for a rule's route.
fn request(client: &Client, rule: &Rule, path: &str) -> tests::Request {
    let (method, _) = rule.route.split_once(' ').expect("a method and a path");
    let request = client.request(Method::from_bytes(method.as_bytes()).expect("a method"), path);
    if rule.body == Value::Null { request } else { request.json(&rule.body) }
}

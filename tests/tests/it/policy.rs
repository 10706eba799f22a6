//! Who may do what: every row of the route table with every kind of caller. A row that is not in here fails.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Client};

/// What anonymous callers, users and administrators get.
type Expected = [u16; 3];

fn policy() -> BTreeMap<&'static str, (Value, Expected)> {
    let nothing = || Value::Null;
    BTreeMap::from([
        ("GET /healthz", (nothing(), [200, 200, 200])),
        ("GET /readyz", (nothing(), [200, 200, 200])),
        ("GET /openapi.json", (nothing(), [200, 200, 200])),
        ("GET /docs", (nothing(), [200, 200, 200])),
        ("GET /docs/{file}", (nothing(), [404, 404, 404])),
        ("POST /api/auth/register", (json!({}), [400, 400, 400])),
        ("POST /api/auth/login", (json!({ "email": "no@example.com", "password": "x" }), [401, 401, 401])),
        ("GET /api/auth/sessions", (nothing(), [401, 200, 200])),
        ("DELETE /api/auth/sessions", (nothing(), [401, 200, 200])),
        ("DELETE /api/auth/sessions/{id}", (nothing(), [401, 404, 404])),
        ("GET /api/users", (nothing(), [200, 200, 200])),
        ("POST /api/users", (json!({}), [401, 403, 400])),
        ("GET /api/users/{id}", (nothing(), [404, 404, 404])),
        ("PATCH /api/users/{id}", (json!({}), [401, 403, 404])),
        ("DELETE /api/users/{id}", (nothing(), [401, 403, 404])),
        ("GET /api/profile", (nothing(), [401, 200, 200])),
        ("PUT /api/profile", (json!({}), [401, 200, 200])),
        ("GET /api/posts", (nothing(), [200, 200, 200])),
        ("POST /api/posts", (json!({}), [401, 400, 400])),
        ("GET /api/posts/{id}", (nothing(), [404, 404, 404])),
        ("PATCH /api/posts/{id}", (json!({}), [401, 404, 404])),
        ("DELETE /api/posts/{id}", (nothing(), [401, 404, 404])),
        ("GET /api/search", (nothing(), [400, 400, 400])),
        ("GET /api/preferences", (nothing(), [200, 200, 200])),
        ("POST /api/preferences", (json!({ "preference": "dark" }), [200, 200, 200])),
        // Last, as it ends the callers' sessions.
        ("POST /api/auth/logout", (nothing(), [401, 200, 200])),
    ])
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should() {
    let app = App::start().await;
    let policy = policy();
    let mut rows: Vec<String> = api::routes::table()
        .iter()
        .flat_map(|row| row.entries().iter().map(|entry| format!("{} {}", entry.method, row.path())).collect::<Vec<_>>())
        .collect();
    for row in &rows {
        assert!(policy.contains_key(row.as_str()), "{row} has no row in the policy test");
    }
    assert_eq!(rows.len(), policy.len(), "the policy test has rows that are no routes");
    rows.sort_by_key(|row| row.ends_with("/logout"));
    let callers = [app.anon(), app.user("Ada").await.client, app.admin().await.client];
    for row in &rows {
        let (body, expected) = &policy[row.as_str()];
        for (client, expected) in callers.iter().zip(expected) {
            assert_eq!(ask(client, row, body).await, *expected, "{row}");
        }
    }
}

async fn ask(client: &Client, row: &str, body: &Value) -> u16 {
    let (method, path) = row.split_once(' ').expect("a method and a path");
    let path = path.replace("{id}", "01900000-0000-7000-8000-000000000000").replace("{file}", "nothing");
    let request = client.request(Method::from_bytes(method.as_bytes()).expect("a method"), &path);
    let request = if body.is_null() { request } else { request.json(body) };
    request.send().await.status
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

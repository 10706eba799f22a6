//! What a key may be used for.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Client};

use super::{make, personal, with};

const ALL: [&str; 12] = [
    "profile:read",
    "profile:write",
    "posts:read",
    "posts:write",
    "orgs:read",
    "orgs:write",
    "projects:read",
    "projects:write",
    "audit:read",
    "chat:write",
    "uploads:read",
    "uploads:write",
];

async fn ask(client: &Client, method: &Method, path: &str, body: &Value) -> u16 {
    let request = client.request(method.clone(), path);
    let request = if body.is_null() { request } else { request.json(body) };
    request.send().await.status
}

#[tokio::test]
async fn each_scope_opens_its_routes_and_no_others() {
    let app = App::start().await;
    let admin = app.admin().await;
    let org = app.org(&admin, "Acme").await;
    let of_org = |path: &str| format!("/api/orgs/{org}{path}");
    let nothing = || Value::Null;
    // What lets in answers 400 to an empty body where that changes nothing.
    let routes = [
        ("profile:read", Method::GET, "/api/profile".to_owned(), nothing(), 200),
        ("profile:write", Method::PUT, "/api/profile".to_owned(), json!({}), 200),
        ("posts:read", Method::GET, "/api/posts/export".to_owned(), nothing(), 200),
        ("posts:write", Method::POST, "/api/posts".to_owned(), json!({}), 400),
        ("orgs:read", Method::GET, "/api/orgs".to_owned(), nothing(), 200),
        ("orgs:read", Method::GET, of_org(""), nothing(), 200),
        ("orgs:read", Method::GET, of_org("/members"), nothing(), 200),
        ("orgs:read", Method::GET, of_org("/invitations"), nothing(), 200),
        ("orgs:write", Method::POST, "/api/orgs".to_owned(), json!({}), 400),
        ("orgs:write", Method::PATCH, of_org(""), json!({}), 200),
        ("orgs:write", Method::POST, of_org("/invitations"), json!({}), 400),
        ("projects:read", Method::GET, of_org("/projects"), nothing(), 200),
        ("projects:write", Method::POST, of_org("/projects"), json!({}), 400),
        ("audit:read", Method::GET, of_org("/audit"), nothing(), 200),
        ("upstreams:call", Method::GET, "/api/proxy/nothing/path".to_owned(), nothing(), 503),
        ("chat:write", Method::GET, "/api/chat/usage".to_owned(), nothing(), 200),
        ("uploads:read", Method::GET, "/api/uploads".to_owned(), nothing(), 200),
        ("uploads:write", Method::POST, "/api/uploads".to_owned(), json!({}), 415),
        ("admin", Method::GET, "/api/admin/audit".to_owned(), nothing(), 200),
        ("admin", Method::POST, "/api/users".to_owned(), json!({}), 400),
    ];
    for scope in ALL.into_iter().chain(["upstreams:call", "admin"]) {
        let (key, _) = personal(&app, &admin, &[scope]).await;
        for (needed, method, path, body, status) in &routes {
            let expected = if *needed == scope { *status } else { 403 };
            assert_eq!(ask(&key, method, path, body).await, expected, "{scope}: {method} {path}");
        }
    }
}

#[tokio::test]
async fn no_key_does_what_takes_a_person() {
    let app = App::start().await;
    let admin = app.admin().await;
    let org = app.org(&admin, "Acme").await;
    let scopes: Vec<&str> = ALL.into_iter().chain(["upstreams:call", "admin"]).collect();
    let (key, path) = personal(&app, &admin, &scopes).await;
    let rotate = format!("{path}/rotate");
    let keys = format!("/api/orgs/{org}/api-keys");
    let transfer = format!("/api/orgs/{org}/transfer");
    let restore = format!("/api/orgs/{org}/restore");
    let whole = format!("/api/orgs/{org}");
    let accept = format!("/api/invitations/{}/accept", "A".repeat(43));
    let new_key = json!({ "name": "x", "scopes": ["orgs:read"] });
    let requests = [
        (Method::POST, "/api/api-keys", new_key.clone()),
        (Method::GET, "/api/api-keys", Value::Null),
        (Method::POST, &rotate, json!({})),
        (Method::DELETE, &path, Value::Null),
        (Method::POST, &keys, new_key),
        (Method::GET, &keys, Value::Null),
        (Method::GET, "/api/auth/sessions", Value::Null),
        (Method::DELETE, "/api/auth/sessions", Value::Null),
        (Method::POST, "/api/auth/logout", Value::Null),
        (Method::PUT, "/api/auth/password", json!({ "currentPassword": "x", "newPassword": "difference engine 1843" })),
        (Method::POST, &transfer, json!({ "userId": admin.id })),
        (Method::POST, &restore, Value::Null),
        (Method::POST, &accept, Value::Null),
        (Method::DELETE, &whole, Value::Null),
    ];
    for (method, path, body) in &requests {
        assert_eq!(ask(&key, method, path, body).await, 403, "{method} {path}");
    }
    key.get(&whole).send().await.expect(200);
    admin.client.get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn the_scope_of_administrators_is_worth_as_much_as_their_role() {
    let app = App::start().await;
    let (root, second) = (app.admin().await, app.admin().await);
    let (key, _) = personal(&app, &second, &["admin"]).await;
    let (weak, _) = personal(&app, &second, &["profile:read"]).await;
    key.get("/api/admin/audit").send().await.expect(200);
    let listed = format!("/api/users/{}", root.id);
    assert!(key.get(&listed).send().await.expect(200).json().get("email").is_some());
    assert!(weak.get(&listed).send().await.expect(200).json().get("email").is_none());
    let account = format!("/api/users/{}", second.id);
    root.client.patch(&account).json(&json!({ "role": "user" })).send().await.expect(200);
    key.get("/api/admin/audit").send().await.expect_error(403, "FORBIDDEN");
    assert!(key.get(&listed).send().await.expect(200).json().get("email").is_none());
    make(&second, "/api/api-keys", &["admin"]).await.expect_refused(&["scopes"]);
    root.client.patch(&account).json(&json!({ "role": "admin" })).send().await.expect(200);
    key.get("/api/admin/audit").send().await.expect(200);
}

#[tokio::test]
async fn a_personal_key_does_no_more_than_its_user_may() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    let (org, other) = (app.org(&ada, "Acme").await, app.org(&eve, "Other").await);
    let member = app.member(&org, "member").await;
    let (key, _) = personal(&app, &member, &ALL).await;
    let path = format!("/api/orgs/{org}");
    key.get(&path).send().await.expect(200);
    key.patch(&path).json(&json!({ "name": "Mine" })).send().await.expect_error(403, "FORBIDDEN");
    key.get(&format!("{path}/audit")).send().await.expect_error(403, "FORBIDDEN");
    key.get(&format!("/api/orgs/{other}")).send().await.expect_error(404, "NOT_FOUND");
    key.delete(&format!("{path}/members/{}", ada.id)).send().await.expect_error(403, "FORBIDDEN");
    key.delete(&format!("{path}/members/{}", member.id)).send().await.expect(200);
    key.get(&path).send().await.expect_error(404, "NOT_FOUND");
    key.get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn garbage_is_no_key_and_costs_no_query() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let made = make(&ada, "/api/api-keys", &["profile:read"]).await.expect(201);
    let key = made.text_at("/key");
    with(&app, &made).get("/api/profile").send().await.expect(200);
    // Nothing could be looked up any more.
    app.sql("ALTER TABLE api_keys RENAME TO hidden; ALTER TABLE sessions RENAME TO hidden_too").await;
    let changed = |place: usize| {
        let with = if key[place..].starts_with('A') { "B" } else { "A" };
        format!("{}{with}{}", &key[..place], &key[place + 1..])
    };
    let (cut, longer, doubled) = (&key[..52], format!("{key}0"), format!("{key}{key}"));
    let (upper, bare, unicode) = (key.to_uppercase(), &key[4..], key.replace("hrk_", "hrk_é"));
    let long = format!("hrk_{}", "A".repeat(8000));
    for text in [cut, &longer, &doubled, &upper, bare, &unicode, &long, &changed(52), &changed(20), &changed(4), "hrk_", "hrk_ ", "hrk"] {
        app.anon().get("/api/profile").header("authorization", &format!("Bearer {text}")).send().await.expect_error(401, "UNAUTHORIZED");
    }
    app.anon().get("/api/profile").header("cookie", &format!("session={key}")).send().await.expect_error(401, "UNAUTHORIZED");
    app.anon().get(&format!("/api/profile?api_key={key}")).send().await.expect_error(401, "UNAUTHORIZED");
    app.sql("ALTER TABLE hidden RENAME TO api_keys; ALTER TABLE hidden_too RENAME TO sessions").await;
    app.anon().get("/api/profile").header("authorization", &format!("bearer  {key} ")).send().await.expect(200);
}

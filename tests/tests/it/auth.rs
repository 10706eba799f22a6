//! `/api/auth`: accounts and sessions.

use serde_json::json;
use tests::{App, Client};

const PASSWORD: &str = "difference engine 1843";

async fn registered(app: &App, email: &str) -> (String, Client) {
    let body = json!({ "email": email, "name": "Ada", "password": PASSWORD });
    let token = app.anon().post("/api/auth/register").json(&body).send().await.expect(201).text_at("/token");
    (token.clone(), Client::new(app.address, Some(token)))
}

#[tokio::test]
async fn register_signs_in_with_cookie_and_token() {
    let app = App::start().await;
    let body = json!({ "email": "Ada@Example.com", "name": "Ada", "password": PASSWORD });
    let answer = app.anon().post("/api/auth/register").json(&body).send().await.expect(201);
    assert_eq!(answer.at("/user/email"), "Ada@Example.com");
    assert_eq!(answer.at("/user/role"), "user");
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    let token = answer.text_at("/token");
    assert!(cookie.starts_with(&format!("session={token};")), "{cookie}");
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(flag), "{flag} in {cookie}");
    }
    app.anon().get("/api/profile").header("cookie", &format!("session={token}")).send().await.expect(200);
    app.anon().get("/api/profile").header("authorization", &format!("bearer {token}")).send().await.expect(200);
}

#[tokio::test]
async fn register_cannot_make_an_administrator() {
    let app = App::start().await;
    let body = json!({ "email": "a@example.com", "name": "Ada", "password": PASSWORD, "role": "admin" });
    app.anon().post("/api/auth/register").json(&body).send().await.expect_refused(&["role"]);
}

#[tokio::test]
async fn register_refuses_easy_passwords() {
    let app = App::start().await;
    for easy in ["password", "12345678", "ada@example.com"] {
        let body = json!({ "email": "ada@example.com", "name": "Ada", "password": easy });
        app.anon().post("/api/auth/register").json(&body).send().await.expect_refused(&["password"]);
    }
}

#[tokio::test]
async fn the_same_address_registers_once_however_it_is_written() {
    let app = App::start().await;
    registered(&app, "ada@example.com").await;
    let body = json!({ "email": "ADA@example.COM", "name": "Ada", "password": PASSWORD });
    let answer = app.anon().post("/api/auth/register").json(&body).send().await.expect_error(409, "EMAIL_TAKEN");
    assert_eq!(answer.at("/details/fieldErrors/email/0"), "Already taken");
}

#[tokio::test]
async fn of_sixteen_registrations_at_once_one_wins() {
    let app = App::start().await;
    let tries = (0..16).map(|_| async {
        let body = json!({ "email": "race@example.com", "name": "Racer", "password": PASSWORD });
        app.anon().post("/api/auth/register").json(&body).send().await.status
    });
    let mut statuses = futures::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 409), "{statuses:?}");
    assert_eq!(app.count("SELECT count(*) FROM users WHERE lower(email) = 'race@example.com'").await, 1);
    assert_eq!(app.count("SELECT count(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn login_answers_the_same_for_unknown_address_and_wrong_password() {
    let app = App::start().await;
    registered(&app, "ada@example.com").await;
    let without_password = app.user("Grace").await;
    let mut seen = Vec::new();
    for (email, password) in [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), (&without_password.email, PASSWORD)] {
        let body = json!({ "email": email, "password": password });
        let answer = app.anon().post("/api/auth/login").header("x-request-id", "same").json(&body).send().await;
        let answer = answer.expect_error(401, "UNAUTHORIZED");
        let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        seen.push((answer.text, headers));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn login_ends_the_session_it_came_with() {
    let app = App::start().await;
    let (old, client) = registered(&app, "ada@example.com").await;
    let body = json!({ "email": "ADA@example.com", "password": PASSWORD });
    let new = client.post("/api/auth/login").json(&body).send().await.expect(200).text_at("/token");
    assert_ne!(old, new);
    client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    Client::new(app.address, Some(new)).get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn logout_ends_the_session_and_no_other() {
    let app = App::start().await;
    let (_, first) = registered(&app, "ada@example.com").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let token = app.anon().post("/api/auth/login").json(&body).send().await.expect(200).text_at("/token");
    let second = Client::new(app.address, Some(token));
    let answer = first.post("/api/auth/logout").send().await.expect(200);
    assert_eq!(answer.json(), json!({ "success": true }));
    assert!(answer.header("set-cookie").is_some_and(|cookie| cookie.starts_with("session=;") && cookie.contains("Max-Age=0")));
    first.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    second.get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn sessions_are_listed_and_revoked() {
    let app = App::start().await;
    let (_, first) = registered(&app, "ada@example.com").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let login = app.anon().post("/api/auth/login").header("user-agent", "Phone/1").json(&body).send().await.expect(200);
    let second = Client::new(app.address, Some(login.text_at("/token")));
    let list = first.get("/api/auth/sessions").send().await.expect(200).json();
    assert_eq!(list.as_array().expect("a list").len(), 2);
    assert_eq!(list[0]["userAgent"], "Phone/1");
    assert_eq!((&list[0]["current"], &list[1]["current"]), (&json!(false), &json!(true)));
    let id = list[0]["id"].as_str().expect("an id");

    let stranger = app.user("Eve").await;
    stranger.client.delete(&format!("/api/auth/sessions/{id}")).send().await.expect_error(404, "NOT_FOUND");
    second.get("/api/profile").send().await.expect(200);

    first.delete(&format!("/api/auth/sessions/{id}")).send().await.expect(200);
    second.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    first.delete(&format!("/api/auth/sessions/{id}")).send().await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn all_other_sessions_end_at_once() {
    let app = App::start().await;
    let (_, first) = registered(&app, "ada@example.com").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let mut others = Vec::new();
    for _ in 0..3 {
        let token = app.anon().post("/api/auth/login").json(&body).send().await.expect(200).text_at("/token");
        others.push(Client::new(app.address, Some(token)));
    }
    first.delete("/api/auth/sessions").send().await.expect(200);
    for other in others {
        other.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    }
    first.get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn an_expired_session_is_worth_nothing() {
    let app = App::start().await;
    let user = app.user("Ada").await;
    app.sql("UPDATE sessions SET expires_at = now() - interval '1 second'").await;
    user.client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    app.anon().get("/api/users").header("cookie", &format!("session={}", user.token)).send().await.expect(200);
}

#[tokio::test]
async fn a_used_session_is_put_off_but_not_written_at_every_request() {
    let app = App::with(&[("SESSION_MEMORY_SECONDS", "0")]).await;
    let user = app.user("Ada").await;
    let renewed = "SELECT count(*) FROM sessions WHERE renewed_at > now() - interval '1 minute'";
    app.sql("UPDATE sessions SET renewed_at = now() - interval '30 minutes'").await;
    user.client.get("/api/profile").send().await.expect(200);
    assert_eq!(app.count(renewed).await, 0, "half an hour is not yet due");
    app.sql("UPDATE sessions SET renewed_at = now() - interval '2 hours', expires_at = now() + interval '1 minute'").await;
    user.client.get("/api/profile").send().await.expect(200);
    assert_eq!(app.count(renewed).await, 1);
    assert_eq!(app.count("SELECT count(*) FROM sessions WHERE expires_at > now() + interval '6 days'").await, 1);
}

#[tokio::test]
async fn no_use_puts_off_the_absolute_end() {
    let app = App::start().await;
    let user = app.user("Ada").await;
    app.sql("UPDATE sessions SET created_at = now() - interval '29 days 23 hours', renewed_at = now() - interval '2 hours'").await;
    user.client.get("/api/profile").send().await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM sessions WHERE expires_at < now() + interval '61 minutes'").await, 1);
}

#[tokio::test]
async fn the_oldest_of_too_many_sessions_ends() {
    let app = App::start().await;
    let (_, first) = registered(&app, "ada@example.com").await;
    app.sql(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at) \
         SELECT gen_random_uuid(), u.id, sha256(n::text::bytea), now() + interval '1 day' FROM users u, generate_series(1, 80) n",
    )
    .await;
    app.sql("UPDATE sessions SET id = ('ffffffff' || substr(id::text, 9))::uuid WHERE token_hash IN (SELECT sha256(n::text::bytea) FROM generate_series(1, 80) n)")
        .await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    app.anon().post("/api/auth/login").json(&body).send().await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM sessions").await, 50);
    first.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn forged_tokens_are_refused_without_a_query() {
    let app = App::start().await;
    let user = app.user("Ada").await;
    let flipped = if user.token.starts_with('A') { user.token.replacen('A', "B", 1) } else { format!("A{}", &user.token[1..]) };
    let upper = user.token.to_uppercase();
    let long = "x".repeat(60_000);
    for token in ["", "null", "undefined", "Bearer", "eyJhbGciOiJub25lIn0.e30.", &flipped, &upper, &long, "' OR 1=1 --", "ä"] {
        let value = reqwest::header::HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).expect("a header");
        let url = format!("http://{}/api/profile", app.address);
        let status = tests::http().get(url).header("authorization", value).send().await.expect("an answer").status();
        assert_eq!(status.as_u16(), 401, "{token:.40}");
    }
    app.anon().get(&format!("/api/profile?token={}", user.token)).send().await.expect_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn an_open_route_refuses_a_worthless_bearer_token() {
    let app = App::start().await;
    app.anon().get("/api/users").header("authorization", "Bearer nonsense").send().await.expect_error(401, "UNAUTHORIZED");
    app.anon().get("/api/users").header("authorization", "Basic YTpi").send().await.expect(200);
}

#[tokio::test]
async fn a_cookie_write_from_another_site_is_refused() {
    let app = App::with(&[("ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let user = app.user("Ada").await;
    let cookie = format!("session={}", user.token);
    let write = |headers: &'static [(&str, &str)]| {
        let request = app.anon().put("/api/profile").header("cookie", &cookie).json(&json!({ "bio": "x" }));
        headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
    };
    write(&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]).await.expect_error(403, "FORBIDDEN");
    write(&[("sec-fetch-site", "same-site")]).await.expect_error(403, "FORBIDDEN");
    write(&[("origin", "null")]).await.expect_error(403, "FORBIDDEN");
    write(&[("sec-fetch-site", "same-origin")]).await.expect(200);
    write(&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example.com")]).await.expect(200);
    write(&[]).await.expect(200);
    let bearer = user.client.put("/api/profile").header("origin", "https://evil.example").header("sec-fetch-site", "cross-site");
    bearer.json(&json!({ "bio": "y" })).send().await.expect(200);
}

#[tokio::test]
async fn production_cookies_are_for_tls_only() {
    let app = App::with(&[("APP_ENV", "production")]).await;
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": PASSWORD });
    let answer = app.anon().post("/api/auth/register").json(&body).send().await.expect(201);
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-session=") && cookie.contains("Secure"), "{cookie}");
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
}

#[tokio::test]
async fn too_many_logins_at_once_get_503_and_others_are_served() {
    let app = App::with(&[("PASSWORD_HASH_CONCURRENCY", "1"), ("PASSWORD_HASH_QUEUE", "2")]).await;
    let body = json!({ "email": "nobody@example.com", "password": PASSWORD });
    let logins = (0..24).map(|_| async { app.anon().post("/api/auth/login").json(&body).send().await });
    let health = async { app.anon().get("/healthz").send().await.expect(200) };
    let (answers, _) = futures::join!(futures::future::join_all(logins), health);
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!refused.is_empty() && answers.iter().all(|answer| matches!(answer.status, 401 | 503)));
    assert!(refused.iter().all(|answer| answer.header("retry-after") == Some("1")));
}

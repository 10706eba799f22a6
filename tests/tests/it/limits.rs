//! Strict rate limits: over replicas, by address and by account, and not to be talked out of.

mod general;

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, Proxy};

const PASSWORD: &str = "difference engine 1843";

async fn login(app: &App, email: &str, password: &str) -> Answer {
    app.anon().post("/api/auth/login").json(&json!({ "email": email, "password": password })).send().await
}

async fn register(app: &App, email: &str) -> Answer {
    app.anon().post("/api/auth/register").json(&json!({ "email": email, "name": "Ada", "password": PASSWORD })).send().await
}

#[tokio::test]
async fn log_ins_from_one_address_are_limited_and_say_so() {
    let app = App::with(&[("RATE_LIMIT_LOGIN", "5/hour")]).await;
    for left in (0..5).rev() {
        let answer = login(&app, &format!("nobody{left}@example.com"), "x").await.expect_error(401, "UNAUTHORIZED");
        assert_eq!(answer.header("ratelimit-policy"), Some("\"login\";q=5;w=3600"));
        assert!(
            answer.header("ratelimit").is_some_and(|value| value.starts_with(&format!("\"login\";r={left};t="))),
            "{:?}",
            answer.headers
        );
    }
    let answer = login(&app, "nobody@example.com", "x").await.expect_error(429, "RATE_LIMITED");
    let wait: u64 = answer.header("retry-after").expect("a wait").parse().expect("seconds");
    assert!((1..=720).contains(&wait), "{wait}");
    assert!(answer.header("ratelimit").is_some_and(|value| value.starts_with("\"login\";r=0;")));
    app.anon().get("/api/users").send().await.expect(200);
}

#[tokio::test]
async fn forged_forwarding_buys_nothing() {
    let app = App::with(&[("RATE_LIMIT_LOGIN", "3/hour")]).await;
    let body = json!({ "email": "nobody@example.com", "password": "x" });
    let mut statuses = Vec::new();
    for number in 0..6 {
        let request = app.anon().post("/api/auth/login").header("x-forwarded-for", &format!("198.51.100.{number}"));
        statuses.push(request.header("forwarded", "for=192.0.2.1").header("x-real-ip", "192.0.2.2").json(&body).send().await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429, 429]);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own() {
    let app = App::with(&[("RATE_LIMIT_LOGIN", "2/hour"), ("TRUSTED_PROXIES", "127.0.0.0/8, ::1")]).await;
    let body = json!({ "email": "nobody@example.com", "password": "x" });
    let from = |address: &str| app.anon().post("/api/auth/login").header("x-forwarded-for", address).json(&body).send();
    for address in ["198.51.100.1", "198.51.100.2", "2001:db8:0:1::1"] {
        assert_eq!((from(address).await.status, from(address).await.status, from(address).await.status), (401, 401, 429), "{address}");
    }
    from("2001:db8:0:1:ffff::9").await.expect_error(429, "RATE_LIMITED");
    from("2001:db8:0:2::1").await.expect(401);
}

#[tokio::test]
async fn a_limit_holds_over_replicas() {
    let database = Database::cloned().await;
    let url = database.url.clone();
    let settings = &[("RATE_LIMIT_LOGIN", "20/hour")];
    let first = App::on(database, &url, settings).await;
    let second = App::beside(&first, settings).await;
    let third = App::beside(&first, settings).await;
    let tries = (0..60).map(|number| {
        let app = [&first, &second, &third][number % 3];
        async move { login(app, "nobody@example.com", "x").await.status }
    });
    let statuses = futures::future::join_all(tries).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 20);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 40);
}

#[tokio::test]
async fn failures_throttle_an_account_but_not_who_is_at_home() {
    let app = App::with(&[("RATE_LIMIT_LOGIN_ACCOUNT", "4/hour")]).await;
    let token = register(&app, "Ada@example.com").await.expect(201).text_at("/token");
    for _ in 0..4 {
        login(&app, "ada@example.com", "wrong").await.expect_error(401, "UNAUTHORIZED");
    }
    login(&app, "ADA@example.com", PASSWORD).await.expect_error(429, "RATE_LIMITED");
    login(&app, "nobody@example.com", "wrong").await.expect_error(401, "UNAUTHORIZED");
    let home = Client::new(app.address, Some(token));
    let body: Value = json!({ "email": "ada@example.com", "password": PASSWORD });
    home.post("/api/auth/login").json(&body).send().await.expect(200);
    // Unknown accounts throttle just the same: the limit tells nobody who exists.
    for _ in 0..3 {
        login(&app, "nobody@example.com", "wrong").await.expect_error(401, "UNAUTHORIZED");
    }
    login(&app, "nobody@example.com", "wrong").await.expect_error(429, "RATE_LIMITED");
}

#[tokio::test]
async fn the_right_password_uses_nothing_up() {
    let app = App::with(&[("RATE_LIMIT_LOGIN_ACCOUNT", "2/hour")]).await;
    register(&app, "ada@example.com").await.expect(201);
    for _ in 0..5 {
        login(&app, "ada@example.com", PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn registrations_are_limited_before_anything_is_hashed() {
    let app = App::with(&[("RATE_LIMIT_REGISTER", "2/hour")]).await;
    register(&app, "a@example.com").await.expect(201);
    register(&app, "b@example.com").await.expect(201);
    register(&app, "c@example.com").await.expect_error(429, "RATE_LIMITED");
    app.anon().post("/api/auth/register").body("application/json", "{").send().await.expect_error(429, "RATE_LIMITED");
    assert_eq!(app.count("SELECT count(*) FROM users").await, 2);
}

#[tokio::test]
async fn what_flowed_back_can_be_taken_again() {
    let app = App::with(&[("RATE_LIMIT_LOGIN", "2/hour")]).await;
    for _ in 0..2 {
        login(&app, "nobody@example.com", "x").await.expect(401);
    }
    // Half an hour passes for the database; the server has not refused anybody yet, so it asks.
    app.sql("UPDATE rate_limits SET full_at = full_at - interval '30 minutes'").await;
    login(&app, "nobody@example.com", "x").await.expect(401);
    login(&app, "nobody@example.com", "x").await.expect_error(429, "RATE_LIMITED");
}

#[tokio::test]
async fn a_flood_of_refusals_costs_no_query() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let app = App::on(database, &url, &[("RATE_LIMIT_LOGIN", "2/hour"), ("WORKER", "false")]).await;
    for status in [401, 401, 429] {
        login(&app, "nobody@example.com", "x").await.expect(status);
    }
    let before = proxy.mark();
    for _ in 0..50 {
        login(&app, "nobody@example.com", "x").await.expect_error(429, "RATE_LIMITED");
    }
    proxy.expect_quiet_since(before);
}

#[tokio::test]
async fn without_the_database_a_strict_limit_lets_nobody_in() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let app = App::on(database, &url, &[("RATE_LIMIT_LOGIN", "9/hour"), ("WORKER", "false")]).await;
    proxy.cut();
    login(&app, "nobody@example.com", "x").await.expect_error(503, "UNAVAILABLE");
}

#[tokio::test]
async fn an_address_that_sends_worthless_credentials_has_them_looked_up_no_more() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let app = App::on(database, &url, &[("RATE_LIMIT_BAD_CREDENTIALS", "4/hour"), ("WORKER", "false")]).await;
    let ada = app.user("Ada").await;
    let worthless = || auth::Token::generate().expect("randomness").reveal();
    let with_cookie = || app.anon().get("/api/users").header("cookie", &format!("session={}", worthless())).send();
    for _ in 0..2 {
        Client::new(app.address, Some(worthless())).get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
        with_cookie().await.expect(200);
        ada.client.get("/api/profile").send().await.expect(200);
    }
    // What is no token at all is refused without a look, and costs nothing.
    for _ in 0..5 {
        Client::new(app.address, Some("x".to_owned())).get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    }
    let answer = with_cookie().await.expect_error(429, "RATE_LIMITED");
    assert_eq!(answer.header("ratelimit-policy"), Some("\"credentials\";q=4;w=3600"));
    assert!(answer.header("retry-after").is_some());
    let before = proxy.mark();
    for _ in 0..20 {
        Client::new(app.address, Some(worthless())).get("/api/profile").send().await.expect_error(429, "RATE_LIMITED");
    }
    proxy.expect_quiet_since(before);
    app.anon().get("/api/users").send().await.expect(200);
}

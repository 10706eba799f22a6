//! General rate limits: exact or nearly so over replicas, next to free, and never in the way when the database is.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use tests::{App, Database, Proxy};

/// A path that needs no database of its own.
const PATH: &str = "/api/preferences";

/// Three servers on one database.
async fn three(settings: &[(&str, &str)]) -> [App; 3] {
    let database = Database::cloned().await;
    let url = database.url.clone();
    let first = App::on(database, &url, settings).await;
    let (second, third) = (App::beside(&first, settings).await, App::beside(&first, settings).await);
    [first, second, third]
}

async fn behind_a_proxy(settings: &[(&str, &str)]) -> (Proxy, App) {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    // What is done beside requests asks the database by itself.
    (proxy, App::on(database, &url, &[settings, &[("WORKER", "false")]].concat()).await)
}

#[tokio::test]
async fn a_small_limit_is_exact_over_replicas() {
    let apps = three(&[("RATE_LIMIT_ADDRESS", "100/hour")]).await;
    let clients = apps.each_ref().map(App::anon);
    let tries = (0..300).map(|number| clients[number % 3].get(PATH).try_send());
    let statuses: Vec<u16> = join_all(tries).await.into_iter().map(|status| status.expect("an answer")).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 100);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 200);
}

#[tokio::test]
async fn a_large_limit_is_never_exceeded_and_nearly_used_up() {
    let apps = three(&[("RATE_LIMIT_ADDRESS", "3000/hour")]).await;
    let begun = Instant::now();
    let floods = apps.iter().flat_map(|app| vec![app.anon(); 8]).map(|client| async move {
        let mut admitted = 0_u64;
        while client.get(PATH).try_send().await.expect("an answer") == 200 {
            admitted += 1;
        }
        admitted
    });
    let admitted: u64 = join_all(floods).await.iter().sum();
    // One flows back every 1.2 seconds.
    let flowed_back = begun.elapsed().as_secs() * 10 / 12 + 1;
    assert!((2900..=3000 + flowed_back).contains(&admitted), "{admitted} in {:?}", begun.elapsed());
}

#[tokio::test]
async fn neither_what_is_leased_nor_what_is_refused_costs_a_query() {
    let (proxy, app) = behind_a_proxy(&[("RATE_LIMIT_ADDRESS", "3000/hour")]).await;
    let client = app.anon();
    client.get(PATH).send().await.expect(200);
    let leased = proxy.mark();
    for left in (2971..3000).rev().skip(1) {
        let answer = client.get(PATH).send().await.expect(200);
        assert!(answer.header("ratelimit").is_some_and(|value| value.starts_with(&format!("\"address\";r={left};t="))), "{answer:?}");
    }
    proxy.expect_quiet_since(leased);
    while client.get(PATH).try_send().await.expect("an answer") == 200 {}
    let refused = proxy.mark();
    for _ in 0..50 {
        let answer = client.get(PATH).send().await.expect_error(429, "RATE_LIMITED");
        assert!(answer.header("retry-after").is_some() && answer.header("ratelimit").is_some_and(|value| value.contains(";r=0;")));
    }
    proxy.expect_quiet_since(refused);
}

#[tokio::test]
async fn what_flowed_back_is_let_in_again() {
    let app = App::with(&[("RATE_LIMIT_ADDRESS", "120/min")]).await;
    let client = app.anon();
    while client.get(PATH).send().await.status == 200 {}
    let begun = Instant::now();
    while client.get(PATH).send().await.status == 429 {
        assert!(begun.elapsed() < Duration::from_secs(3), "half a second is enough for one");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn only_the_api_counts_and_no_webhook() {
    let app = App::with(&[("RATE_LIMIT_ADDRESS", "2/hour"), ("ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let client = app.anon();
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(client.get(path).send().await.expect(200).header("ratelimit"), None);
    }
    client.get(PATH).send().await.expect(200);
    client.get("/api/nowhere").send().await.expect(404);
    // An escaped letter makes no other path of it; what is not routed is refused as well, before anything else is said about it.
    for path in [PATH, "/%61pi/preferences", "/api/nowhere", "/api/users", "/api/profile"] {
        client.get(path).send().await.expect_error(429, "RATE_LIMITED");
    }
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/openapi.json", 200), ("/nowhere", 404), ("/api/webhooks/x", 404)] {
        client.get(path).send().await.expect(status);
    }
    let answer = client.get(PATH).header("origin", "https://app.example.com").send().await.expect(429);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"), "the page may read why");
    assert!(answer.header("access-control-expose-headers").is_some_and(|all| all.contains("retry-after")), "and until when");
}

#[tokio::test]
async fn an_address_is_what_trusted_proxies_say_and_a_64() {
    let app = App::with(&[("RATE_LIMIT_ADDRESS", "2/hour")]).await;
    let mut statuses = Vec::new();
    for number in 0..4 {
        let request = app.anon().get(PATH).header("x-forwarded-for", &format!("198.51.100.{number}"));
        statuses.push(request.header("forwarded", "for=192.0.2.1").header("x-real-ip", "192.0.2.2").send().await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    let app = App::with(&[("RATE_LIMIT_ADDRESS", "2/hour"), ("TRUSTED_PROXIES", "127.0.0.0/8, ::1")]).await;
    let from = |address: &str| app.anon().get(PATH).header("x-forwarded-for", address).send();
    for (address, status) in [
        ("2001:db8:0:1::1", 200),
        ("2001:db8:0:1:ffff::9", 200),
        ("2001:db8:0:1:2:3:4:5", 429),
        ("2001:db8:0:2::1", 200),
        ("198.51.100.1", 200),
        ("203.0.113.1, 198.51.100.1", 200),
        ("203.0.113.1, 198.51.100.1", 429),
    ] {
        assert_eq!(from(address).await.status, status, "{address}");
    }
}

#[tokio::test]
async fn an_account_is_limited_wherever_it_comes_from() {
    let app = App::with(&[("RATE_LIMIT_ACCOUNT", "3/hour"), ("TRUSTED_PROXIES", "127.0.0.0/8, ::1")]).await;
    let (ada, bob) = (app.user("Ada").await, app.user("Bob").await);
    for (number, status) in [200, 200, 200, 429, 429].into_iter().enumerate() {
        let request = ada.client.get("/api/profile").header("x-forwarded-for", &format!("198.51.100.{number}"));
        request.send().await.expect(status);
    }
    bob.client.get("/api/profile").send().await.expect(200);
    app.anon().get("/api/users").send().await.expect(200);
}

#[tokio::test]
async fn the_headers_tell_of_the_most_specific_limit() {
    let app = App::with(&[("RATE_LIMIT_ADDRESS", "1000/hour"), ("RATE_LIMIT_ACCOUNT", "2/hour"), ("RATE_LIMIT_LOGIN", "10/hour")]).await;
    let ada = app.user("Ada").await;
    let policy = |answer: &tests::Answer| answer.header("ratelimit-policy").expect("a policy").to_owned();
    assert_eq!(policy(&app.anon().get(PATH).send().await.expect(200)), "\"address\";q=1000;w=3600");
    assert_eq!(policy(&ada.client.get(PATH).send().await.expect(200)), "\"address\";q=1000;w=3600", "nobody asked who is calling");
    let body = json!({ "email": "nobody@example.com", "password": "x" });
    let answer = app.anon().post("/api/auth/login").json(&body).send().await.expect(401);
    assert_eq!(policy(&answer), "\"login\";q=10;w=3600");
    for left in [1, 0] {
        let answer = ada.client.get("/api/profile").send().await.expect(200);
        assert_eq!(policy(&answer), "\"account\";q=2;w=3600");
        assert!(answer.header("ratelimit").is_some_and(|value| value.starts_with(&format!("\"account\";r={left};t="))), "{answer:?}");
    }
    let answer = ada.client.get("/api/profile").send().await.expect_error(429, "RATE_LIMITED");
    assert_eq!(policy(&answer), "\"account\";q=2;w=3600");
    let wait = answer.header("retry-after").expect("a wait");
    assert_eq!(answer.header("ratelimit"), Some(format!("\"account\";r=0;t={wait}").as_str()));
    assert!((1..=1800).contains(&wait.parse::<u64>().expect("seconds")), "{wait}");
}

#[tokio::test]
async fn without_the_database_everybody_is_let_in() {
    let (proxy, app) = behind_a_proxy(&[("RATE_LIMIT_ADDRESS", "3/hour"), ("RATE_LIMIT_ACCOUNT", "3/hour")]).await;
    let client = app.anon();
    client.get(PATH).send().await.expect(200);
    for fault in [Proxy::cut, Proxy::freeze] {
        fault(&proxy);
        let begun = Instant::now();
        for _ in 0..20 {
            assert_eq!(client.get(PATH).send().await.expect(200).header("ratelimit"), None);
        }
        assert!(begun.elapsed() < Duration::from_millis(2500), "only the first one waited: {:?}", begun.elapsed());
        app.anon().get("/api/users").send().await.expect_error(503, "UNAVAILABLE");
        proxy.mend();
    }
    let begun = Instant::now();
    while client.get(PATH).send().await.status != 429 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the limit is not back");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn those_who_wait_for_the_same_answer_cost_one_query() {
    let (proxy, app) = behind_a_proxy(&[("RATE_LIMIT_ADDRESS", "100/hour")]).await;
    let client = app.anon();
    client.get(PATH).send().await.expect(200);
    let before = proxy.sent();
    client.get(PATH).send().await.expect(200);
    let one = proxy.sent() - before;
    let all = join_all((0..60).map(|_| client.get(PATH).send())).await;
    assert!(all.iter().all(|answer| answer.status == 200));
    let rounds = (proxy.sent() - before - one) / one;
    assert!(rounds < 40, "60 requests at once asked {rounds} times");
}

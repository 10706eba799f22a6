//! `REQUIRE_VERIFIED_EMAIL`.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::{Answer, App, Client, Database, Proxy, command};

use super::verify;
use crate::recovery::registered;

const REQUIRED: (&str, &str) = ("REQUIRE_VERIFIED_EMAIL", "true");

async fn write(client: &Client) -> Answer {
    client.post("/api/posts").json(&json!({ "title": "Notes", "content": "On the engine", "tags": [] })).send().await
}

#[tokio::test]
async fn who_has_not_verified_writes_no_posts_and_who_has_does_everywhere_at_once() {
    let app = App::with(&[REQUIRED]).await;
    let second = App::beside(&app, &[REQUIRED, ("WORKER", "false")]).await;
    let ada = registered(&app, "ada@example.com").await;
    let key = ada.post("/api/api-keys").json(&json!({ "name": "x", "scopes": ["posts:write"] })).send().await.expect(201);
    let key = Client::new(app.address, Some(key.text_at("/key")));
    let elsewhere = [ada.at(second.address), key.at(second.address)];
    for client in [&ada, &key, &elsewhere[0], &elsewhere[1]] {
        for _ in 0..2 {
            let refused = write(client).await.expect_error(403, "EMAIL_NOT_VERIFIED");
            assert_eq!(refused.at("/error"), "Verify your email address first");
        }
    }
    write(&app.anon()).await.expect_error(401, "UNAUTHORIZED");
    // Who may not write is told before anything of the body is looked at.
    ada.post("/api/posts").body("application/json", "{").send().await.expect_error(403, "EMAIL_NOT_VERIFIED");
    ada.put("/api/profile").json(&json!({ "bio": "x" })).send().await.expect(200);
    let token = app.mailed("ada@example.com", "verify-email", 1).await.swap_remove(0);
    verify(&app, &token).await.expect(200);
    let begun = Instant::now();
    let post = write(&ada).await.expect(201).text_at("/id");
    write(&key).await.expect(201);
    for client in &elsewhere {
        while write(client).await.status != 201 {
            assert!(begun.elapsed() < Duration::from_secs(1), "it is not known everywhere");
        }
    }
    // What is there stays one's own, also when the address is another one.
    app.sql("UPDATE users SET email = 'ada@example.org'").await;
    let begun = Instant::now();
    while write(&ada).await.status != 403 {
        assert!(begun.elapsed() < Duration::from_secs(1), "it is not known");
    }
    ada.patch(&format!("/api/posts/{post}")).json(&json!({ "title": "Letters" })).send().await.expect(200);
}

#[tokio::test]
async fn without_the_setting_everybody_writes() {
    let app = App::start().await;
    write(&app.user("Ada").await.client).await.expect(201);
}

#[tokio::test]
async fn what_is_known_of_a_caller_says_it_without_a_query() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let app = App::on(database, &url, &[REQUIRED, ("WORKER", "false")]).await;
    let ada = app.user("Ada").await;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let before = proxy.sent();
        write(&ada.client).await.expect_error(403, "EMAIL_NOT_VERIFIED");
        if proxy.sent() - before < 50 {
            break;
        }
        assert!(Instant::now() < deadline, "it is looked up every time");
    }
    let before = proxy.mark();
    for _ in 0..100 {
        write(&ada.client).await.expect_error(403, "EMAIL_NOT_VERIFIED");
    }
    proxy.expect_quiet_since(before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_server_does_not_start_when_nobody_could_verify() {
    let variables = [("APP_ENV", "production"), ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"), REQUIRED];
    let output = command(&["serve"], &variables).output().expect("an end");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("REQUIRE_VERIFIED_EMAIL needs SMTP_URL"), "{told}");
}

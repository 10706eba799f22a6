//! What ends a token that is open.

use serde_json::json;
use tests::App;

use super::{NEW, OLD, forgot, login, mailed_token, registered, reset};

/// Somebody with a password, and an open token.
async fn open(app: &App) -> (tests::Client, String) {
    let own = registered(app, "ada@example.com").await;
    let token = mailed_token(app, "ada@example.com").await;
    (own, token)
}

#[tokio::test]
async fn a_newer_one_ends_it_at_once() {
    let app = App::start().await;
    let (_, token) = open(&app).await;
    app.until_count(1, "SELECT count(*) FROM account_mails WHERE purpose = 'reset_password' AND sent_at IS NOT NULL").await;
    forgot(&app, "ADA@example.com").await.expect(200);
    reset(&app, &token, NEW).await.expect_error(400, "INVALID_TOKEN");
    let tokens = app.mailed("ada@example.com", "reset-password", 2).await;
    assert_eq!(tokens[0], token);
    reset(&app, &tokens[0], NEW).await.expect_error(400, "INVALID_TOKEN");
    reset(&app, &tokens[1], NEW).await.expect(200);
}

#[tokio::test]
async fn a_change_of_password_ends_it() {
    let app = App::start().await;
    let (own, token) = open(&app).await;
    let change = json!({ "currentPassword": OLD, "newPassword": NEW });
    own.put("/api/auth/password").json(&change).send().await.expect(200);
    reset(&app, &token, "cogwheels and levers").await.expect_error(400, "INVALID_TOKEN");
    login(&app, "ada@example.com", NEW).await.expect(200);
    // That too is told by mail.
    app.until_count(1, "SELECT count(*) FROM account_mails WHERE purpose = 'password_changed' AND sent_at IS NOT NULL").await;
}

#[tokio::test]
async fn a_ban_ends_it_for_good() {
    let app = App::start().await;
    let (own, token) = open(&app).await;
    let id = own.get("/api/profile").send().await.expect(200).text_at("/id");
    let admin = app.admin().await;
    let ban = async |banned: bool| {
        admin.client.patch(&format!("/api/users/{id}")).json(&json!({ "banned": banned })).send().await.expect(200);
    };
    ban(true).await;
    reset(&app, &token, NEW).await.expect_error(400, "INVALID_TOKEN");
    ban(false).await;
    reset(&app, &token, NEW).await.expect_error(400, "INVALID_TOKEN");
    login(&app, "ada@example.com", OLD).await.expect(200);
}

#[tokio::test]
async fn another_address_ends_it_also_for_who_gets_the_old_one() {
    let app = App::start().await;
    let (_, token) = open(&app).await;
    app.sql("UPDATE users SET email = 'ada@example.org' WHERE email = 'ada@example.com'").await;
    reset(&app, &token, NEW).await.expect_error(400, "INVALID_TOKEN");
    registered(&app, "ada@example.com").await;
    reset(&app, &token, NEW).await.expect_error(400, "INVALID_TOKEN");
    login(&app, "ada@example.com", OLD).await.expect(200);
    login(&app, "ada@example.org", OLD).await.expect(200);
}

#[tokio::test]
async fn the_end_of_the_account_ends_it_also_for_who_comes_after() {
    let app = App::start().await;
    let (own, token) = open(&app).await;
    let id = own.get("/api/profile").send().await.expect(200).text_at("/id");
    app.admin().await.client.delete(&format!("/api/users/{id}")).send().await.expect(200);
    reset(&app, &token, NEW).await.expect_error(400, "INVALID_TOKEN");
    registered(&app, "ada@example.com").await;
    reset(&app, &token, NEW).await.expect_error(400, "INVALID_TOKEN");
    login(&app, "ada@example.com", OLD).await.expect(200);
}

#[tokio::test]
async fn a_log_in_with_the_old_password_does_not_outlive_a_reset() {
    let app = App::with(&[("DATABASE_LOCK_TIMEOUT_MS", "30000"), ("DATABASE_STATEMENT_TIMEOUT_MS", "30000")]).await;
    let (_, token) = open(&app).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let locker = app.database.connect().await;
    locker.batch_execute("BEGIN; LOCK TABLE sessions IN SHARE ROW EXCLUSIVE MODE").await.expect("a lock");
    let slow = async {
        app.until_count(1, waiting).await;
        let late = async {
            app.until_count(2, waiting).await;
            locker.batch_execute("ROLLBACK").await.expect("the end of the lock");
        };
        futures::join!(login(&app, "ada@example.com", OLD), late).0
    };
    let (changed, answer) = futures::join!(reset(&app, &token, NEW), slow);
    changed.expect(200);
    if answer.status == 200 {
        let client = tests::Client::new(app.address, Some(answer.text_at("/token")));
        client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn what_expired_is_swept_away() {
    let app = App::start().await;
    let (_, _) = open(&app).await;
    app.sql("UPDATE account_mails SET expires_at = now() WHERE purpose = 'reset_password'").await;
    let db = persistence::Db::new(
        std::sync::Arc::new(app.database.connector()),
        persistence::Sizes { pool: 2, pipelines: 1, pool_wait: std::time::Duration::from_secs(5), read: std::time::Duration::from_secs(5) },
        std::sync::Arc::default(),
    );
    assert_eq!(persistence::account_mails::sweep(&db, 100).await.expect("a sweep"), 1);
    assert_eq!(app.count("SELECT count(*) FROM account_mails WHERE purpose = 'reset_password'").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM account_mails").await, 1);
}

//! `PUT /api/auth/password`.

use serde_json::{Value, json};
use tests::{Answer, App, Client};

const OLD: &str = "difference engine 1843";
const NEW: &str = "analytical engine 1837";

async fn change(client: &Client, current: &str, new: &str) -> Answer {
    client.put("/api/auth/password").json(&json!({ "currentPassword": current, "newPassword": new })).send().await
}

async fn login(app: &App, password: &str) -> Answer {
    app.anon().post("/api/auth/login").json(&json!({ "email": "ada@example.com", "password": password })).send().await
}

async fn ada(app: &App) -> Client {
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": OLD });
    let token = app.anon().post("/api/auth/register").json(&body).send().await.expect(201).text_at("/token");
    Client::new(app.address, Some(token))
}

#[tokio::test]
async fn a_new_password_counts_from_now_on_and_ends_all_other_sessions() {
    let app = App::start().await;
    let own = ada(&app).await;
    let other = Client::new(app.address, Some(login(&app, OLD).await.expect(200).text_at("/token")));
    let stranger = app.user("Eve").await;
    other.get("/api/profile").send().await.expect(200);
    assert_eq!(change(&own, OLD, NEW).await.expect(200).json(), json!({ "success": true }));
    other.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    own.get("/api/profile").send().await.expect(200);
    stranger.client.get("/api/profile").send().await.expect(200);
    login(&app, OLD).await.expect_error(401, "UNAUTHORIZED");
    login(&app, NEW).await.expect(200);
}

#[tokio::test]
async fn the_password_so_far_is_asked_for_and_wrong_ones_are_counted() {
    let app = App::with(&[("RATE_LIMIT_LOGIN_ACCOUNT", "3/hour")]).await;
    let own = ada(&app).await;
    for _ in 0..3 {
        let refused = change(&own, "wrong", NEW).await.expect_refused(&["currentPassword"]);
        assert_eq!(refused.at("/details/fieldErrors/currentPassword/0"), "Wrong password");
    }
    change(&own, OLD, NEW).await.expect_error(429, "RATE_LIMITED");
    login(&app, OLD).await.expect_error(429, "RATE_LIMITED");
}

#[tokio::test]
async fn weak_and_malformed_passwords_are_refused_by_field_and_change_nothing() {
    let app = App::start().await;
    let own = ada(&app).await;
    let other = Client::new(app.address, Some(login(&app, OLD).await.expect(200).text_at("/token")));
    for weak in ["password", "12345678", "ada@example.com", "short", &"x".repeat(300)] {
        change(&own, OLD, weak).await.expect_refused(&["newPassword"]);
    }
    let put = async |body: Value| own.put("/api/auth/password").json(&body).send().await;
    put(json!({})).await.expect_refused(&["currentPassword", "newPassword"]);
    put(json!({ "currentPassword": null, "newPassword": 1, "userId": "x" })).await.expect_refused(&[
        "currentPassword",
        "newPassword",
        "userId",
    ]);
    other.get("/api/profile").send().await.expect(200);
    login(&app, OLD).await.expect(200);
}

#[tokio::test]
async fn it_takes_a_session() {
    let app = App::start().await;
    let own = ada(&app).await;
    change(&app.anon(), OLD, NEW).await.expect_error(401, "UNAUTHORIZED");
    let key = own.post("/api/api-keys").json(&json!({ "name": "x", "scopes": ["profile:write"] })).send().await.expect(201);
    let key = Client::new(app.address, Some(key.text_at("/key")));
    change(&key, OLD, NEW).await.expect_error(403, "FORBIDDEN");
    // An account without a password has none to give.
    change(&app.user("Eve").await.client, "", NEW).await.expect_refused(&["currentPassword"]);
    change(&app.user("Eve").await.client, "x", NEW).await.expect_refused(&["currentPassword"]);
    login(&app, OLD).await.expect(200);
}

#[tokio::test]
async fn of_many_changes_at_once_one_password_is_left_and_fits() {
    let app = App::with(&[("PASSWORD_HASH_QUEUE", "100")]).await;
    let own = ada(&app).await;
    let passwords: Vec<String> = (0..6).map(|number| format!("analytical engine {number}")).collect();
    let answers = futures::future::join_all(passwords.iter().map(|password| change(&own, OLD, password))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
    let mut fitting = 0;
    for password in &passwords {
        fitting += u32::from(login(&app, password).await.status == 200);
    }
    assert_eq!(fitting, 1);
    login(&app, OLD).await.expect_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_log_in_with_the_old_password_does_not_outlive_it() {
    let app = App::with(&[("DATABASE_LOCK_TIMEOUT_MS", "30000"), ("DATABASE_STATEMENT_TIMEOUT_MS", "30000")]).await;
    let own = ada(&app).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let locker = app.database.connect().await;
    locker.batch_execute("BEGIN; LOCK TABLE sessions IN SHARE ROW EXCLUSIVE MODE").await.expect("a lock");
    // The log-in finds the old password right while the change is under way, and writes after it.
    let slow = async {
        app.until_count(1, waiting).await;
        let late = async {
            app.until_count(2, waiting).await;
            locker.batch_execute("ROLLBACK").await.expect("the end of the lock");
        };
        futures::join!(login(&app, OLD), late).0
    };
    let (changed, answer) = futures::join!(change(&own, OLD, NEW), slow);
    changed.expect(200);
    if answer.status == 200 {
        let client = Client::new(app.address, Some(answer.text_at("/token")));
        client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    }
}

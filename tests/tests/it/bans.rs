//! Bans: `PATCH /api/users/{id}` with `banned`.

use serde_json::json;
use tests::{Answer, App, Caller, Client};

const PASSWORD: &str = "difference engine 1843";

async fn ban(by: &Caller, id: &str, banned: bool) -> Answer {
    by.client.patch(&format!("/api/users/{id}")).json(&json!({ "banned": banned })).send().await
}

async fn login(app: &App, password: &str) -> Answer {
    app.anon().post("/api/auth/login").json(&json!({ "email": "ada@example.com", "password": password })).send().await
}

/// The id and a signed-in client of an account with a password.
async fn ada(app: &App) -> (String, Client) {
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": PASSWORD });
    let made = app.anon().post("/api/auth/register").json(&body).send().await.expect(201);
    (made.text_at("/user/id"), Client::new(app.address, Some(made.text_at("/token"))))
}

#[tokio::test]
async fn who_is_banned_is_out_at_once_and_stays_out_until_unbanned() {
    let app = App::start().await;
    let root = app.admin().await;
    let (id, client) = ada(&app).await;
    client.get("/api/profile").send().await.expect(200);
    assert_eq!(ban(&root, &id, true).await.expect(200).at("/banned"), true);
    client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    client.post("/api/posts").json(&json!({ "title": "t", "content": "c" })).send().await.expect_error(401, "UNAUTHORIZED");
    let refused = login(&app, PASSWORD).await.expect_error(403, "FORBIDDEN");
    assert!(refused.header("set-cookie").is_none());
    // Only who knows the password learns of it.
    let (wrong, unknown) =
        (login(&app, "wrong").await.expect_error(401, "UNAUTHORIZED"), json!({ "email": "no@example.com", "password": "wrong" }));
    let unknown = app.anon().post("/api/auth/login").json(&unknown).send().await.expect_error(401, "UNAUTHORIZED");
    assert_eq!(wrong.at("/error"), unknown.at("/error"));
    assert_eq!(app.count(&format!("SELECT count(*) FROM sessions WHERE user_id = '{id}'")).await, 0);

    assert_eq!(ban(&root, &id, false).await.expect(200).at("/banned"), false);
    client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    let token = login(&app, PASSWORD).await.expect(200).text_at("/token");
    Client::new(app.address, Some(token)).get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn bans_are_for_administrators_to_make_and_to_see() {
    let app = App::start().await;
    let root = app.admin().await;
    let (id, client) = ada(&app).await;
    let eve = app.user("Eve").await;
    ban(&eve, &id, true).await.expect_error(403, "FORBIDDEN");
    let path = format!("/api/users/{id}");
    client.patch(&path).json(&json!({ "banned": false })).send().await.expect_error(403, "FORBIDDEN");
    for odd in [json!("yes"), json!(1), json!(null)] {
        root.client.patch(&path).json(&json!({ "banned": odd })).send().await.expect_refused(&["banned"]);
    }
    client.put("/api/profile").json(&json!({ "banned": false })).send().await.expect_refused(&["banned"]);
    ban(&root, &id, true).await.expect(200);
    assert_eq!(root.client.get(&path).send().await.expect(200).at("/banned"), true);
    assert!(eve.client.get(&path).send().await.expect(200).json().get("banned").is_none());
}

#[tokio::test]
async fn the_last_administrator_is_not_banned() {
    let app = App::start().await;
    let root = app.admin().await;
    ban(&root, &root.id.to_string(), true).await.expect_error(409, "LAST_ADMIN");
    let second = app.admin().await;
    ban(&root, &second.id.to_string(), true).await.expect(200);
    // Who is banned administrates nothing.
    ban(&root, &root.id.to_string(), true).await.expect_error(409, "LAST_ADMIN");
    let own = format!("/api/users/{}", root.id);
    root.client.patch(&own).json(&json!({ "role": "user" })).send().await.expect_error(409, "LAST_ADMIN");
    root.client.delete(&own).send().await.expect_error(409, "LAST_ADMIN");
    root.client.get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn of_two_administrators_banning_each_other_one_stays() {
    let app = App::start().await;
    for _ in 0..5 {
        app.sql("TRUNCATE users CASCADE").await;
        let (one, two) = (app.admin().await, app.admin().await);
        let (first, second) = (one.id.to_string(), two.id.to_string());
        let (by_one, by_two) = futures::join!(ban(&one, &second, true), ban(&two, &first, true));
        let count = "SELECT count(*) FROM users WHERE role = 'admin' AND banned_at IS NULL";
        assert_eq!(app.count(count).await, 1, "{} {}", by_one.status, by_two.status);
    }
}

#[tokio::test]
async fn log_ins_that_race_with_a_ban_leave_nobody_inside() {
    let app = App::with(&[("PASSWORD_HASH_QUEUE", "100")]).await;
    let root = app.admin().await;
    let (id, _) = ada(&app).await;
    let logins = futures::future::join_all((0..8).map(|_| login(&app, PASSWORD)));
    let (answers, banned) = futures::join!(logins, ban(&root, &id, true));
    banned.expect(200);
    for answer in answers {
        match answer.status {
            200 => {
                let client = Client::new(app.address, Some(answer.text_at("/token")));
                client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
            }
            status => assert_eq!(status, 403),
        }
    }
}

//! `/api/auth/password/forgot` and `/api/auth/password/reset`.

mod delivery;
mod ending;
mod silence;

use mailparse::parse_mail;
use serde_json::json;
use tests::{Answer, App, Client, Smtp, token_of};

pub(crate) const OLD: &str = "difference engine 1843";
pub(crate) const NEW: &str = "analytical engine 1837";

pub(crate) async fn forgot(app: &App, email: &str) -> Answer {
    app.anon().post("/api/auth/password/forgot").json(&json!({ "email": email })).send().await
}

pub(crate) async fn reset(app: &App, token: &str, password: &str) -> Answer {
    app.anon().post("/api/auth/password/reset").json(&json!({ "token": token, "password": password })).send().await
}

pub(crate) async fn login(app: &App, email: &str, password: &str) -> Answer {
    app.anon().post("/api/auth/login").json(&json!({ "email": email, "password": password })).send().await
}

/// Somebody with a password, signed in.
pub(crate) async fn registered(app: &App, email: &str) -> Client {
    let body = json!({ "email": email, "name": "Ada", "password": OLD });
    let token = app.anon().post("/api/auth/register").json(&body).send().await.expect(201).text_at("/token");
    Client::new(app.address, Some(token))
}

/// A mailed token to set a password, of an address that has asked for nothing yet.
pub(crate) async fn mailed_token(app: &App, email: &str) -> String {
    forgot(app, email).await.expect(200);
    app.mailed(email, "reset-password", 1).await.swap_remove(0)
}

/// A server that sends its mail there.
pub(crate) async fn with(smtp: &Smtp) -> App {
    App::with(&[("SMTP_URL", &smtp.url()), ("MAIL_FROM", "Handrail <no-reply@example.com>"), ("APP_URL", "https://app.example.com")]).await
}

/// The text of every mail, with its recipient.
pub(crate) fn texts(smtp: &Smtp) -> Vec<(String, String)> {
    let mails = smtp.mails().into_iter();
    mails.map(|mail| (mail.to.concat(), parse_mail(&mail.data).expect("a mail").get_body().expect("a text"))).collect()
}

/// The tokens of links to a page in the mails so far.
pub(crate) fn tokens(smtp: &Smtp, page: &str) -> Vec<String> {
    texts(smtp).iter().filter_map(|(_, text)| token_of(page, text)).collect()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_every_session_ends() {
    let app = App::start().await;
    let own = registered(&app, "ada@example.com").await;
    let other = Client::new(app.address, Some(login(&app, "ada@example.com", OLD).await.expect(200).text_at("/token")));
    let stranger = app.user("Eve").await;
    for client in [&own, &other] {
        assert_eq!(client.get("/api/profile").send().await.expect(200).at("/emailVerified"), false);
    }
    let token = mailed_token(&app, "ada@example.com").await;
    assert_eq!(token.len(), 43);
    own.get("/api/profile").send().await.expect(200);
    login(&app, "ada@example.com", OLD).await.expect(200);

    let done = reset(&app, &token, NEW).await.expect(200);
    assert_eq!((done.json(), done.header("set-cookie")), (json!({ "success": true }), None));
    for client in [&own, &other] {
        client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    }
    stranger.client.get("/api/profile").send().await.expect(200);
    login(&app, "ada@example.com", OLD).await.expect_error(401, "UNAUTHORIZED");
    // That the token came back has proved the address.
    assert_eq!(login(&app, "ada@example.com", NEW).await.expect(200).at("/user/emailVerified"), true);
    let told = "SELECT count(*) FROM account_mails WHERE purpose = 'password_changed' AND sent_at IS NOT NULL AND due_at IS NULL";
    app.until_count(1, told).await;
    for action in ["user.password_changed", "user.email_verified"] {
        let told =
            format!("SELECT count(*) FROM audit_events WHERE action = '{action}' AND actor_id = target_id AND address = '127.0.0.1'");
        assert_eq!(app.count(&told).await, 1, "{action}");
    }
}

/// A key was made for a program and does not end with a password. But whoever never proved that the address is theirs may have made the account
/// before its owner came, and would keep a way in.
#[tokio::test]
async fn a_reset_leaves_the_api_keys_of_who_had_verified_and_ends_those_of_who_had_not() {
    let app = App::start().await;
    let key = async |client: &Client| {
        let new = json!({ "name": "x", "scopes": ["profile:read"] });
        Client::new(app.address, Some(client.post("/api/api-keys").json(&new).send().await.expect(201).text_at("/key")))
    };
    let eve = key(&registered(&app, "ada@example.com").await).await;
    eve.get("/api/profile").send().await.expect(200);
    reset(&app, &mailed_token(&app, "ada@example.com").await, NEW).await.expect(200);
    eve.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");

    let token = login(&app, "ada@example.com", NEW).await.expect(200).text_at("/token");
    let own = key(&Client::new(app.address, Some(token))).await;
    forgot(&app, "ada@example.com").await.expect(200);
    let second = app.mailed("ada@example.com", "reset-password", 2).await.swap_remove(1);
    reset(&app, &second, OLD).await.expect(200);
    own.get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn an_account_without_a_password_gets_its_first_one() {
    let app = App::start().await;
    let grace = app.user("Grace").await;
    let token = mailed_token(&app, &grace.email).await;
    reset(&app, &token, NEW).await.expect(200);
    login(&app, &grace.email, NEW).await.expect(200);
}

#[tokio::test]
async fn a_token_works_once_for_its_purpose_and_until_it_expires() {
    let app = App::start().await;
    registered(&app, "ada@example.com").await;
    let verification = app.mailed("ada@example.com", "verify-email", 1).await.swap_remove(0);
    let token = mailed_token(&app, "ada@example.com").await;
    let worthless = async |token: &str| {
        let refused = reset(&app, token, NEW).await.expect_error(400, "INVALID_TOKEN");
        assert!(refused.text_at("/error").contains("does not work") && !refused.text.contains(token), "{}", refused.text);
    };
    // The last character of 43 holds two bits that must be zero: not every text of that form is a token.
    for wrong in [verification.as_str(), &"A".repeat(43), &format!("{}B", "A".repeat(42))] {
        worthless(wrong).await;
    }
    app.anon().post("/api/auth/verify-email").json(&json!({ "token": token })).send().await.expect_error(400, "INVALID_TOKEN");
    app.sql("UPDATE account_mails SET expires_at = now() WHERE purpose = 'reset_password'").await;
    worthless(&token).await;
    app.sql("UPDATE account_mails SET expires_at = now() + interval '1 minute' WHERE purpose = 'reset_password'").await;
    reset(&app, &token, NEW).await.expect(200);
    worthless(&token).await;
    login(&app, "ada@example.com", NEW).await.expect(200);
    // Nor does it work as a session.
    Client::new(app.address, Some(token)).get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn of_sixteen_who_use_a_token_at_once_one_wins() {
    let app = App::with(&[("PASSWORD_HASH_QUEUE", "100"), ("DATABASE_POOL_WAIT_MS", "30000")]).await;
    registered(&app, "ada@example.com").await;
    let token = mailed_token(&app, "ada@example.com").await;
    let passwords: Vec<String> = (0..16).map(|number| format!("analytical engine {number}")).collect();
    let answers = futures::future::join_all(passwords.iter().map(|password| reset(&app, &token, password))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.at("/code") == "INVALID_TOKEN"), "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 200).expect("a winner");
    login(&app, "ada@example.com", &passwords[winner]).await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM audit_events WHERE action = 'user.password_changed'").await, 1);
}

#[tokio::test]
async fn a_weak_password_is_refused_by_field_and_uses_nothing_up() {
    let app = App::start().await;
    let own = registered(&app, "ada@example.com").await;
    let token = mailed_token(&app, "ada@example.com").await;
    for weak in ["password", "12345678", "ada@example.com", "short", &"x".repeat(300)] {
        reset(&app, &token, weak).await.expect_refused(&["password"]);
    }
    own.get("/api/profile").send().await.expect(200);
    reset(&app, &token, NEW).await.expect(200);
}

#[tokio::test]
async fn what_is_malformed_is_refused_by_field() {
    let app = App::start().await;
    let post = async |path: &str, body| app.anon().post(path).json(&body).send().await;
    post("/api/auth/password/forgot", json!({})).await.expect_refused(&["email"]);
    for email in
        [json!("no"), json!(null), json!(["a@example.com"]), json!("a@example.com\nBcc: b@example.com"), json!("a\u{0}@example.com")]
    {
        post("/api/auth/password/forgot", json!({ "email": email, "role": "admin" })).await.expect_refused(&["email", "role"]);
    }
    post("/api/auth/password/reset", json!({})).await.expect_refused(&["password", "token"]);
    for token in ["", "x", &"A".repeat(42), &"A".repeat(44), &format!("{}=", "A".repeat(42)), &"x".repeat(60_000), &"é".repeat(43)] {
        post("/api/auth/password/reset", json!({ "token": token, "password": NEW, "userId": 1 }))
            .await
            .expect_refused(&["token", "userId"]);
        post("/api/auth/verify-email", json!({ "token": token })).await.expect_refused(&["token"]);
    }
    assert_eq!(app.count("SELECT count(*) FROM account_mails").await, 0);
}

#[tokio::test]
async fn a_token_is_nowhere_but_in_its_mail() {
    let app = App::start().await;
    registered(&app, "ada@example.com").await;
    let verification = app.mailed("ada@example.com", "verify-email", 1).await.swap_remove(0);
    let token = mailed_token(&app, "ada@example.com").await;
    let sql = app.database.connect().await;
    let tables = sql.query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'", &[]).await.expect("the tables");
    assert!(tables.len() > 8);
    for table in tables {
        let table: String = table.get(0);
        for token in [&token, &verification] {
            assert_eq!(app.count(&format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{token}%'")).await, 0, "{table}");
        }
    }
}

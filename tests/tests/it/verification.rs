//! `/api/auth/verify-email`, and what accounts are barred from that have not.

mod barred;

use serde_json::json;
use tests::{Answer, App, Program, Smtp};

use crate::recovery::{NEW, login, mailed_token, registered, reset, texts, tokens, with};

async fn verify(app: &App, token: &str) -> Answer {
    app.anon().post("/api/auth/verify-email").json(&json!({ "token": token })).send().await
}

async fn ask(caller: &tests::Client) -> Answer {
    caller.post("/api/auth/verify-email/request").send().await
}

async fn is_verified(caller: &tests::Client) -> bool {
    caller.get("/api/profile").send().await.expect(200).at("/emailVerified") == true
}

#[tokio::test]
async fn who_registers_is_mailed_a_link_that_verifies_the_address_once() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let body = json!({ "email": "Ada@Example.com", "name": "Ada", "password": NEW });
    let answer = app.anon().post("/api/auth/register").json(&body).send().await.expect(201);
    assert_eq!(answer.at("/user/emailVerified"), false);
    let ada = tests::Client::new(app.address, Some(answer.text_at("/token")));
    smtp.wait_for(1).await;
    app.until_count(1, "SELECT count(*) FROM account_mails WHERE sent_at IS NOT NULL").await;
    let (to, text) = texts(&smtp).swap_remove(0);
    let token = tokens(&smtp, "verify-email").swap_remove(0);
    assert_eq!(to, "Ada@example.com");
    assert!(text.contains(&format!("https://app.example.com/verify-email/{token}\n")) && text.contains("Hello,"), "{text}");
    assert!(!is_verified(&ada).await);
    // The link may be opened anywhere: it takes no session, and makes none.
    let done = verify(&app, &token).await.expect(200);
    assert_eq!((done.json(), done.header("set-cookie")), (json!({ "success": true }), None));
    assert!(is_verified(&ada).await);
    assert_eq!(login(&app, "ada@example.com", NEW).await.expect(200).at("/user/emailVerified"), true);
    verify(&app, &token).await.expect_error(400, "INVALID_TOKEN");
    let told = "SELECT count(*) FROM audit_events WHERE action = 'user.email_verified' AND actor_id = target_id AND address = '127.0.0.1'";
    assert_eq!(app.count(told).await, 1);
    assert_eq!((smtp.mails().len(), app.count("SELECT count(*) FROM account_mails").await), (1, 0));
}

#[tokio::test]
async fn of_sixteen_who_use_a_token_at_once_one_wins() {
    let app = App::with(&[("DATABASE_POOL_WAIT_MS", "30000")]).await;
    registered(&app, "ada@example.com").await;
    let token = app.mailed("ada@example.com", "verify-email", 1).await.swap_remove(0);
    let statuses: Vec<u16> =
        futures::future::join_all((0..16).map(|_| verify(&app, &token))).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
}

#[tokio::test]
async fn an_expired_token_is_worth_nothing_and_another_can_be_asked_for() {
    let app = App::start().await;
    let ada = registered(&app, "ada@example.com").await;
    let first = app.mailed("ada@example.com", "verify-email", 1).await.swap_remove(0);
    app.until_count(1, "SELECT count(*) FROM account_mails WHERE sent_at IS NOT NULL").await;
    app.sql("UPDATE account_mails SET expires_at = now()").await;
    verify(&app, &first).await.expect_error(400, "INVALID_TOKEN");
    ask(&ada).await.expect(200);
    app.sql("UPDATE account_mails SET expires_at = now() + interval '1 hour'").await;
    // The one before ended with the question, not with the mail.
    verify(&app, &first).await.expect_error(400, "INVALID_TOKEN");
    let second = app.mailed("ada@example.com", "verify-email", 2).await.swap_remove(1);
    verify(&app, &second).await.expect(200);
    ask(&ada).await.expect_error(409, "CONFLICT");
}

#[tokio::test]
async fn an_account_made_by_an_administrator_is_asked_too_and_a_reset_answers() {
    let app = App::start().await;
    let admin = app.admin().await;
    let body = json!({ "email": "grace@example.com", "name": "Grace" });
    let made = admin.client.post("/api/users").json(&body).send().await.expect(201);
    assert_eq!(made.at("/emailVerified"), false);
    let token = app.mailed("grace@example.com", "verify-email", 1).await.swap_remove(0);
    let path = format!("/api/users/{}", made.text_at("/id"));
    let password = mailed_token(&app, "grace@example.com").await;
    reset(&app, &password, NEW).await.expect(200);
    assert_eq!(admin.client.get(&path).send().await.expect(200).at("/emailVerified"), true);
    assert!(app.anon().get(&path).send().await.expect(200).json().get("emailVerified").is_none(), "nobody else's business");
    verify(&app, &token).await.expect_error(400, "INVALID_TOKEN");
}

#[tokio::test]
async fn asking_again_is_limited_by_the_address_and_says_so() {
    let app = App::with(&[("RATE_LIMIT_RECIPIENT", "2/hour")]).await;
    let grace = app.user("Grace").await;
    for _ in 0..2 {
        ask(&grace.client).await.expect(200);
    }
    assert!(ask(&grace.client).await.expect_error(429, "RATE_LIMITED").header("retry-after").is_some());
    ask(&app.user("Eve").await.client).await.expect(200);
    ask(&app.anon()).await.expect_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_mailed_invitation_that_is_accepted_proves_the_address() {
    let app = App::start().await;
    let (ada, grace) = (app.user("Ada").await, app.user("Grace").await);
    let org = app.org(&ada, "Acme").await;
    let invitation = json!({ "email": grace.email.to_uppercase(), "role": "member" });
    ada.client.post(&format!("/api/orgs/{org}/invitations")).json(&invitation).send().await.expect(201);
    let to = format!("{}@example.com", grace.email.to_uppercase().split('@').next().expect("a name"));
    let token = app.mailed_token(&to).await;
    ada.client.post(&format!("/api/invitations/{token}/accept")).send().await.expect_error(403, "FORBIDDEN");
    grace.client.post(&format!("/api/invitations/{token}/accept")).send().await.expect(200);
    assert!(is_verified(&grace.client).await && !is_verified(&ada.client).await);
}

/// The database takes the Kelvin sign for a capital K; whoever reads the mail of the one need not have the other's mailbox.
#[tokio::test]
async fn an_address_that_is_only_alike_proves_nothing() {
    let app = App::start().await;
    let (ada, kate) = (app.user("Ada").await, app.user("Kate").await);
    let org = app.org(&ada, "Acme").await;
    let invitation = json!({ "email": kate.email, "role": "member" });
    ada.client.post(&format!("/api/orgs/{org}/invitations")).json(&invitation).send().await.expect(201);
    let token = app.mailed_token(&kate.email).await;
    app.until_count(1, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL").await;
    app.sql("UPDATE invitations SET email = replace(email, 'k', U&'\\212A')").await;
    let accepted = kate.client.post(&format!("/api/invitations/{token}/accept")).send().await;
    assert!(matches!(accepted.status, 200 | 403), "as the database's locale has it");
    assert!(!is_verified(&kate.client).await);
}

#[tokio::test]
async fn another_address_has_yet_to_be_verified_and_ends_the_token_of_the_first() {
    let app = App::start().await;
    let ada = registered(&app, "ada@example.com").await;
    let token = app.mailed("ada@example.com", "verify-email", 1).await.swap_remove(0);
    app.sql("UPDATE users SET email = 'ada@example.org'").await;
    verify(&app, &token).await.expect_error(400, "INVALID_TOKEN");
    ask(&ada).await.expect(200);
    verify(&app, &app.mailed("ada@example.org", "verify-email", 1).await[0]).await.expect(200);
    assert!(is_verified(&ada).await);
    app.sql("UPDATE users SET email = 'ada@example.net'").await;
    assert!(!is_verified(&ada).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_counts_as_verified() {
    let database = tests::Database::empty().await;
    let variables = [
        ("DATABASE_URL", database.url.as_str()),
        ("PORT", "0"),
        ("WORKERS", "1"),
        ("ADMIN_EMAIL", "boss@example.com"),
        ("ADMIN_PASSWORD", "given password 77"),
    ];
    let program = Program::start(&["serve"], &variables);
    program.expect_line("Stop");
    let body = json!({ "email": "boss@example.com", "password": "given password 77" });
    let answer = program.client().post("/api/auth/login").json(&body).send().await.expect(200);
    assert_eq!(answer.at("/user/emailVerified"), true);
}

//! Nobody learns who has an account, and nobody's mailbox is filled.

use serde_json::json;
use tests::{App, Database, Proxy, Smtp};

use super::{NEW, forgot, mailed_token, registered, reset, texts, tokens, with};

const DUE: &str = "SELECT count(*) FROM account_mails WHERE due_at IS NOT NULL";

#[tokio::test]
async fn the_answer_is_the_same_for_everybody() {
    let app = App::with(&[("RATE_LIMIT_RECIPIENT", "2/hour"), ("RATE_LIMIT_FORGOT", "1000/hour")]).await;
    registered(&app, "ada@example.com").await;
    registered(&app, "bob@example.com").await;
    app.sql("UPDATE users SET banned_at = now() WHERE email = 'bob@example.com'").await;
    let without_password = app.user("Grace").await;
    let mut seen = Vec::new();
    // The third is beyond the limit of the address.
    for email in ["ada@example.com", "nobody@example.com", "bob@example.com", &without_password.email].repeat(3) {
        let body = json!({ "email": email });
        let answer = app.anon().post("/api/auth/password/forgot").header("x-request-id", "same").json(&body).send().await.expect(200);
        let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        seen.push((answer.text, headers));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn only_accounts_that_are_not_banned_get_a_mail_at_their_own_address() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let (grace, eve) = (app.user("Grace").await, app.user("Eve").await);
    app.sql(&format!("UPDATE users SET banned_at = now() WHERE id = '{}'", eve.id)).await;
    for email in ["nobody@example.com", &eve.email, &grace.email.to_uppercase()] {
        forgot(&app, email).await.expect(200);
    }
    app.until_count(0, DUE).await;
    let texts = texts(&smtp);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(texts[0].0, grace.email, "as the account has it, not as it was asked for");
    let token = tokens(&smtp, "reset-password").swap_remove(0);
    assert!(texts[0].1.contains(&format!("https://app.example.com/reset-password/{token}\n")), "{texts:?}");
    // What stays of each looks the same, so that asking again is the same work too.
    assert_eq!(app.count("SELECT count(*) FROM account_mails WHERE purpose = 'reset_password' AND expires_at > now()").await, 3);
    reset(&app, &token, NEW).await.expect(200);
}

/// How much is sent to the database says whether the same statements ran: no stop-watch could tell so little.
#[tokio::test]
async fn the_work_is_the_same_whether_there_is_an_account_or_not() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let limits = [("WORKER", "false"), ("RATE_LIMIT_FORGOT", "1000/hour"), ("RATE_LIMIT_RECIPIENT", "100/hour")];
    let app = App::on(database, &url, &limits).await;
    for name in ["known0", "known1", "known2"] {
        registered(&app, &format!("{name}@example.com")).await;
    }
    // Every statement is prepared by now.
    for _ in 0..4 {
        forgot(&app, "warmup@example.com").await.expect(200);
    }
    let mut sent = Vec::new();
    for kind in ["known", "other"] {
        let before = proxy.sent();
        for number in 0..12 {
            forgot(&app, &format!("{kind}{}@example.com", number % 3)).await.expect(200);
        }
        sent.push(proxy.sent() - before);
    }
    assert!(sent[0] > 12 * 200 && sent[0].abs_diff(sent[1]) < 400, "{sent:?}: one statement more would be more than that");
    assert_eq!(app.count("SELECT count(*) FROM account_mails WHERE purpose = 'reset_password' AND due_at <= now()").await, 7);
}

#[tokio::test]
async fn an_address_gets_so_many_mails_whoever_asks_and_however_it_is_written() {
    let smtp = Smtp::start().await;
    let app = App::with(&[("SMTP_URL", &smtp.url()), ("RATE_LIMIT_RECIPIENT", "2/hour")]).await;
    let grace = app.user("Grace").await;
    for count in 1..=2 {
        forgot(&app, &grace.email).await.expect(200);
        smtp.wait_for(count).await;
        app.until_count(0, DUE).await;
    }
    let second = App::beside(&app, &[("SMTP_URL", &smtp.url()), ("RATE_LIMIT_RECIPIENT", "2/hour")]).await;
    for app in [&app, &second] {
        forgot(app, &grace.email).await.expect(200);
        forgot(app, &grace.email.to_uppercase()).await.expect(200);
        assert_eq!(app.count(DUE).await, 0, "nothing was asked for");
    }
    // The limit is of the address and the purpose; and what was mailed last still works.
    grace.client.post("/api/auth/verify-email/request").send().await.expect(200);
    forgot(&app, &app.user("Eve").await.email).await.expect(200);
    assert_eq!(smtp.wait_for(4).await.len(), 4);
    reset(&app, &tokens(&smtp, "reset-password")[1], NEW).await.expect(200);
}

#[tokio::test]
async fn asking_and_trying_tokens_are_limited_by_the_address_they_come_from() {
    let app = App::with(&[("RATE_LIMIT_FORGOT", "2/hour"), ("RATE_LIMIT_MAILED_TOKEN", "3/hour")]).await;
    for number in 0..2 {
        let answer = forgot(&app, &format!("{number}@example.com")).await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"forgot\";q=2;w=3600"));
    }
    forgot(&app, "c@example.com").await.expect_error(429, "RATE_LIMITED");
    assert_eq!(app.count("SELECT count(*) FROM account_mails").await, 2);
    let nothing = "A".repeat(43);
    reset(&app, &nothing, NEW).await.expect_error(400, "INVALID_TOKEN");
    let verify = async || app.anon().post("/api/auth/verify-email").json(&json!({ "token": nothing })).send().await;
    verify().await.expect_error(400, "INVALID_TOKEN");
    reset(&app, &nothing, "short").await.expect_refused(&["password"]);
    reset(&app, &nothing, NEW).await.expect_error(429, "RATE_LIMITED");
    verify().await.expect_error(429, "RATE_LIMITED");
}

#[tokio::test]
async fn worthless_tokens_count_like_other_worthless_credentials() {
    let app = App::with(&[("RATE_LIMIT_BAD_CREDENTIALS", "3/hour")]).await;
    registered(&app, "ada@example.com").await;
    let token = mailed_token(&app, "ada@example.com").await;
    let nothing = || auth::Token::generate().expect("randomness").reveal();
    for _ in 0..3 {
        reset(&app, &nothing(), NEW).await.expect_error(400, "INVALID_TOKEN");
    }
    let refused = reset(&app, &nothing(), NEW).await.expect_error(429, "RATE_LIMITED");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"credentials\";q=3;w=3600"));
    reset(&app, &token, NEW).await.expect_error(429, "RATE_LIMITED");
}

#[tokio::test]
async fn without_mail_in_production_nothing_is_asked_for() {
    let app = App::with(&[("APP_ENV", "production")]).await;
    registered(&app, "ada@example.com").await;
    let grace = app.user("Grace").await;
    for email in ["ada@example.com", "nobody@example.com"] {
        assert_eq!(forgot(&app, email).await.expect_error(503, "NOT_CONFIGURED").at("/error"), "Mail is not configured");
    }
    grace.client.post("/api/auth/verify-email/request").send().await.expect_error(503, "NOT_CONFIGURED");
    reset(&app, &"A".repeat(43), NEW).await.expect_error(400, "INVALID_TOKEN");
    assert_eq!(app.count("SELECT count(*) FROM account_mails").await, 0);
}

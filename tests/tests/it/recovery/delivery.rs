//! The mails: none lost, none twice, none that came too late.

use serde_json::json;
use tests::{App, Program, Smtp};

use super::{NEW, OLD, forgot, registered, reset, texts, tokens, with};

/// Makes every mail that waits due now, which wakes whoever sends.
const NOW: &str = "UPDATE account_mails SET due_at = now() WHERE due_at IS NOT NULL";
const DUE: &str = "SELECT count(*) FROM account_mails WHERE due_at IS NOT NULL";

#[tokio::test]
async fn the_mail_waits_for_a_mail_server_that_is_away() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let grace = app.user("Grace").await;
    smtp.answer("CONNECT", "421 4.3.2 not now");
    forgot(&app, &grace.email).await.expect(200);
    app.until_count(1, "SELECT count(*) FROM account_mails WHERE attempts = 1 AND due_at BETWEEN now() AND now() + interval '16 s'").await;
    smtp.mend();
    app.sql(NOW).await;
    smtp.wait_for(1).await;
    app.until_count(0, DUE).await;
    reset(&app, &tokens(&smtp, "reset-password")[0], NEW).await.expect(200);
    // The notice of it is a mail of its own.
    assert_eq!(smtp.wait_for(2).await.len(), 2);
    let (to, text) = texts(&smtp).swap_remove(1);
    assert_eq!(to, grace.email);
    assert!(text.contains("was changed") && text.contains("https://app.example.com/forgot-password"), "{text}");
}

#[tokio::test]
async fn what_the_server_refuses_for_good_is_given_up_and_can_be_asked_for_again() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let grace = app.user("Grace").await;
    smtp.answer("RCPT", "550 5.1.1 nobody of this name");
    forgot(&app, &grace.email).await.expect(200);
    app.until_count(1, "SELECT count(*) FROM account_mails WHERE attempts = 1 AND due_at IS NULL AND sent_at IS NULL").await;
    smtp.mend();
    forgot(&app, &grace.email).await.expect(200);
    smtp.wait_for(1).await;
}

#[tokio::test]
async fn no_mail_goes_out_for_what_is_settled_or_too_late() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    smtp.answer("CONNECT", "421 4.3.2 not now");
    let own = registered(&app, "ada@example.com").await;
    let (grace, eve) = (app.user("Grace").await, app.user("Eve").await);
    for email in ["ada@example.com", &grace.email, &eve.email] {
        forgot(&app, email).await.expect(200);
    }
    app.until_count(4, "SELECT count(*) FROM account_mails WHERE attempts = 1 AND due_at BETWEEN now() AND now() + interval '16 s'").await;
    app.sql("UPDATE account_mails SET due_at = now() + interval '1 hour'").await;
    smtp.mend();
    // One changes the password and proves the address, one is banned, and one's mail is too late.
    own.put("/api/auth/password").json(&json!({ "currentPassword": OLD, "newPassword": NEW })).send().await.expect(200);
    app.sql("UPDATE users SET email_verified_at = now() WHERE email = 'ada@example.com'").await;
    app.sql(&format!("UPDATE users SET banned_at = now() WHERE id = '{}'", eve.id)).await;
    app.sql(&format!("UPDATE account_mails SET expires_at = now() WHERE email = '{}'", grace.email)).await;
    app.sql(NOW).await;
    smtp.wait_for(1).await;
    app.until_count(0, "SELECT count(*) FROM account_mails WHERE due_at IS NOT NULL AND expires_at > now()").await;
    let texts = texts(&smtp);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].1.contains("password of your account was changed"), "{texts:?}");
}

#[tokio::test]
async fn two_processes_send_each_mail_once() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let _second = App::beside(&app, &[("SMTP_URL", &smtp.url())]).await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let mut callers = Vec::new();
    for number in 0..10 {
        callers.push(app.user(&format!("Guest{number}")).await);
    }
    // All kinds of mail are sent by the same loop.
    futures::future::join_all(callers.iter().map(|caller| async {
        forgot(&app, &caller.email).await.expect(200);
        caller.client.post("/api/auth/verify-email/request").send().await.expect(200);
        let invitation = json!({ "email": caller.email, "role": "member" });
        ada.client.post(&format!("/api/orgs/{org}/invitations")).json(&invitation).send().await.expect(201);
    }))
    .await;
    app.until_count(20, "SELECT count(*) FROM account_mails WHERE sent_at IS NOT NULL").await;
    app.until_count(10, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL").await;
    assert_eq!(smtp.mails().len(), 30);
    for page in ["reset-password", "verify-email", "invitations"] {
        let mut tokens = tokens(&smtp, page);
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), 10, "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_sender_was_killed_is_sent_by_another() {
    let smtp = Smtp::start().await;
    let app = App::with(&[("WORKER", "false")]).await;
    let grace = app.user("Grace").await;
    let (url, database) = (smtp.url(), app.database.url.clone());
    let variables = [("DATABASE_URL", database.as_str()), ("PORT", "0"), ("SMTP_URL", url.as_str()), ("SMTP_TIMEOUT_SECONDS", "60")];
    // It hands the mail over and never hears that it arrived: the one moment in which a mail can go out twice.
    smtp.answer("END", "");
    let mut first = Program::start(&["worker"], &variables);
    forgot(&app, &grace.email).await.expect(200);
    smtp.wait_for(1).await;
    first.kill();
    smtp.mend();
    app.sql(NOW).await;
    let _second = Program::start(&["worker"], &variables);
    smtp.wait_for(2).await;
    app.until_count(0, DUE).await;
    let tokens = tokens(&smtp, "reset-password");
    reset(&app, &tokens[0], NEW).await.expect_error(400, "INVALID_TOKEN");
    reset(&app, &tokens[1], NEW).await.expect(200);
}

#[tokio::test]
async fn nothing_is_answered_as_done_that_the_database_did_not_take() {
    let app = App::start().await;
    registered(&app, "ada@example.com").await;
    app.until_count(0, DUE).await;
    let token = super::mailed_token(&app, "ada@example.com").await;
    app.sql("ALTER TABLE account_mails ADD CONSTRAINT none CHECK (purpose <> 'password_changed')").await;
    reset(&app, &token, NEW).await.expect(500);
    super::login(&app, "ada@example.com", OLD).await.expect(200);
    app.sql("ALTER TABLE account_mails DROP CONSTRAINT none").await;
    reset(&app, &token, NEW).await.expect(200);
    app.until_count(1, "SELECT count(*) FROM account_mails WHERE purpose = 'password_changed' AND sent_at IS NOT NULL").await;
}

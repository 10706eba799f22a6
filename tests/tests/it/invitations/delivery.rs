//! The mails of invitations.

use mailparse::{MailHeaderMap, parse_mail};
use serde_json::json;
use tests::{App, Smtp, token_of_link};

use super::{accept, invite, open};

async fn with(smtp: &Smtp) -> App {
    App::with(&[("SMTP_URL", &smtp.url()), ("MAIL_FROM", "Handrail <no-reply@example.com>"), ("APP_URL", "https://app.example.com")]).await
}

/// Makes every mail that waits due now. Whoever sends looks every few seconds; another invitation would wake them at once.
const NOW: &str = "UPDATE invitations SET mail_due_at = now() WHERE mail_due_at IS NOT NULL";

#[tokio::test]
async fn the_mail_goes_to_the_invited_alone_and_its_link_lets_them_in() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let (ada, guest) = (app.user("Ada Lovelace").await, app.user("Guest").await);
    let org = app.org(&ada, "Acme & Söhne").await;
    invite(&org, &ada, &guest.email, "admin").await.expect(201);
    let mails = smtp.wait_for(1).await;
    assert_eq!((mails[0].from.as_str(), &mails[0].to), ("no-reply@example.com", &vec![guest.email.clone()]));
    let parsed = parse_mail(&mails[0].data).expect("a mail");
    assert_eq!(parsed.headers.get_first_value("Subject").as_deref(), Some("Ada Lovelace invites you to Acme & Söhne"));
    assert_eq!(parsed.headers.get_first_value("To"), Some(guest.email.clone()));
    let text = parsed.get_body().expect("a text");
    let token = token_of_link(&text).expect("a link");
    assert!(text.contains(&format!("https://app.example.com/invitations/{token}\r\n")) && text.contains("as an administrator"), "{text}");
    assert_eq!(token.len(), 43);
    app.until_count(1, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL AND mail_due_at IS NULL").await;
    accept(&token, &guest).await.expect(200);
    assert_eq!(smtp.mails().len(), 1);
}

#[tokio::test]
async fn nobody_waits_for_a_mail_server_that_is_down_and_the_mail_arrives_later() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let (ada, guest) = (app.user("Ada").await, app.user("Guest").await);
    let org = app.org(&ada, "Acme").await;
    smtp.answer("CONNECT", "421 4.3.2 not now");
    let begun = std::time::Instant::now();
    assert_eq!(invite(&org, &ada, &guest.email, "member").await.expect(201).at("/delivery"), "pending");
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    app.until_count(
        1,
        "SELECT count(*) FROM invitations WHERE mail_attempts = 1 AND mail_due_at BETWEEN now() AND now() + interval '16 s'",
    )
    .await;
    assert_eq!(open(&org, &ada).await[0]["delivery"], "pending");
    smtp.mend();
    app.sql(NOW).await;
    invite(&org, &ada, "wake@example.com", "member").await.expect(201);
    let mails = smtp.wait_for(2).await;
    let mail = mails.iter().find(|mail| mail.to == [guest.email.clone()]).expect("it");
    let token = token_of_link(&parse_mail(&mail.data).expect("a mail").get_body().expect("a text")).expect("a link");
    app.until_count(2, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL").await;
    assert!(open(&org, &ada).await.iter().all(|one| one["delivery"] == "sent"));
    accept(&token, &guest).await.expect(200);
}

#[tokio::test]
async fn what_the_server_refuses_for_good_has_failed_and_can_be_sent_again() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    smtp.answer("RCPT", "550 5.1.1 nobody of this name");
    let made = invite(&org, &ada, "guest@example.com", "member").await.expect(201);
    app.until_count(1, "SELECT count(*) FROM invitations WHERE mail_attempts = 1 AND mail_due_at IS NULL").await;
    assert_eq!(open(&org, &ada).await[0]["delivery"], "failed");
    invite(&org, &ada, "guest@example.com", "member").await.expect_error(409, "ALREADY_INVITED");
    smtp.mend();
    let resend = format!("{}/resend", made.header("location").expect("a location"));
    ada.client.post(&resend).send().await.expect(200);
    smtp.wait_for(1).await;
    app.until_count(1, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL").await;
}

#[tokio::test]
async fn a_server_that_says_nothing_holds_up_nobody_but_its_mail() {
    let smtp = Smtp::start().await;
    let app = App::with(&[("SMTP_URL", &smtp.url()), ("SMTP_TIMEOUT_SECONDS", "1")]).await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    smtp.answer("END", "");
    for number in 0..3 {
        invite(&org, &ada, &format!("guest{number}@example.com"), "member").await.expect(201);
    }
    app.until_count(3, "SELECT count(*) FROM invitations WHERE mail_attempts = 1 AND mail_due_at IS NOT NULL").await;
    ada.client.get("/api/profile").send().await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'").await, 0);
}

#[tokio::test]
async fn two_processes_send_each_mail_once() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let _second = App::beside(&app, &[("SMTP_URL", &smtp.url())]).await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let invitations = (0..20).map(|number| invite_numbered(&org, &ada, number));
    futures::future::join_all(invitations).await;
    app.until_count(20, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL").await;
    let mut recipients: Vec<String> = smtp.mails().into_iter().flat_map(|mail| mail.to).collect();
    recipients.sort();
    recipients.dedup();
    assert_eq!((recipients.len(), smtp.mails().len()), (20, 20));
}

async fn invite_numbered(org: &str, by: &tests::Caller, number: u8) {
    invite(org, by, &format!("guest{number}@example.com"), "member").await.expect(201);
}

#[tokio::test]
async fn no_name_becomes_a_header_or_a_mail_of_its_own() {
    let smtp = Smtp::start().await;
    let app = with(&smtp).await;
    let ada = app.user("Ada").await;
    // Names come in without line ends; these stand for whatever got past.
    for (number, odd) in
        ["A\r\nBcc: eve@example.com", "A\n.\nQUIT", "A\u{85}Bcc: eve@example.com", "A\u{2028}B", "=?utf-8?q?A=0D=0ABcc:_x?="]
            .iter()
            .enumerate()
    {
        let org = app.org(&ada, "Acme").await;
        let sql = app.database.connect().await;
        sql.execute("UPDATE organisations SET name = $1 WHERE id = $2::text::uuid", &[odd, &org]).await.expect("a name");
        sql.execute("UPDATE users SET name = $1", &[odd]).await.expect("a name");
        invite(&org, &ada, "guest@example.com", "member").await.expect(201);
        let mails = smtp.wait_for(number + 1).await;
        let mail = &mails[number];
        assert_eq!((mails.len(), &mail.to), (number + 1, &vec!["guest@example.com".to_owned()]));
        let parsed = parse_mail(&mail.data).expect("a mail");
        let names: Vec<String> = parsed.headers.iter().map(|header| header.get_key().to_lowercase()).collect();
        assert!(!names.contains(&"bcc".to_owned()), "{names:?}");
        assert!(token_of_link(&parsed.get_body().expect("a text")).is_some());
    }
}

#[tokio::test]
async fn in_production_without_a_mail_server_nobody_is_invited() {
    let app = App::with(&[("APP_ENV", "production")]).await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let refused = invite(&org, &ada, "guest@example.com", "member").await.expect_error(503, "NOT_CONFIGURED");
    assert_eq!(refused.at("/error"), json!("Mail is not configured"));
    assert!(open(&org, &ada).await.is_empty());
    assert_eq!(app.count("SELECT count(*) FROM invitations").await, 0);
}

//! The settings of mail.

use super::SECOND_MS;
use crate::{
    reader::Reader,
    types::{Http, Mail},
    values::{link_base, redact_url, smtp_url},
};

pub(super) fn read(r: &mut Reader<'_>, http: &Http, production: bool) -> Mail {
    const NOBODY: &str = "Handrail <no-reply@localhost>";
    r.section("Mail");
    let smtp_url = r.secret(
        "SMTP_URL",
        "smtps://user:password@host, or smtp://host?tls=required; absent in development: mail is written to DATA_DIR/mail",
        smtp_url,
        redact_url,
    );
    let from = r.value("MAIL_FROM", NOBODY.to_owned(), "sender of all mail; required in production with SMTP_URL", |text| {
        let address = text.contains('@') && !text.chars().any(char::is_control);
        if address { Ok(text.to_owned()) } else { Err("must be of the form Handrail <no-reply@example.com>".to_owned()) }
    });
    let timeout = r.duration("SMTP_TIMEOUT_SECONDS", 10, 1..=300, SECOND_MS, "longest time for a mail to be handed over");
    let app_url = r.optional("APP_URL", "address of the front end, for links in mails; PUBLIC_URL when absent", link_base);
    let app_url = app_url.or_else(|| http.public_url.clone());
    if production && smtp_url.is_some() {
        if from == NOBODY {
            r.problem("MAIL_FROM is required in production when SMTP_URL is set");
        }
        if app_url.is_none() {
            r.problem("APP_URL or PUBLIC_URL is required in production when SMTP_URL is set: links in mails lead there");
        }
    }
    Mail { smtp_url, from, timeout, app_url }
}

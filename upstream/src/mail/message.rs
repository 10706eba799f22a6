//! From a mail to the bytes that go over the wire. Nothing that is given can become a header of its own.

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use url::Host;
use uuid::Uuid;

use super::{Error, Mail, Unusable};

/// Longest subject, in characters.
pub const SUBJECT_CHARS_MAX: usize = 255;
/// Longest text, and longest HTML, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest line that goes out as it is, in bytes without its end.
const LINE_BYTES_MAX: usize = 998;
/// Longest address, in bytes: what SMTP allows between its angle brackets.
const ADDRESS_BYTES_MAX: usize = 254;

/// A mail ready to be sent.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) envelope: Envelope,
    /// Header and body, lines ended by CR LF.
    pub(super) bytes: Vec<u8>,
    /// Without the angle brackets.
    pub(super) message_id: String,
}

/// Checks a mail and writes it out.
pub(super) fn compose(from: &Mailbox, mail: &Mail) -> Result<Composed, Error> {
    let to = address(&mail.to).ok_or(Error::Invalid("the recipient is not an address"))?;
    if mail.subject.chars().any(char::is_control) {
        return Err(Error::Invalid("the subject has control characters"));
    }
    if mail.subject.chars().count() > SUBJECT_CHARS_MAX {
        return Err(Error::Invalid("the subject is too long"));
    }
    if mail.text.len() > BODY_BYTES_MAX || mail.html.as_ref().is_some_and(|html| html.len() > BODY_BYTES_MAX) {
        return Err(Error::Invalid("the text is too long"));
    }
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()]).map_err(|_| Error::Invalid("there is no recipient"))?;
    // Not the machine's name, which is nobody's business: the sender's domain is as unique with an id of ours before it.
    let message_id = format!("{}@{}", Uuid::new_v4(), from.email.domain());
    let builder = Message::builder()
        .from(from.clone())
        .to(to.into())
        .subject(mail.subject.clone())
        .message_id(Some(format!("<{message_id}>")))
        .date_now()
        // Keeps holiday notices and the like from answering (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    let text = lines(&mail.text);
    let message = match &mail.html {
        Some(html) => {
            let parts = MultiPart::alternative().singlepart(part(ContentType::TEXT_PLAIN, text));
            builder.multipart(parts.singlepart(part(ContentType::TEXT_HTML, lines(html))))
        }
        None => builder.singlepart(part(ContentType::TEXT_PLAIN, text)),
    };
    let message = message.map_err(|_| Error::Invalid("it cannot be written as a message"))?;
    Ok(Composed { envelope, bytes: message.formatted(), message_id })
}

/// A text as it is where that is allowed (RFC 5322, 2.1.1), so that links stay in one piece for those who look at the bare mail.
fn part(kind: ContentType, text: String) -> SinglePart {
    let bare = text.is_ascii() && text.lines().all(|line| line.len() <= LINE_BYTES_MAX);
    let encoding = if bare { ContentTransferEncoding::SevenBit } else { ContentTransferEncoding::QuotedPrintable };
    let body = Body::new_with_encoding(text, encoding).unwrap_or_else(Body::new);
    SinglePart::builder().header(kind).body(body)
}

/// The text without control characters other than ends of lines and tabs. A carriage return alone would go out as it is, and programs
/// disagree on whether it ends a line: mails are smuggled in that way.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "")
}

/// A sender: an address, or a name and an address in angle brackets.
pub(super) fn sender(text: &str) -> Result<Mailbox, Unusable> {
    let wrong = || Unusable("the sender must be of the form Name <name@example.com>".to_owned());
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(wrong());
    }
    let (name, email) = match text.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<').ok_or_else(wrong)?,
        None => ("", text),
    };
    let name = name.trim();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    Ok(Mailbox::new(Some(name.to_owned()).filter(|name| !name.is_empty()), address(email).ok_or_else(wrong)?))
}

/// One bare address. Stricter than the standard, which allows quoted blanks and brackets: no mailbox has them, and programs disagree
/// on what they mean.
fn address(text: &str) -> Option<Address> {
    let odd =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')' | ',' | ':' | ';' | '\\' | '[' | ']');
    if text.len() > ADDRESS_BYTES_MAX || text.chars().any(odd) {
        return None;
    }
    let (user, domain) = text.rsplit_once('@')?;
    // The parser of hosts would decode these.
    if domain.contains('%') {
        return None;
    }
    // Every server takes the ASCII form of a domain; few take others.
    match Host::parse(domain) {
        Ok(Host::Domain(domain)) => Address::new(user, domain).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_bare_and_names_a_domain() {
        for (given, taken) in [
            ("ada@example.com", "ada@example.com"),
            ("ada+tag@Example.COM", "ada+tag@example.com"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("jürgen@example.com", "jürgen@example.com"),
            ("no-reply@localhost", "no-reply@localhost"),
        ] {
            assert_eq!(address(given).expect(given).to_string(), taken);
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for wrong in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com\n",
            "ada@example.com, eve@example.com",
            "Ada <ada@example.com>",
            "\"a da\"@example.com",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada@ex%61mple.com",
            "a@b@example.com",
            &long,
        ] {
            assert!(address(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_sender_may_have_a_name() {
        let with_name = sender("Händrail, Inc. <no-reply@example.com>").expect("a sender");
        assert_eq!((with_name.name.as_deref(), with_name.email.as_ref()), (Some("Händrail, Inc."), "no-reply@example.com"));
        assert_eq!(sender("\"Handrail\" <a@example.com>").expect("a sender").name.as_deref(), Some("Handrail"));
        assert_eq!(sender("a@example.com").expect("a sender").name, None);
        for wrong in ["", "Handrail", "Handrail <a@example.com", "Handrail a@example.com>", "A\r\nBcc: x <a@example.com>", "A <a@b@c>"] {
            assert!(sender(wrong).is_err(), "{wrong}");
        }
    }
}

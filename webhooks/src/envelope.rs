//! What the inbox needs to know of an event, whoever sent it.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;

use crate::{Provider, mac::sha256};

/// What was read from a verified request. Texts are at most 255 bytes and free of control characters, so that they can be stored and
/// printed; what is longer, mistyped or absent is `None`. The body itself is for the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// Who sent it.
    pub provider: Provider,
    /// What a repeated delivery has in common with the first one, unique within the provider. Where the provider gives nothing it is
    /// `sha256:` and the hash of the body in hex.
    pub key: String,
    /// What happened, in the provider's words: `invoice.paid`, `issues.opened`, `message.delivered`.
    pub event_type: Option<String>,
    /// When it happened, or when the object that it shows was last changed.
    pub created_at: Option<DateTime<Utc>>,
    /// Whom it concerns. Events of one subject are to be processed one after the other.
    pub subject: Option<String>,
    /// The object that it is about. With the type it tells when two events say the same.
    pub object: Option<String>,
    /// The subscription that it is about, where it is about one.
    pub subscription: Option<String>,
    /// Whether it is about real money; `None` where the provider does not say.
    pub livemode: Option<bool>,
    /// The account, store or organisation at the provider that it happened in, where that may be one of several.
    pub account: Option<String>,
    /// The version of the provider's API that shaped it.
    pub api_version: Option<String>,
    /// Whether it only names its object, which has to be fetched.
    pub thin: bool,
    /// Why it is not an event as the provider writes them. It can be stored all the same.
    pub problem: Option<Problem>,
}

impl Envelope {
    /// An envelope that knows nothing but its key, which is the hash of the body.
    pub(crate) fn of_body(provider: Provider, body: &[u8]) -> Self {
        Self {
            provider,
            key: hash_key(&[body]),
            event_type: None,
            created_at: None,
            subject: None,
            object: None,
            subscription: None,
            livemode: None,
            account: None,
            api_version: None,
            thin: false,
            problem: None,
        }
    }

    /// The same with a problem.
    pub(crate) fn with(self, problem: Problem) -> Self {
        Self { problem: Some(problem), ..self }
    }
}

/// Why a verified body is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not JSON (or, where the provider sends forms, no form).
    #[error("the body is not JSON")]
    NotJson,
    /// There is no usable event id.
    #[error("the event has no usable id")]
    NoKey,
    /// There is no usable event type.
    #[error("the event has no usable type")]
    NoType,
}

impl Problem {
    /// The gravest of them, if any.
    pub(crate) fn of(key: Option<&String>, event_type: Option<&String>) -> Option<Self> {
        match (key, event_type) {
            (None, _) => Some(Self::NoKey),
            (_, None) => Some(Self::NoType),
            _ => None,
        }
    }
}

/// A key made from content.
pub(crate) fn hash_key(parts: &[&[u8]]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&sha256(parts)))
}

/// The text when it can be stored and printed: 1 to 255 bytes, no control character (PostgreSQL refuses NUL).
pub(crate) fn storable(text: &str) -> Option<String> {
    ((1..=255).contains(&text.len()) && !text.contains(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_stored_is_taken() {
        assert_eq!(storable("evt_1").as_deref(), Some("evt_1"));
        assert_eq!(storable(&"x".repeat(255)).map(|text| text.len()), Some(255));
        for wrong in ["", "a\0b", "a\nb", &"x".repeat(256)] {
            assert_eq!(storable(wrong), None);
        }
    }
}

//! What can go wrong with a call to the model, told apart by what can be done about it.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::http::{self, Failed};

/// Longest code kept of an answer, in characters.
const CODE_CHARS_MAX: usize = 64;

/// Why there is no answer, or not all of it. No text contains the key, or anything of what was asked or said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first words, or the next ones, did not come in time.
    #[error("the model did not answer in time")]
    Timeout,
    /// The answer took longer than one may.
    #[error("the model's answer takes too long")]
    TooLong,
    /// No connection, or a broken one.
    #[error("the model cannot be reached, or the connection broke")]
    Unreachable,
    /// The answer ended before its end.
    #[error("the model's answer broke off")]
    BrokenOff,
    /// It asks to come back later (429), or is broken (5xx).
    #[error("the model is busy or broken: {status} {code}")]
    Busy {
        /// The HTTP status.
        status: u16,
        /// What went wrong, for programs: `insufficient_quota`, `rate_limit_exceeded`; empty when it did not say.
        code: String,
        /// When to come back, where it said so.
        retry_after: Option<Duration>,
    },
    /// It says no to the call as it is (4xx).
    #[error("the model refused with {status} {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What went wrong, for programs: `model_not_found`, `context_length_exceeded`; empty when it did not say.
        code: String,
    },
    /// The key is wrong, or may not do this (401, 403): to be mended by whoever runs the server.
    #[error("the model does not accept the key")]
    Unauthorized,
    /// It failed while it answered.
    #[error("the model failed while it answered: {0}")]
    Failed(String),
    /// An event, or all of the answer, is larger than what is read.
    #[error("the model's answer is too large: {0}")]
    TooLarge(&'static str),
    /// The answer cannot be read: no stream of events, no JSON, or a redirect.
    #[error("the model's answer cannot be read: {0}")]
    Garbage(&'static str),
}

/// `{"error": {…}}`; what is absent or of another type is passed over.
#[derive(Deserialize)]
struct Envelope {
    error: serde_json::Value,
}

impl Error {
    /// What an answer means that is not 2xx.
    pub(super) fn of(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let code = serde_json::from_slice::<Envelope>(body).map(|envelope| code_of(&envelope.error)).unwrap_or_default();
        match status {
            429 | 500.. => Self::Busy { status, code, retry_after: http::retry_after(headers) },
            401 | 403 => Self::Unauthorized,
            400..500 => Self::Refused { status, code },
            _ => Self::Garbage("it is no answer but a redirect or worse"),
        }
    }

    /// A failure that came as an event.
    pub(super) fn told(error: &serde_json::Value) -> Self {
        Self::Failed(code_of(error))
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        match Failed::from(&error) {
            Failed::Timeout => Self::Timeout,
            Failed::TooLarge => Self::TooLarge("more than is read"),
            Failed::Unreachable => Self::Unreachable,
        }
    }
}

/// The code of an error, else its type; only what looks like one, as messages repeat what was asked.
fn code_of(error: &serde_json::Value) -> String {
    let told = ["code", "type"].iter().filter_map(|name| error.get(name)?.as_str());
    let is_code =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    told.filter(is_code).map(|code| code.chars().take(CODE_CHARS_MAX).collect()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Error {
        Error::of(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn a_refusal_is_told_by_its_code_and_not_in_words() {
        let body =
            r#"{"error":{"message":"Your prompt 'hunter2' is too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#;
        assert_eq!(of(400, body).to_string(), "the model refused with 400 context_length_exceeded");
        let body = r#"{"error":{"message":"hunter2","type":"hunter2 said so","code":null}}"#;
        assert_eq!(of(404, body), Error::Refused { status: 404, code: String::new() });
        assert_eq!(of(429, "nonsense"), Error::Busy { status: 429, code: String::new(), retry_after: None });
        assert_eq!((of(401, ""), of(403, "")), (Error::Unauthorized, Error::Unauthorized));
        assert!(matches!(of(302, ""), Error::Garbage(_)));
    }
}

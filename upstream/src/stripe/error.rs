//! What can go wrong with a call to Stripe, told apart by what can be done about it.

use std::time::Duration;

use crate::http::Failed;

/// Longest text kept of an answer, in characters.
const TEXT_CHARS_MAX: usize = 300;

/// Why a call has no answer. No text contains the key, an address of a person, or a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No answer in time; temporary. A call that changes something may have done so: repeat it under its idempotency key.
    #[error("Stripe did not answer in time")]
    Timeout,
    /// No connection, or a broken one; temporary.
    #[error("Stripe cannot be reached")]
    Unreachable,
    /// Stripe asks to come back later (429, 409), or is broken (5xx), after all retries; temporary.
    #[error("Stripe is busy")]
    Busy {
        /// When to come back, where it said so.
        retry_after: Option<Duration>,
    },
    /// There is no such object (404), or none can have such an id; permanent.
    #[error("Stripe has no such object")]
    NotFound,
    /// Stripe says no to the call as it is (4xx); permanent.
    #[error("Stripe refused with {status}{}: {message}{}", told(" ", code.as_ref()), told(", about ", param.as_ref()))]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// What went wrong, for programs: `resource_missing`, `parameter_unknown`; the kind (`idempotency_error`) where there is no code.
        code: Option<String>,
        /// The same for people: one line of at most 300 characters, with stars for what looks like a key or an address of mail.
        message: String,
        /// The parameter it is about.
        param: Option<String>,
        /// What Stripe's support knows the call by.
        request_id: Option<String>,
    },
    /// The key is wrong, or may not do this (401, 403): to be mended by whoever runs the server.
    #[error("Stripe does not accept the secret key for this call")]
    Unauthorized,
    /// The answer cannot be read: no JSON, of another shape, too large, or a redirect. The call may have taken effect.
    #[error("Stripe's answer cannot be read: {0}")]
    Garbage(&'static str),
    /// The call was not sent, because it cannot be right; permanent, and a fault of the caller.
    #[error("the call to Stripe cannot be sent: {0}")]
    Invalid(&'static str),
}

impl Error {
    /// Whether the same call would fail again, however often it is tried.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::NotFound | Self::Rejected { .. } | Self::Unauthorized | Self::Invalid(_) => true,
            Self::Timeout | Self::Unreachable | Self::Busy { .. } | Self::Garbage(_) => false,
        }
    }

    /// The same without the key, should an answer have repeated it.
    pub(super) fn without(self, key: &str) -> Self {
        match self {
            Self::Rejected { status, code, message, param, request_id } => {
                let clean = |text: String| text.replace(key, "***");
                let [code, param, request_id] = [code, param, request_id].map(|text| text.map(clean));
                Self::Rejected { status, code, message: clean(message), param, request_id }
            }
            other => other,
        }
    }
}

fn told(before: &str, text: Option<&String>) -> String {
    text.map(|text| format!("{before}{text}")).unwrap_or_default()
}

/// One line in which every word that looks like a key or an address of mail is stars.
pub(super) fn fit_for_the_log(text: &str) -> String {
    let secret = |word: &str| word.contains('@') || ["sk_", "rk_", "whsec_"].iter().any(|prefix| word.contains(prefix));
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.map(|word| if secret(word) { "***" } else { word }).collect();
    words.join(" ").chars().take(TEXT_CHARS_MAX).collect()
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Timeout => Self::Timeout,
            Failed::Unreachable => Self::Unreachable,
            Failed::TooLarge => Self::Garbage("it is too large"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_kept_without_keys_and_addresses() {
        assert_eq!(fit_for_the_log("Invalid API Key: sk_test_****abcd"), "Invalid API Key: ***");
        assert_eq!(fit_for_the_log("Invalid email:\r\n ada@example.com"), "Invalid email: ***");
        assert_eq!(fit_for_the_log(&"long ".repeat(1000)).chars().count(), 300);
    }

    #[test]
    fn an_error_says_what_and_about_what() {
        let error = Error::Rejected {
            status: 400,
            code: Some("resource_missing".to_owned()),
            message: "No such price: 'odd'".to_owned(),
            param: Some("line_items[0][price]".to_owned()),
            request_id: None,
        };
        assert_eq!(
            error.clone().without("odd").to_string(),
            "Stripe refused with 400 resource_missing: No such price: '***', about line_items[0][price]"
        );
        assert!(error.is_permanent() && !Error::Timeout.is_permanent());
    }
}

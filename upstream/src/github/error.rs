//! What can go wrong with a call to GitHub, told apart by what can be done about it.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::http::{self, Failed};

/// What GitHub says in the body when the headers do not.
const RATE_LIMIT: &str = "rate limit";

/// Why a call has no answer. No text contains the token, or anything of an answer's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No answer in time; temporary. What was asked for may have been done.
    #[error("GitHub did not answer in time")]
    Timeout,
    /// No connection, or a broken one; temporary.
    #[error("GitHub cannot be reached")]
    Unreachable,
    /// GitHub asks to come back later (429, or 403 because of a rate limit), or is broken (5xx); temporary.
    #[error("GitHub is busy, or wants to be asked less often")]
    Busy {
        /// When to come back, where it said so.
        retry_after: Option<Duration>,
    },
    /// There is no such webhook or delivery (404), or the token may not see it: GitHub does not tell these apart.
    #[error("GitHub has no such webhook or delivery, or the token may not see it")]
    NotFound,
    /// The token is wrong, or may not do this (401, 403): to be mended by whoever runs the server.
    #[error("GitHub does not accept the token for this call")]
    Unauthorized,
    /// GitHub says no to the call as it is (other 4xx); permanent.
    #[error("GitHub refused with {0}")]
    Refused(u16),
    /// The answer cannot be read: no JSON, of another shape, too large, or a redirect.
    #[error("GitHub's answer cannot be read: {0}")]
    Garbage(&'static str),
}

impl Error {
    /// What an answer means that is not 2xx.
    pub(super) fn of(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let retry_after = http::retry_after(headers);
        let told = || String::from_utf8_lossy(body).to_ascii_lowercase().contains(RATE_LIMIT);
        let limited = || retry_after.is_some() || number("x-ratelimit-remaining") == Some(0) || told();
        match status {
            429 | 500.. => Self::Busy { retry_after },
            403 if limited() => Self::Busy { retry_after },
            401 | 403 => Self::Unauthorized,
            404 => Self::NotFound,
            400..500 => Self::Refused(status),
            _ => Self::Garbage("it is no answer but a redirect or worse"),
        }
    }
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
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(status: u16, header: Option<(&'static str, &'static str)>, body: &str) -> Error {
        let headers = header.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Error::of(status, &HeaderMap::from_iter(headers), body.as_bytes())
    }

    #[test]
    fn a_rate_limit_is_told_from_a_refusal() {
        let minute = Error::Busy { retry_after: Some(Duration::from_secs(60)) };
        let busy = Error::Busy { retry_after: None };
        assert_eq!(of(403, Some(("retry-after", "60")), ""), minute);
        assert_eq!(of(429, Some(("retry-after", "60")), ""), minute);
        assert_eq!(of(403, Some(("x-ratelimit-remaining", "0")), ""), busy);
        assert_eq!(of(403, None, r#"{"message":"You have exceeded a secondary rate limit"}"#), busy);
        assert_eq!(of(403, Some(("x-ratelimit-remaining", "59")), r#"{"message":"Must have admin rights"}"#), Error::Unauthorized);
        assert_eq!(of(502, None, ""), busy);
        assert_eq!(
            of(429, Some(("retry-after", "18446744073709551615")), ""),
            Error::Busy { retry_after: Some(Duration::from_secs(24 * 60 * 60)) }
        );
        assert_eq!((of(401, None, ""), of(404, None, ""), of(422, None, "")), (Error::Unauthorized, Error::NotFound, Error::Refused(422)));
        assert!(matches!(of(302, None, ""), Error::Garbage(_)));
    }
}

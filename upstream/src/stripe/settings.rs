//! What a client of Stripe's API is made with.

use std::{fmt, time::Duration};

use url::Url;

use super::Unusable;
use crate::base::{is_loopback, is_plain};

const TIMEOUT_MAX: Duration = Duration::from_secs(60 * 60);

/// How to reach Stripe. `Debug` prints stars for the key.
#[derive(Clone)]
pub struct Settings {
    /// The secret key (`sk_…`), or a restricted one (`rk_…`).
    pub secret_key: String,
    /// Where the API is, without `/v1`: `https://api.stripe.com`, or a test server.
    pub api_base: String,
    /// The most that one attempt may take (at most an hour), from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// The most that one call may take (at most an hour), all attempts and the waits between them included.
    pub deadline: Duration,
    /// How often a call is tried again at most.
    pub retries: u32,
}

impl Settings {
    /// Stripe itself, with 10 s for an attempt, 20 s for a call and two retries.
    pub fn new(secret_key: impl Into<String>) -> Self {
        Self {
            secret_key: secret_key.into(),
            api_base: "https://api.stripe.com".to_owned(),
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(20),
            retries: 2,
        }
    }

    /// The base, when everything makes sense.
    pub(super) fn checked(&self) -> Result<Url, Unusable> {
        let key = self.secret_key.as_str();
        if key.is_empty() || key.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(Unusable("the secret key is empty or has white space in it: was it copied with a blank or a line break?"));
        }
        if key.starts_with("pk_") || key.starts_with("whsec_") {
            return Err(Unusable("the secret key must be one: it starts with sk_ or rk_"));
        }
        if self.timeout.is_zero() || self.deadline.is_zero() {
            return Err(Unusable("a time-out of zero lets no call through"));
        }
        if self.timeout.max(self.deadline) > TIMEOUT_MAX {
            return Err(Unusable("a time-out of more than an hour is none"));
        }
        let base = Url::parse(&self.api_base).map_err(|_| Unusable("the API's address is not of the form https://api.stripe.com"))?;
        if !is_plain(&base) {
            return Err(Unusable("the API's address may have nothing but http or https, host, port and path"));
        }
        let live = key.starts_with("sk_live_") || key.starts_with("rk_live_");
        if live && base.scheme() == "http" && !is_loopback(&base) {
            return Err(Unusable("the API's address would carry a live key in the clear: it must begin with https://"));
        }
        Ok(base)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret_key: _, api_base, timeout, deadline, retries } = self;
        f.debug_struct("Settings")
            .field("secret_key", &"***")
            .field("api_base", api_base)
            .field("timeout", timeout)
            .field("deadline", deadline)
            .field("retries", retries)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(secret_key: &str, api_base: &str) -> Settings {
        Settings { api_base: api_base.to_owned(), ..Settings::new(secret_key) }
    }

    #[test]
    fn slips_are_told_without_the_key() {
        for (key, base) in [
            ("", "https://api.stripe.com"),
            ("sk_test_hunter2 ", "https://api.stripe.com"),
            ("sk_test_hunter2\n", "https://api.stripe.com"),
            ("pk_test_hunter2", "https://api.stripe.com"),
            ("whsec_hunter2", "https://api.stripe.com"),
            ("sk_test_hunter2", "api.stripe.com"),
            ("sk_test_hunter2", "ftp://api.stripe.com"),
            ("sk_test_hunter2", "https://sk_test_hunter2@api.stripe.com"),
            ("sk_test_hunter2", "https://api.stripe.com?key=sk_test_hunter2"),
            ("sk_live_hunter2", "http://api.stripe.com"),
            ("rk_live_hunter2", "http://127.0.0.1.example.com"),
        ] {
            let refused = with(key, base).checked().expect_err(base).to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        for time in [Duration::ZERO, Duration::MAX] {
            assert!(Settings { timeout: time, ..Settings::new("sk_test_x") }.checked().is_err());
            assert!(Settings { deadline: time, ..Settings::new("sk_test_x") }.checked().is_err());
        }
    }

    #[test]
    fn a_test_server_may_be_anywhere_and_a_live_key_only_here() {
        for (key, base) in [
            ("sk_test_x", "http://stripe:12111"),
            ("sk_live_x", "http://127.0.0.1:12111"),
            ("sk_live_x", "http://[::1]:12111"),
            ("sk_live_x", "http://localhost:12111/"),
            ("sk_live_x", "https://api.stripe.com"),
        ] {
            assert!(with(key, base).checked().is_ok(), "{base}");
        }
    }

    #[test]
    fn the_key_prints_stars() {
        assert!(!format!("{:?}", Settings::new("sk_test_hunter2")).contains("hunter2"));
    }
}

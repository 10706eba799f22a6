//! The rate limits.

use std::time::Duration;

use crate::{
    reader::Reader,
    types::{Limit, Limits},
};

pub(super) fn read(r: &mut Reader<'_>) -> Limits {
    r.section("Rate limits, over all replicas: a number per min or hour, or off");
    let mut limit = |name, default: &str, doc| r.value(name, Shown::of(default), doc, Shown::read).limit;
    Limits {
        address: limit("RATE_LIMIT_ADDRESS", "12000/min", "all requests to /api from one address (IPv6: from one /64), but webhooks"),
        account: limit("RATE_LIMIT_ACCOUNT", "6000/min", "all requests of one account"),
        key: limit("RATE_LIMIT_KEY", "6000/min", "all requests with one API key"),
        bad_credentials: limit("RATE_LIMIT_BAD_CREDENTIALS", "120/min", "tokens, cookies and keys from one address that are worth nothing"),
        login: limit("RATE_LIMIT_LOGIN", "30/min", "log-ins from one address"),
        login_account: limit("RATE_LIMIT_LOGIN_ACCOUNT", "30/hour", "failed log-ins to one account, from wherever"),
        register: limit("RATE_LIMIT_REGISTER", "60/hour", "registrations from one address"),
        invitations: limit("RATE_LIMIT_INVITATIONS", "60/hour", "invitations by one account, and sending them again"),
        chat: limit("RATE_LIMIT_CHAT", "20/min", "questions to the model by one account"),
        forgot: limit("RATE_LIMIT_FORGOT", "30/hour", "forgotten passwords from one address"),
        mailed_token: limit("RATE_LIMIT_MAILED_TOKEN", "60/hour", "uses of mailed links from one address, to verify or to set a password"),
        recipient: limit("RATE_LIMIT_RECIPIENT", "5/hour", "mails to one mail address that were asked for, of each kind"),
    }
}

/// A limit with the text it was written as.
#[derive(Clone)]
struct Shown {
    text: String,
    limit: Option<Limit>,
}

impl Shown {
    fn of(text: &str) -> Self {
        Self::read(text).unwrap_or(Self { text: "off".to_owned(), limit: None })
    }

    fn read(text: &str) -> Result<Self, String> {
        let shown = |limit| Self { text: text.to_owned(), limit };
        if text == "off" {
            return Ok(shown(None));
        }
        let parsed = text.split_once('/').and_then(|(count, unit)| {
            let window = match unit {
                "min" => Duration::from_secs(60),
                "hour" => Duration::from_secs(3600),
                _ => return None,
            };
            let count = count.parse().ok().filter(|count| (1..=1_000_000).contains(count))?;
            Some(Limit { count, window })
        });
        parsed.map(|limit| shown(Some(limit))).ok_or_else(|| "must be such as 30/min, 100/hour or off".to_owned())
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

//! Who is calling: passwords, tokens, cookies, and the extractors that are a handler's policy.

pub mod accounts;
mod address;
mod api_key;
pub mod cookie;
mod csrf;
mod identity;
pub mod limits;
mod org;
mod password;
pub mod recovery;
pub mod scope;
mod session;
mod token;

pub use api_key::ApiKey;
pub use identity::Memory;
pub use limits::{Limiter, Quotas, Subject, Throttle};
pub use org::{Org, PARAMETER as ORG_PARAMETER};
pub use password::Passwords;
pub use persistence::{rate_limits::Quota, sessions::Lifetime};
pub use session::{Admin, Caller, MaybeSession, Require, Rule, Session, Verified};
pub use token::Token;

use std::time::Duration;

/// What telling callers apart depends on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long sessions live.
    pub lifetime: Lifetime,
    /// Whether cookies travel over TLS only.
    pub secure: bool,
    /// The origins whose pages may write with a cookie, beside the server's own: as a browser writes them.
    pub origins: Vec<String>,
    /// How long mailed tokens live; absent when no mail can be sent.
    pub mailed: Option<MailedTokens>,
    /// Whether some things are only for accounts that proved that their address is theirs.
    pub require_verified: bool,
}

/// How long tokens live that are mailed to accounts.
#[derive(Debug, Clone, Copy)]
pub struct MailedTokens {
    /// Those that verify an address.
    pub verification: Duration,
    /// Those that set a password.
    pub reset: Duration,
}

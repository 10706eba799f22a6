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
pub mod scope;
mod session;
mod token;

pub use api_key::ApiKey;
pub use identity::Memory;
pub use limits::{Limiter, Quotas, Subject, Throttle};
pub use org::{Org, PARAMETER as ORG_PARAMETER};
pub use password::Passwords;
pub use persistence::{rate_limits::Quota, sessions::Lifetime};
pub use session::{Admin, Caller, MaybeSession, Require, Rule, Session};
pub use token::Token;

/// What telling callers apart depends on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long sessions live.
    pub lifetime: Lifetime,
    /// Whether cookies travel over TLS only.
    pub secure: bool,
    /// The origins whose pages may write with a cookie, beside the server's own: as a browser writes them.
    pub origins: Vec<String>,
}

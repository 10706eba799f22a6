//! Sessions: where a user is signed in.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{id::SessionId, user::User};

/// One place where a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The id, for revoking it.
    pub id: SessionId,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to within the renewal interval.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not used again.
    pub expires_at: DateTime<Utc>,
    /// What the client called itself at log-in.
    pub user_agent: Option<String>,
    /// Whether it is the one this request came with.
    pub current: bool,
}

/// The answer to a registration or a log-in.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// The account.
    pub user: User,
    /// The secret to send as `Authorization: Bearer …`; browsers get it as a cookie as well.
    pub token: String,
}

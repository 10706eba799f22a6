//! The audit log: who changed what about who may do what.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{ApiKeyId, AuditEventId, OrgId, TargetId, UserId},
    text::ACTION,
};

/// On whose behalf a change is made; nobody's is the system's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub user: Option<UserId>,
    /// The key it acted by, if it was not a session.
    pub key: Option<ApiKeyId>,
    /// Where the request came from, as far as that can be believed.
    pub address: Option<IpAddr>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AuditEvent")]
pub struct Event {
    /// The id; later events have later ones.
    pub id: AuditEventId,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// What happened, such as `member.added` or `login.failed`.
    pub action: String,
    /// The organisation it happened in, if in one.
    pub org_id: Option<OrgId>,
    /// Whose doing it was; null for the system's own.
    pub actor_id: Option<UserId>,
    /// The API key it was done by, if by one.
    pub actor_key_id: Option<ApiKeyId>,
    /// Where the request came from.
    pub address: Option<String>,
    /// What kind of thing it was done to.
    pub target_type: String,
    /// The thing it was done to.
    pub target_id: Option<TargetId>,
    /// What more there is to say: an object whose fields depend on the action.
    pub details: serde_json::Value,
}

/// Which events to read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Filter {
    /// Only what happened under this name.
    #[serde(default)]
    #[schemars(with = "String")]
    #[garde(length(chars, max = 64), pattern(ACTION))]
    pub action: Option<String>,
    /// Only the doing of this account.
    #[serde(default)]
    #[schemars(with = "UserId")]
    #[garde(skip)]
    pub actor_id: Option<UserId>,
    /// Only what was done to this.
    #[serde(default)]
    #[schemars(with = "TargetId")]
    #[garde(skip)]
    pub target_id: Option<TargetId>,
    /// Only from this time on.
    #[serde(default)]
    #[schemars(with = "DateTime<Utc>", extend("maxLength" = 40))]
    #[garde(skip)]
    pub since: Option<DateTime<Utc>>,
    /// Only before this time.
    #[serde(default)]
    #[schemars(with = "DateTime<Utc>", extend("maxLength" = 40))]
    #[garde(skip)]
    pub until: Option<DateTime<Utc>>,
}

//! Invitations: how people who are not there yet come to belong to an organisation.

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{InvitationId, OrgId, UserId},
    org::OrgRole,
    text::EMAIL,
};

/// An invitation that is open, as the organisation's administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The id.
    pub id: InvitationId,
    /// The address it goes to.
    pub email: String,
    /// The role that waits there.
    pub role: OrgRole,
    /// Who invited, if their account still exists.
    pub invited_by: Option<UserId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// Whether its mail went out.
    pub delivery: Delivery,
}

/// What became of an invitation's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Delivery {
    /// It is on its way, or will be tried again.
    Pending,
    /// The mail server took it.
    Sent,
    /// It was refused, or tried in vain too often; it can be sent again.
    Failed,
}

/// An invitation, as whoever holds its token sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationView {
    /// The organisation's name.
    pub organisation: String,
    /// The address it was sent to.
    pub email: String,
    /// The role that waits there.
    pub role: OrgRole,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// What an administrator gives to invite somebody.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewInvitation {
    /// The address to invite: the account that accepts must have it.
    #[garde(email, length(chars, max = 254), pattern(EMAIL))]
    pub email: String,
    /// The role that waits there; only owners invite owners.
    #[garde(skip)]
    pub role: OrgRole,
}

/// The answer to an acceptance: where the caller belongs to from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The organisation.
    pub org_id: OrgId,
    /// What the caller may do in it.
    pub role: OrgRole,
}

//! API keys: how outside clients act for a user, within the scopes they were given.

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{ApiKeyId, OrgId, UserId},
    text::LINE,
    user::Role,
};

/// A thing a key may be used for. What its user may not do, it may not do either, whatever its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Scope {
    /// Read the user's own profile.
    #[serde(rename = "profile:read")]
    ReadProfile,
    /// Change the user's own profile.
    #[serde(rename = "profile:write")]
    WriteProfile,
    /// Read all posts in one go; one by one everybody may.
    #[serde(rename = "posts:read")]
    ReadPosts,
    /// Write, change and delete posts.
    #[serde(rename = "posts:write")]
    WritePosts,
    /// Read organisations, their members and invitations.
    #[serde(rename = "orgs:read")]
    ReadOrgs,
    /// Change organisations, their members and invitations.
    #[serde(rename = "orgs:write")]
    WriteOrgs,
    /// Read projects.
    #[serde(rename = "projects:read")]
    ReadProjects,
    /// Make, change and delete projects.
    #[serde(rename = "projects:write")]
    WriteProjects,
    /// Read the audit logs of organisations.
    #[serde(rename = "audit:read")]
    ReadAudit,
    /// Read the user's own files.
    #[serde(rename = "uploads:read")]
    ReadUploads,
    /// Upload files, and delete the user's own.
    #[serde(rename = "uploads:write")]
    WriteUploads,
    /// Do what only administrators may.
    #[serde(rename = "admin")]
    Admin,
    /// Call the services behind the proxy.
    #[serde(rename = "upstreams:call")]
    CallUpstreams,
    /// Ask the model, and read what that took.
    #[serde(rename = "chat:write")]
    Chat,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 14] = [
        Self::ReadProfile,
        Self::WriteProfile,
        Self::ReadPosts,
        Self::WritePosts,
        Self::ReadOrgs,
        Self::WriteOrgs,
        Self::ReadProjects,
        Self::WriteProjects,
        Self::ReadAudit,
        Self::ReadUploads,
        Self::WriteUploads,
        Self::Admin,
        Self::CallUpstreams,
        Self::Chat,
    ];

    /// The name, on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadProfile => "profile:read",
            Self::WriteProfile => "profile:write",
            Self::ReadPosts => "posts:read",
            Self::WritePosts => "posts:write",
            Self::ReadOrgs => "orgs:read",
            Self::WriteOrgs => "orgs:write",
            Self::ReadProjects => "projects:read",
            Self::WriteProjects => "projects:write",
            Self::ReadAudit => "audit:read",
            Self::ReadUploads => "uploads:read",
            Self::WriteUploads => "uploads:write",
            Self::Admin => "admin",
            Self::CallUpstreams => "upstreams:call",
            Self::Chat => "chat:write",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }

    /// Whether somebody of this role may give it to a key of their own.
    #[must_use]
    pub fn is_for(self, role: Role) -> bool {
        self != Self::Admin || role == Role::Admin
    }

    /// Whether it means something within one organisation: a key of an organisation reaches nothing else.
    #[must_use]
    pub fn is_for_organisations(self) -> bool {
        matches!(self, Self::ReadOrgs | Self::WriteOrgs | Self::ReadProjects | Self::WriteProjects | Self::ReadAudit)
    }
}

/// A set of scopes, as small as a number: it is looked at with every request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u16);

impl Scopes {
    /// Whether the scope is in it.
    #[must_use]
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & Self::bit(scope) != 0
    }

    fn bit(scope: Scope) -> u16 {
        Scope::ALL.iter().position(|other| *other == scope).map_or(0, |place| 1 << place)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | Self::bit(scope)))
    }
}

/// A key, as those who may revoke it see it: the key itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// How the key begins, to tell keys apart.
    pub prefix: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Whom it acts for.
    pub user_id: UserId,
    /// The one organisation it reaches; a personal key reaches all that its user does.
    pub org_id: Option<OrgId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// The answer to making or rotating a key.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuedKey {
    /// What can be seen of it later, too.
    pub api_key: ApiKey,
    /// The secret to send as `Authorization: Bearer …`. It is not shown again.
    pub key: String,
}

/// What someone gives to make a key.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewApiKey {
    /// What it is for.
    #[garde(length(chars, min = 1, max = 100), pattern(LINE))]
    pub name: String,
    /// What it may be used for; nothing its maker may not do.
    #[garde(length(min = 1, max = Scope::ALL.len()))]
    pub scopes: Vec<Scope>,
    /// In how many days it ends.
    #[serde(default = "days_default")]
    #[garde(range(min = 1, max = 1095))]
    pub expires_in_days: u16,
}

fn days_default() -> u16 {
    90
}

/// How to rotate a key: its successor has the same name, scopes and length of life.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "ApiKeyRotation")]
pub struct Rotation {
    /// How many seconds both work, so that clients can be moved over; at most a week.
    #[serde(default = "overlap_default")]
    #[garde(range(max = 604_800))]
    pub overlap_seconds: u32,
}

fn overlap_default() -> u32 {
    86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        for scope in Scope::ALL {
            let set: Scopes = [scope].into_iter().collect();
            for other in Scope::ALL {
                assert_eq!(set.contains(other), other == scope);
            }
            assert_eq!(Scope::named(scope.as_str()), Some(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
    }
}

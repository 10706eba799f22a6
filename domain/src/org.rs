//! Organisations: who belongs to them, and what each of them may do.

use std::fmt;

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{OrgId, UserId},
    slug::{SLUG_MAX, SLUG_MIN},
    text::{LINE, SLUG, present},
};

/// What a member may do within the organisation; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum OrgRole {
    /// Sees what is there.
    Member,
    /// Changes what is there, and who belongs to it, but for owners.
    Admin,
    /// Does everything: deletes, restores, hands over.
    Owner,
}

impl OrgRole {
    /// The name, on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Whether somebody of this role may give somebody else, who has the role `from`, the role `to`.
    #[must_use]
    pub fn may_change(self, from: Self, to: Self) -> bool {
        self.may_grant(to) && self.may_remove(from)
    }

    /// Whether somebody of this role may bring in somebody with the role `to`.
    #[must_use]
    pub fn may_grant(self, to: Self) -> bool {
        self >= Self::Admin && to <= self
    }

    /// Whether somebody of this role may remove somebody else of the role `from`.
    #[must_use]
    pub fn may_remove(self, from: Self) -> bool {
        self >= Self::Admin && from <= self
    }
}

impl From<&str> for OrgRole {
    /// What is not known grants the least.
    fn from(name: &str) -> Self {
        match name {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            _ => Self::Member,
        }
    }
}

impl fmt::Display for OrgRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An organisation, as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organisation {
    /// The id.
    pub id: OrgId,
    /// The name to show.
    pub name: String,
    /// Its name in addresses; unique.
    pub slug: String,
    /// What the caller may do in it.
    pub role: OrgRole,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted; it can be restored for 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What someone gives to make an organisation, whose owner they become.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewOrganisation {
    /// The name to show.
    #[garde(length(chars, min = 1, max = 100), pattern(LINE))]
    pub name: String,
    /// Its name in addresses; made from the name when absent.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = SLUG_MIN, max = SLUG_MAX), pattern(SLUG))]
    pub slug: Option<String>,
}

/// What an administrator changes of an organisation; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OrganisationPatch {
    /// The name to show.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = 1, max = 100), pattern(LINE))]
    pub name: Option<String>,
    /// Its name in addresses.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = SLUG_MIN, max = SLUG_MAX), pattern(SLUG))]
    pub slug: Option<String>,
}

/// Somebody who belongs to an organisation, as its members see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrganisationMember")]
pub struct Member {
    /// The account.
    pub user_id: UserId,
    /// The name to show.
    pub name: String,
    /// The address.
    pub email: String,
    /// What they may do.
    pub role: OrgRole,
    /// Since when they belong to it.
    pub joined_at: DateTime<Utc>,
}

/// What an administrator changes of a member.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "OrganisationMemberPatch")]
pub struct MemberPatch {
    /// The new role.
    #[garde(skip)]
    pub role: OrgRole,
}

/// To whom an owner hands an organisation over.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "OwnershipTransfer")]
pub struct Transfer {
    /// The member who becomes an owner; the caller becomes an administrator.
    #[garde(skip)]
    pub user_id: UserId,
}

#[cfg(test)]
mod tests {
    use super::OrgRole::{Admin, Member, Owner};

    #[test]
    fn nobody_touches_those_above_or_lifts_anyone_above_themselves() {
        let all = [Member, Admin, Owner];
        for actor in all {
            for from in all {
                for to in all {
                    let allowed = match actor {
                        Owner => true,
                        Admin => from != Owner && to != Owner,
                        Member => false,
                    };
                    assert_eq!(actor.may_change(from, to), allowed, "{actor} changes {from} to {to}");
                }
                assert_eq!(actor.may_remove(from), actor == Owner || (actor == Admin && from != Owner));
            }
        }
    }
}

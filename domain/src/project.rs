//! Projects: what an organisation works on.

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{OrgId, ProjectId},
    slug::{SLUG_MAX, SLUG_MIN},
    text::{LINE, SLUG, TEXT, present},
};

/// A project of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// The id.
    pub id: ProjectId,
    /// The organisation it belongs to.
    pub org_id: OrgId,
    /// The name to show.
    pub name: String,
    /// Its name in addresses; unique within the organisation.
    pub slug: String,
    /// What it is about; may be empty.
    pub description: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted; it can be restored for 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What an administrator gives to make a project.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewProject {
    /// The name to show.
    #[garde(length(chars, min = 1, max = 100), pattern(LINE))]
    pub name: String,
    /// Its name in addresses; made from the name when absent.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = SLUG_MIN, max = SLUG_MAX), pattern(SLUG))]
    pub slug: Option<String>,
    /// What it is about.
    #[serde(default)]
    #[garde(length(chars, max = 2000), pattern(TEXT))]
    pub description: String,
}

/// What an administrator changes of a project; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProjectPatch {
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
    /// What it is about; may be empty.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, max = 2000), pattern(TEXT))]
    pub description: Option<String>,
}

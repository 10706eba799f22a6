//! The preference of the article's cookie example: which theme a browser wants.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A colour theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Theme {
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// As the device says.
    System,
}

impl Theme {
    /// The name, on the wire and in the cookie.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
            Self::System => "system",
        }
    }

    /// The theme of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Light, Self::Dark, Self::System].into_iter().find(|theme| theme.as_str() == name)
    }
}

/// The choice to remember.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewPreference {
    /// The theme.
    #[garde(skip)]
    pub preference: Theme,
}

/// What the request's own headers and cookies say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preferences {
    /// The remembered theme.
    pub preference: Option<Theme>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Whether an `Authorization` header came along.
    pub has_auth: bool,
    /// Whether a session cookie came along.
    pub has_session: bool,
}

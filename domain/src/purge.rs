//! Purging what is kept of answers.

use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    error::Error,
    text::{TAG, TEXT, present},
};

/// What is to be purged: either a tag or a path.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Revalidation {
    /// All answers with this tag.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, max = 64), pattern(TAG))]
    pub tag: Option<String>,
    /// All answers of this path, whatever their query: one path, or all of a route by its path as the documentation writes it.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, max = 500), pattern(TEXT))]
    pub path: Option<String>,
}

/// What a purge names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purge {
    /// A tag.
    Tag(String),
    /// A path.
    Path(String),
}

impl TryFrom<Revalidation> for Purge {
    type Error = Error;

    fn try_from(given: Revalidation) -> Result<Self, Error> {
        match (given.tag, given.path) {
            (Some(tag), None) => Ok(Self::Tag(tag)),
            (None, Some(path)) => Ok(Self::Path(path)),
            _ => Err(Error::invalid_body(crate::Details::form("Give either a tag or a path"))),
        }
    }
}

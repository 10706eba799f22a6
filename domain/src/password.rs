//! A password as it comes in: bounded, and never printed.

use std::fmt;

use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::TEXT;

/// A new password: 8 to 256 characters, any of them, none cut off.
///
/// The bounds are those of OWASP ASVS 5.0 (6.2.1, 6.2.9); what is too easy to guess is refused where it is hashed.
#[derive(Clone, Deserialize, JsonSchema, Validate)]
#[garde(transparent)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Password(#[garde(length(chars, min = 8, max = 256), pattern(TEXT))] String);

impl Password {
    /// The secret itself, for the hash function.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

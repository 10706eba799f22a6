//! What people send back from their mail: that an address is theirs, and a password in place of a forgotten one.

use std::fmt;

use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    password::Password,
    text::{EMAIL, TOKEN},
};

/// What someone gives who forgot their password.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ForgottenPassword {
    /// The address of the account.
    #[garde(email, length(chars, max = 254), pattern(EMAIL))]
    pub email: String,
}

/// What someone gives who was mailed a link to set a password.
#[derive(Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PasswordReset {
    /// The token of the link.
    #[garde(length(chars, min = 43, max = 43), pattern(TOKEN))]
    pub token: String,
    /// The password from now on.
    #[garde(dive)]
    pub password: Password,
}

impl fmt::Debug for PasswordReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordReset(***)")
    }
}

/// What someone gives who was mailed a link to verify their address.
#[derive(Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EmailVerification {
    /// The token of the link.
    #[garde(length(chars, min = 43, max = 43), pattern(TOKEN))]
    pub token: String,
}

impl fmt::Debug for EmailVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailVerification(***)")
    }
}

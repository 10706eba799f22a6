//! Users: what is stored of them, who may see what, and the inputs that make and change them.

use std::fmt;

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    id::UserId,
    password::Password,
    text::{EMAIL, LINE, LOCALE, TEXT, TIMEZONE, TIMEZONE_FORMAT, URL, known_timezone, present},
};

/// What a user may do everywhere; within an organisation its own roles count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Role {
    /// An ordinary account.
    #[default]
    User,
    /// May change every account and every post.
    Admin,
}

impl Role {
    /// The name, on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

impl From<&str> for Role {
    /// Anything but `admin` is an ordinary account: what is not known grants nothing.
    fn from(name: &str) -> Self {
        if name == "admin" { Self::Admin } else { Self::User }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An account, as its owner and administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The address, as it was given; unique without regard to case.
    pub email: String,
    /// Whether they proved that the address is theirs.
    pub email_verified: bool,
    /// The name to show.
    pub name: String,
    /// The role.
    pub role: Role,
    /// Whether an administrator shut it out.
    pub banned: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// An account as others see it; administrators get `email`, `emailVerified`, `role` and `banned` too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// The id.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// The address; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether they proved that the address is theirs; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The role; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether an administrator shut it out; for administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned: Option<bool>,
}

impl User {
    /// What a caller of this role may see of the account; `None` is anonymous.
    #[must_use]
    pub fn seen_by(self, viewer: Option<Role>) -> UserView {
        let private = viewer == Some(Role::Admin);
        UserView {
            id: self.id,
            name: self.name,
            created_at: self.created_at,
            email: private.then_some(self.email),
            email_verified: private.then_some(self.email_verified),
            role: private.then_some(self.role),
            banned: private.then_some(self.banned),
        }
    }
}

/// What someone gives to make an account for themselves. There is no role in it: nobody makes themselves an administrator.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Registration {
    /// The address to log in with.
    #[garde(email, length(chars, max = 254), pattern(EMAIL))]
    pub email: String,
    /// The name to show.
    #[garde(length(chars, min = 2, max = 100), pattern(LINE))]
    pub name: String,
    /// The password.
    #[garde(dive)]
    pub password: Password,
}

/// What an administrator gives to make an account.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewUser {
    /// The address to log in with.
    #[garde(email, length(chars, max = 254), pattern(EMAIL))]
    pub email: String,
    /// The name to show.
    #[garde(length(chars, min = 2, max = 100), pattern(LINE))]
    pub name: String,
    /// The role.
    #[serde(default)]
    #[garde(skip)]
    pub role: Role,
    /// The password; without one the account cannot log in.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Password")]
    #[garde(dive)]
    pub password: Option<Password>,
}

/// What an administrator changes of an account; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UserPatch {
    /// The name to show.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = 2, max = 100), pattern(LINE))]
    pub name: Option<String>,
    /// The role.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Role")]
    #[garde(skip)]
    pub role: Option<Role>,
    /// Whether it is shut out: it cannot log in, and its sessions end.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    #[garde(skip)]
    pub banned: Option<bool>,
}

/// What a user gives to change their password.
#[derive(Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PasswordChange {
    /// The password so far. Only its size is judged.
    #[garde(length(chars, min = 1, max = 256), pattern(TEXT))]
    pub current_password: String,
    /// The password from now on.
    #[garde(dive)]
    pub new_password: Password,
}

impl fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordChange(***)")
    }
}

/// What someone gives to log in. Only its size is judged: what the rules for new passwords say is no business of a log-in.
#[derive(Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Credentials {
    /// The address of the account.
    #[garde(length(chars, min = 1, max = 254), pattern(TEXT))]
    pub email: String,
    /// The password of the account.
    #[garde(length(chars, min = 1, max = 256), pattern(TEXT))]
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// What a user tells about themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The id of the user.
    pub id: UserId,
    /// The address to log in with.
    pub email: String,
    /// Whether they proved that the address is theirs.
    pub email_verified: bool,
    /// The role.
    pub role: Role,
    /// The name to show.
    pub name: String,
    /// A few words; may be empty.
    pub bio: String,
    /// A picture.
    pub avatar_url: Option<String>,
    /// The preferred language, as a BCP 47 tag.
    pub locale: String,
    /// The IANA time zone.
    pub timezone: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When account or profile last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a user changes of their profile; what is absent stays, so that two devices editing different fields both win.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProfileUpdate {
    /// The name to show.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = 2, max = 100), pattern(LINE))]
    pub name: Option<String>,
    /// A few words; may be empty.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, max = 2000), pattern(TEXT))]
    pub bio: Option<String>,
    /// A picture, as an http or https URL; null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schemars(with = "Option<String>")]
    #[garde(length(chars, max = 2048), pattern(URL))]
    pub avatar_url: Option<Option<String>>,
    /// The preferred language, as a BCP 47 tag.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = 2, max = 35), pattern(LOCALE))]
    pub locale: Option<String>,
    /// The IANA time zone.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String", extend("format" = TIMEZONE_FORMAT))]
    #[garde(length(chars, min = 1, max = 64), pattern(TIMEZONE), custom(known_timezone))]
    pub timezone: Option<String>,
}

/// Keeps null (clear it) apart from absent (leave it).
#[expect(clippy::option_option, reason = "absent, null and value are three things")]
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

//! Typed ids: a UUIDv7 that knows what it names, read only in the hyphenated form.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use uuid::Uuid;

/// Reads the 36-character form only: the others a parser may take (braces, no hyphens, URN) would give one thing several names.
fn hyphenated(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, later than every one this process made before.
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                hyphenated(text).map(Self).ok_or("Invalid UUID")
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": "uuid", "minLength": 36, "maxLength": 36 })
            }
        }
    };
}

id! {
    /// Names a user.
    UserId
}
id! {
    /// Names a session; not the token, which is a secret.
    SessionId
}
id! {
    /// Names a post.
    PostId
}
id! {
    /// Names an organisation.
    OrgId
}
id! {
    /// Names a project.
    ProjectId
}
id! {
    /// Names an invitation; not the token, which is a secret.
    InvitationId
}
id! {
    /// Names an API key; not the key, which is a secret.
    ApiKeyId
}
id! {
    /// Names a file that was uploaded.
    UploadId
}
id! {
    /// Names an event of the audit log.
    AuditEventId
}
id! {
    /// Names an event of the webhook inbox; the provider has a name of its own for it.
    WebhookEventId
}
id! {
    /// Names a question to the model with its answer.
    ChatId
}
id! {
    /// Names whatever an event of the audit log was done to.
    TargetId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        assert!("0190b5a4-7c3e-7000-8000-000000000001".parse::<PostId>().is_ok());
        for wrong in
            ["", "1", "0190b5a47c3e70008000000000000001", "{0190b5a4-7c3e-7000-8000-000000000001}", "0190b5a4-7c3e-7000-8000-00000000000g"]
        {
            assert!(wrong.parse::<PostId>().is_err(), "{wrong}");
        }
    }
}

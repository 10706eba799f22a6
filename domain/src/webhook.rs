//! The webhook inbox, as operators see it.

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::WebhookEventId,
    text::{LINE, TEXT},
};

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Status {
    /// It waits to be processed, for the first time or again.
    Pending,
    /// Its effect is there.
    Done,
    /// It has none: an unknown type, another mode or another account.
    Ignored,
    /// It failed too often, or for good; it can be replayed.
    Dead,
}

impl Status {
    /// The name, on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Dead => "dead",
        }
    }
}

impl From<&str> for Status {
    fn from(name: &str) -> Self {
        match name {
            "done" => Self::Done,
            "ignored" => Self::Ignored,
            "dead" => Self::Dead,
            _ => Self::Pending,
        }
    }
}

/// An event, without its body.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookEvent")]
pub struct Event {
    /// Our id; later arrivals have later ones.
    pub id: WebhookEventId,
    /// Who sent it.
    pub provider: String,
    /// What the provider names it by.
    pub event_key: String,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The connected account it belongs to, if to one.
    pub account: Option<String>,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
    /// The shape of its body.
    pub api_version: Option<String>,
    /// When it happened, as the provider says.
    pub provider_created_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub status: Status,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it is pending.
    pub due_at: Option<DateTime<Utc>>,
    /// Why it failed last, or why it was ignored.
    pub last_error: Option<String>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// When its effect was there.
    pub processed_at: Option<DateTime<Utc>>,
}

/// An event with what was sent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookEventDetail")]
pub struct Detail {
    /// The event.
    pub event: Event,
    /// Some of the headers it came with; never the signature.
    pub headers: serde_json::Value,
    /// The body as text; what is no UTF-8 is replaced. Null once it is too old to keep.
    pub body: Option<String>,
}

/// Which events to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "WebhookEventFilter")]
pub struct Filter {
    /// Only those of this provider.
    #[serde(default)]
    #[schemars(with = "String")]
    #[garde(length(chars, max = 50), pattern(TEXT))]
    pub source: Option<String>,
    /// Only those of this type.
    #[serde(default, rename = "type")]
    #[schemars(with = "String")]
    #[garde(length(chars, max = 255), pattern(TEXT))]
    pub event_type: Option<String>,
    /// Only those that stand here.
    #[serde(default)]
    #[schemars(with = "Status")]
    #[garde(skip)]
    pub status: Option<Status>,
}

/// Which events to replay.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "WebhookReplay")]
pub struct Replay {
    /// Those of this provider.
    #[garde(length(chars, min = 1, max = 50), pattern(LINE))]
    pub source: String,
    /// Those of this type.
    #[serde(rename = "type")]
    #[garde(length(chars, min = 1, max = 255), pattern(LINE))]
    pub event_type: String,
    /// Those that arrived from this time on.
    #[schemars(extend("maxLength" = 40))]
    #[garde(skip)]
    pub since: DateTime<Utc>,
    /// Those that arrived before this time.
    #[schemars(extend("maxLength" = 40))]
    #[garde(skip)]
    pub until: DateTime<Utc>,
}

/// How many events will be processed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhooksReplayed")]
pub struct Replayed {
    /// How many.
    pub replayed: u64,
}

//! What Stripe would keep of its objects; how they look in JSON is `render`'s.

use std::collections::BTreeMap;

use chrono::{DateTime, Months};

/// Names and texts of the caller.
pub(crate) type Metadata = BTreeMap<String, String>;

/// Who pays.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) metadata: Metadata,
    /// Whether the card works.
    pub(crate) pays: bool,
}

/// What is sold.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) active: bool,
    pub(crate) metadata: Metadata,
}

/// What a product costs.
#[derive(Debug, Clone)]
pub(crate) struct Price {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) product: String,
    /// In cents.
    pub(crate) unit_amount: i64,
    pub(crate) interval: Interval,
    pub(crate) lookup_key: String,
    pub(crate) active: bool,
}

/// How often a price is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    Month,
    Year,
}

impl Interval {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The end of a period that begins at that time; the last day of a month stays within the next.
    pub(crate) fn after(self, start: i64) -> i64 {
        let months = Months::new(if self == Self::Month { 1 } else { 12 });
        let end = DateTime::from_timestamp(start, 0).and_then(|start| start.checked_add_months(months));
        end.map_or(start, |end| end.timestamp())
    }
}

/// A check-out.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) expires_at: i64,
    pub(crate) customer: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    pub(crate) client_reference_id: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) subscription_metadata: Metadata,
    pub(crate) trial_days: Option<i64>,
    pub(crate) success_url: String,
    pub(crate) cancel_url: Option<String>,
    pub(crate) status: SessionStatus,
    pub(crate) subscription: Option<String>,
    pub(crate) invoice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

/// A visit to the portal.
#[derive(Debug, Clone)]
pub(crate) struct Portal {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) return_url: String,
}

/// How a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Trialing,
    Active,
    PastDue,
    Unpaid,
    Canceled,
}

impl Status {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Canceled => "canceled",
        }
    }
}

/// A subscription with its one item.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) item: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    pub(crate) metadata: Metadata,
    pub(crate) status: Status,
    pub(crate) period_start: i64,
    pub(crate) period_end: i64,
    pub(crate) trial_end: Option<i64>,
    /// Whether the end of the trial was announced.
    pub(crate) trial_told: bool,
    pub(crate) cancel_at_period_end: bool,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) latest_invoice: Option<String>,
    /// When the card is tried again.
    pub(crate) next_attempt: Option<i64>,
}

/// An invoice with its one line.
#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) subscription: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    /// In cents.
    pub(crate) amount: i64,
    pub(crate) paid: bool,
    pub(crate) attempts: u32,
    pub(crate) next_attempt: Option<i64>,
    pub(crate) reason: &'static str,
    pub(crate) period_start: i64,
    pub(crate) period_end: i64,
}

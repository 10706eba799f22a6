//! Billing: what Stripe says of subscriptions, invoices, check-outs, products and prices, which of two things it says counts, and what
//! an organisation may use by it.
//!
//! A snapshot is read from an event or from an answer of Stripe's API, in the shapes before and after API version 2025-03-31.basil.
//! [`Mark`] says as of when it is true; [`Place`] decides between two of them, so that every order of arrival ends the same.

pub mod catalogue;
pub mod checkout;
pub mod entitlements;
pub mod invoice;
pub mod order;
mod read;
pub mod status;
pub mod subscription;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::LINE;

pub use catalogue::{FREE, Plan, Price, Product, plans};
pub use checkout::{Checkout, Progress};
pub use entitlements::{Basis, Entitlements, entitlements, foremost};
pub use invoice::{Invoice, unpaid_since};
pub use order::{Mark, Place, Source, Verdict, judge};
pub use read::Malformed;
pub use status::Status;
pub use subscription::{Item, Known, Stored, Subscription};

/// How many invoices of an organisation are shown, the latest.
pub const INVOICES_MAX: usize = 12;

/// The billing state of an organisation, as its members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Billing {
    /// Whether the organisation is a customer: only then is there a portal to send its administrators to.
    pub customer: bool,
    /// What the organisation may use now.
    pub entitlements: Entitlements,
    /// The subscription that counts; null when there never was one.
    pub subscription: Option<Subscription>,
    /// The latest invoices, at most 12, newest first; drafts are left out.
    pub invoices: Vec<Invoice>,
}

/// What an administrator gives to buy a subscription.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewCheckout {
    /// The price, one of `GET /api/plans`.
    #[garde(length(chars, min = 1, max = 255), pattern(LINE))]
    pub price_id: String,
    /// How many seats.
    #[serde(default = "one")]
    #[garde(range(min = 1, max = 10_000))]
    pub quantity: u32,
}

fn one() -> u32 {
    1
}

/// Where to send the browser.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BillingPage")]
pub struct Page {
    /// The address of a page at Stripe.
    pub url: String,
}

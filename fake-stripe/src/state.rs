//! What the fake knows: everything it was told and made, in the order in which it came to be.

mod billing;
mod catalogue;
mod checkout;
mod events;
mod objects;
mod portal;
mod render;
mod time;

use std::{collections::HashMap, time::SystemTime};

use rand::{SeedableRng, rngs::StdRng};
use serde::Serialize;

use crate::{Chaos, Clock, Settings, deliver::Job, faults::Faults};

pub(crate) use checkout::NewSession;
pub(crate) use events::Event;
pub use events::{Delivery, Outcome};
pub(crate) use objects::{Customer, Interval, Invoice, Metadata, Portal, Price, Product, Session, SessionStatus, Status, Subscription};

/// A call of the API, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// `GET` or `POST`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// Its idempotency key.
    pub idempotency_key: Option<String>,
    /// The version that was asked for.
    pub version: Option<String>,
}

/// A call or an action that cannot be done, as Stripe would say it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `invalid_request_error`, `idempotency_error`, …
    pub kind: &'static str,
    /// `resource_missing`, `parameter_unknown`, …
    pub code: Option<&'static str>,
    /// For people.
    pub message: String,
    /// The parameter it is about.
    pub param: Option<String>,
}

impl Refusal {
    pub(crate) fn invalid(code: Option<&'static str>, message: impl Into<String>, param: Option<&str>) -> Self {
        Self { status: 400, kind: "invalid_request_error", code, message: message.into(), param: param.map(str::to_owned) }
    }

    /// Something that a parameter names is not there: 404 when it is the object asked for (`id`), else 400.
    pub(crate) fn missing(noun: &str, id: &str, param: &str) -> Self {
        let status = if param == "id" { 404 } else { 400 };
        Self { status, ..Self::invalid(Some("resource_missing"), format!("No such {noun}: '{id}'"), Some(param)) }
    }
}

/// A first answer, given again to the same key.
pub(crate) struct Remembered {
    pub(crate) request: String,
    pub(crate) body: String,
}

/// All there is.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) base_url: String,
    pub(crate) customers: Vec<Customer>,
    pub(crate) products: Vec<Product>,
    pub(crate) prices: Vec<Price>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) portals: Vec<Portal>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) invoices: Vec<Invoice>,
    pub(crate) events: Vec<Event>,
    pub(crate) calls: Vec<Call>,
    pub(crate) remembered: HashMap<String, Remembered>,
    pub(crate) faults: Faults,
    pub(crate) chaos: Chaos,
    pub(crate) rng: StdRng,
    pub(crate) queue: Vec<Job>,
    pub(crate) in_flight: usize,
    ids: u64,
    /// How far the clock was advanced, in seconds.
    advanced: i64,
    /// The time while something is done that was due in the past.
    pretended: Option<i64>,
}

impl State {
    pub(crate) fn new(settings: Settings, base_url: String) -> Self {
        let mut state = Self {
            settings,
            base_url,
            customers: Vec::new(),
            products: Vec::new(),
            prices: Vec::new(),
            sessions: Vec::new(),
            portals: Vec::new(),
            subscriptions: Vec::new(),
            invoices: Vec::new(),
            events: Vec::new(),
            calls: Vec::new(),
            remembered: HashMap::new(),
            faults: Faults::default(),
            chaos: Chaos::default(),
            rng: StdRng::seed_from_u64(0),
            queue: Vec::new(),
            in_flight: 0,
            ids: 0,
            advanced: 0,
            pretended: None,
        };
        state.stock();
        state
    }

    /// A new id with that prefix.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}_{}{:08}", self.settings.id_salt, self.ids)
    }

    /// The time in unix seconds.
    pub(crate) fn now(&self) -> i64 {
        let from = match self.settings.clock {
            Clock::StandsAt(time) => time,
            Clock::Runs => real_time(),
        };
        self.pretended.unwrap_or(from + self.advanced)
    }

    pub(crate) fn customer(&self, id: &str, param: &str) -> Result<&Customer, Refusal> {
        self.customers.iter().find(|customer| customer.id == id).ok_or_else(|| Refusal::missing("customer", id, param))
    }

    pub(crate) fn price(&self, id: &str, param: &str) -> Result<&Price, Refusal> {
        self.prices.iter().find(|price| price.id == id).ok_or_else(|| Refusal::missing("price", id, param))
    }

    pub(crate) fn subscription(&self, id: &str) -> Result<&Subscription, Refusal> {
        self.subscriptions.iter().find(|subscription| subscription.id == id).ok_or_else(|| Refusal::missing("subscription", id, "id"))
    }

    pub(crate) fn session(&self, id: &str) -> Result<&Session, Refusal> {
        self.sessions.iter().find(|session| session.id == id).ok_or_else(|| Refusal::missing("checkout.session", id, "id"))
    }
}

/// The machine's time in unix seconds.
pub(crate) fn real_time() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

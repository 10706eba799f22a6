//! Events: snapshots of what changed, each with how its delivery went.

use rand::RngExt;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::State;
use crate::deliver::Job;

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) kind: String,
    /// What `data` says.
    pub(crate) data: Value,
    pub(crate) outcome: Outcome,
    pub(crate) attempts: u32,
    pub(crate) status: Option<u16>,
}

/// How the delivery of an event went so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There is nowhere to deliver it to.
    Unsent,
    /// It is under way, or will be tried again.
    Pending,
    /// It was acknowledged.
    Delivered,
    /// It was lost on purpose, and is not tried again unless that is asked for.
    Dropped,
    /// Every attempt failed.
    Failed,
}

/// An event and how its delivery went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The event's id.
    pub event: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How it stands.
    pub outcome: Outcome,
    /// How often it was sent.
    pub attempts: u32,
    /// The status of the last answer, if there was one.
    pub status: Option<u16>,
}

impl Event {
    /// The event as a list or a webhook shows it.
    pub(crate) fn render(&self, api_version: &str) -> Value {
        let pending = matches!(self.outcome, Outcome::Pending | Outcome::Dropped | Outcome::Failed);
        json!({
            "id": self.id, "object": "event", "api_version": api_version, "created": self.created, "type": self.kind, "livemode": false,
            "pending_webhooks": u8::from(pending), "request": { "id": null, "idempotency_key": null }, "data": self.data,
        })
    }

    /// Whether `delivery_success=true` finds it.
    pub(crate) fn succeeded(&self) -> bool {
        matches!(self.outcome, Outcome::Unsent | Outcome::Delivered)
    }

    pub(crate) fn delivery(&self) -> Delivery {
        let Self { id, kind, outcome, attempts, status, .. } = self;
        Delivery { event: id.clone(), kind: kind.clone(), outcome: *outcome, attempts: *attempts, status: *status }
    }
}

impl State {
    /// Tells of an object, and gives the event's id.
    pub(crate) fn emit(&mut self, kind: &str, object: Value) -> String {
        self.push_event(kind, Value::Object(Map::from_iter([("object".to_owned(), object)])))
    }

    /// Tells of a change; what is as before is no event.
    pub(crate) fn emit_change(&mut self, kind: &str, before: &Value, after: &Value) {
        let previous = changed(before, after);
        if !previous.is_empty() {
            self.push_event(kind, json!({ "object": after, "previous_attributes": previous }));
        }
    }

    fn push_event(&mut self, kind: &str, data: Value) -> String {
        let id = self.id("evt");
        let mut outcome = Outcome::Unsent;
        if self.settings.webhook_url.is_some() {
            let lost = self.rng.random_range(0..100) < self.chaos.drop_percent;
            outcome = if lost { Outcome::Dropped } else { Outcome::Pending };
        }
        let event = Event { id: id.clone(), created: self.now(), kind: kind.to_owned(), data, outcome, attempts: 0, status: None };
        self.events.push(event);
        if outcome == Outcome::Pending {
            let twice = self.rng.random_range(0..100) < self.chaos.duplicate_percent;
            let due = Instant::now() + self.chaos.delay;
            for _ in 0..=u8::from(twice) {
                self.queue.push(Job { event: id.clone(), due, attempt: 0 });
            }
        }
        id
    }

    /// Sends everything again that has not arrived.
    pub(crate) fn redeliver(&mut self) {
        let due = Instant::now();
        for event in self.events.iter_mut().filter(|event| matches!(event.outcome, Outcome::Dropped | Outcome::Failed)) {
            event.outcome = Outcome::Pending;
            self.queue.push(Job { event: event.id.clone(), due, attempt: 0 });
        }
    }

    pub(crate) fn event_mut(&mut self, id: &str) -> Option<&mut Event> {
        self.events.iter_mut().find(|event| event.id == id)
    }
}

/// The fields that changed, with what they were before.
fn changed(before: &Value, after: &Value) -> Map<String, Value> {
    let fields = before.as_object().into_iter().flatten();
    fields.filter(|(name, value)| after.get(name) != Some(value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

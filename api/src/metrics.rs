//! What can be watched, as `OpenMetrics` text: read at the moment of the scrape from where it is counted anyway.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

use actix_web::web::Data;
use auth::Memory;
use persistence::{Revocations, inbox::Pulse};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        info::Info,
    },
    registry::Registry,
};
use worker::reconcile::Report;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that can be watched.
pub struct Metrics(Registry);

impl Metrics {
    /// Reads from these from now on.
    #[must_use]
    pub fn new(memory: Data<Memory>, revocations: Arc<Revocations>, inbox: &InboxHealth) -> Self {
        let mut registry = Registry::with_prefix("handrail");
        registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register_collector(Box::new(Callers { memory, revocations }));
        registry.register("webhooks", "Webhooks that came, by what became of them", inbox.received.clone());
        registry.register("webhook_events_pending", "Events of the inbox that wait", inbox.pending.clone());
        registry.register("webhook_events_dead", "Events of the inbox that were given up", inbox.dead.clone());
        registry.register("webhook_events_recovered", "Events that never arrived and were asked for", inbox.recovered.clone());
        registry.register("billing_drifted", "Subscriptions that were other than Stripe has them", inbox.drifted.clone());
        registry.register("webhook_events_oldest_seconds", "How long the event that waits the longest does", inbox.oldest.clone());
        Self(registry)
    }

    /// Reads from this one too.
    #[must_use]
    pub fn with(mut self, collector: impl Collector) -> Self {
        self.0.register_collector(Box::new(collector));
        self
    }

    /// The text.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// What is told of the webhook inbox.
#[derive(Debug, Default)]
pub struct InboxHealth {
    received: Family<Came, Counter>,
    pending: Gauge,
    dead: Gauge,
    oldest: Gauge<f64, AtomicU64>,
    recovered: Counter,
    drifted: Counter,
}

/// A webhook that came, and what became of it: one of a few words.
#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Came {
    provider: &'static str,
    outcome: &'static str,
}

impl InboxHealth {
    /// Counts a webhook: `kept`, `failed`, or why it was refused.
    pub fn count(&self, provider: &'static str, outcome: &'static str) {
        self.received.get_or_create(&Came { provider, outcome }).inc();
    }

    /// Counts what comparing with Stripe found and mended.
    pub fn mended(&self, report: &Report) {
        self.recovered.inc_by(report.events.try_into().unwrap_or(0));
        self.drifted.inc_by(report.drifted.try_into().unwrap_or(0));
    }

    /// Takes over how the inbox is.
    pub fn set(&self, pulse: Pulse) {
        self.pending.set(pulse.pending.try_into().unwrap_or(i64::MAX));
        self.dead.set(pulse.dead.try_into().unwrap_or(i64::MAX));
        self.oldest.set(pulse.oldest.as_secs_f64());
    }
}

/// How callers are told: from memory or by query, and how sure the memory is.
struct Callers {
    memory: Data<Memory>,
    revocations: Arc<Revocations>,
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callers")
    }
}

impl Collector for Callers {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (hits, misses) = self.memory.hits_and_misses();
        let health = self.revocations.health();
        let checks = "Checks of a session, key or membership";
        let mut family = encoder.encode_descriptor("caller_checks", checks, None, MetricType::Counter)?;
        for (answered, count) in [("memory", hits), ("query", misses)] {
            ConstCounter::new(count).encode(family.encode_family(&[("answered_by", answered)])?)?;
        }
        let received = ConstCounter::new(health.received);
        received.encode(encoder.encode_descriptor("revocations_received", "Revocations heard of", None, MetricType::Counter)?)?;
        // Where nobody ever listened there is no lag to tell; alerts ask for its absence.
        if let Some(heard) = health.heard {
            let lag = ConstGauge::new(heard.as_secs_f64());
            let help = "Since when a revocation could have gone unheard";
            lag.encode(encoder.encode_descriptor("revocation_lag_seconds", help, None, MetricType::Gauge)?)?;
            let round_trip = ConstGauge::new(health.round_trip.as_secs_f64());
            let help = "How long the last heartbeat of the listening connection took";
            round_trip.encode(encoder.encode_descriptor("revocation_round_trip_seconds", help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}

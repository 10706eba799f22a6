//! What can be watched of the answers that are kept.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::Cache;

/// The answers that are kept, for those who watch.
pub struct Watched(pub Arc<Cache>);

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (cache, counts) = (&self.0, &self.0.counts);
        let help = "Requests of routes whose answers are kept, by where the answer came from";
        let mut family = encoder.encode_descriptor("cache_answers", help, None, MetricType::Counter)?;
        for (from, count) in [
            ("hit", &counts.hit),
            ("stale", &counts.stale),
            ("miss", &counts.miss),
            ("collapsed", &counts.collapsed),
            ("stale_if_error", &counts.failed),
            ("bypass", &counts.bypass),
        ] {
            ConstCounter::new(count.load(Ordering::Relaxed)).encode(family.encode_family(&[("from", from)])?)?;
        }
        let purges = ConstCounter::new(cache.revocations.purged());
        purges.encode(encoder.encode_descriptor("cache_purges", "Purges heard of or made", None, MetricType::Counter)?)?;
        let gauge = |count: u64| ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
        let entries = gauge(cache.kept.entry_count());
        entries.encode(encoder.encode_descriptor("cache_entries", "Answers that are kept", None, MetricType::Gauge)?)?;
        let help = "What they may come to take, with their compressed forms";
        gauge(cache.kept.weighted_size()).encode(encoder.encode_descriptor("cache_bytes", help, None, MetricType::Gauge)?)
    }
}

//! What can be watched of the services behind the proxy.

use std::fmt;

use actix_web::web::Data;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use upstream::proxy::{Health, State};

use super::Proxies;

/// How the services behind the proxy are doing.
pub struct Watched(pub Data<Proxies>);

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let all: Vec<(&str, Health)> = self.0.iter().map(|proxy| (proxy.settings().name.as_str(), proxy.health())).collect();
        let help = "Calls to services behind the proxy, by what became of them";
        let mut family = encoder.encode_descriptor("upstream_calls", help, None, MetricType::Counter)?;
        for (name, health) in &all {
            for (outcome, count) in [("answered", health.answered), ("failed", health.failed), ("refused", health.refused)] {
                ConstCounter::new(count).encode(family.encode_family(&[("upstream", *name), ("outcome", outcome)])?)?;
            }
        }
        let mut family = encoder.encode_descriptor("upstream_calls_under_way", "Calls to them right now", None, MetricType::Gauge)?;
        for (name, health) in &all {
            let under_way = i64::try_from(health.under_way).unwrap_or(i64::MAX);
            ConstGauge::new(under_way).encode(family.encode_family(&[("upstream", *name)])?)?;
        }
        let help = "Whether they are left alone: 0 no, 1 being tried, 2 yes";
        let mut family = encoder.encode_descriptor("upstream_breaker", help, None, MetricType::Gauge)?;
        for (name, health) in &all {
            let state: i64 = match health.breaker {
                State::Closed => 0,
                State::HalfOpen => 1,
                State::Open => 2,
            };
            ConstGauge::new(state).encode(family.encode_family(&[("upstream", *name)])?)?;
        }
        Ok(())
    }
}

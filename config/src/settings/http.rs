//! The HTTP server's settings.

use std::net::IpAddr;

use super::SECOND_MS;
use crate::{
    reader::Reader,
    types::Http,
    values::{List, network, origin},
};

pub(super) fn read(r: &mut Reader<'_>, processors: usize, production: bool) -> Http {
    r.section("HTTP");
    Http {
        host: r.value("HOST", IpAddr::from([127, 0, 0, 1]), "address to listen on (0.0.0.0 for all)", |text| {
            text.parse().map_err(|_| "must be an IP address".to_owned())
        }),
        port: r.number("PORT", 3000, 0..=u16::MAX, "port to listen on; 0 takes a free one"),
        metrics: r.optional(
            "METRICS_ADDR",
            "address and port for /metrics alone, e.g. 0.0.0.0:9090; on the main port when absent",
            |text| text.parse().map_err(|_| "must be an address and a port such as 0.0.0.0:9090".to_owned()),
        ),
        public_url: r.optional("PUBLIC_URL", "address clients use, e.g. https://api.example.com", origin),
        allowed_origins: r
            .optional("ALLOWED_ORIGINS", "origins that may call from a browser, comma separated, e.g. https://app.example.com", |text| {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(origin).collect::<Result<Vec<_>, _>>().map(List)
            })
            .map(|list| list.0)
            .unwrap_or_default(),
        trusted_proxies: r
            .optional("TRUSTED_PROXIES", "proxies whose X-Forwarded-For is believed: addresses or networks, comma separated", |text| {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(network).collect::<Result<Vec<_>, _>>().map(List)
            })
            .map(|list| list.0)
            .unwrap_or_default(),
        workers: r
            .number_if_set("WORKERS", 1..=512, "threads that serve requests; one per processor when absent")
            .unwrap_or(processors.max(1)),
        connections_max: r.number("MAX_CONNECTIONS", 20_000, 16..=1_000_000, "open connections per worker"),
        json_bytes_max: r.number("MAX_JSON_BYTES", 1 << 20, 1024..=1 << 26, "largest JSON or text body, in bytes"),
        form_bytes_max: r.number("MAX_FORM_BYTES", 10 << 20, 1024..=1 << 30, "largest form body, in bytes"),
        require_if_match: r.flag("REQUIRE_IF_MATCH", false, "refuse changes that do not say which version they were made from (428)"),
        head_timeout: r.duration("HEAD_TIMEOUT_SECONDS", 5, 1..=300, SECOND_MS, "longest time for a request head"),
        body_timeout: r.duration("BODY_TIMEOUT_SECONDS", 10, 1..=3600, SECOND_MS, "longest time for a request body"),
        write_timeout: r.duration("WRITE_TIMEOUT_SECONDS", 15, 1..=3600, SECOND_MS, "longest time a client may leave an answer unread"),
        keep_alive: r.duration("KEEP_ALIVE_SECONDS", 15, 1..=3600, SECOND_MS, "longest idle time between requests of a connection"),
        drain: r.duration(
            "DRAIN_SECONDS",
            if production { 5 } else { 0 },
            0..=300,
            SECOND_MS,
            "time /readyz says no before the listener closes (5 in production)",
        ),
        shutdown_grace: r.duration(
            "SHUTDOWN_GRACE_SECONDS",
            20,
            0..=3600,
            SECOND_MS,
            "time running requests get to finish after the listener closed",
        ),
    }
}

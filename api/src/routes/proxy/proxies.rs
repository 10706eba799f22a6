//! The services behind the proxy, as the settings name them.

use std::{
    collections::HashMap,
    io::{Error, ErrorKind},
    sync::Arc,
};

use config::Upstream;
use upstream::proxy::{Credential, Proxy, Settings};

/// Under which path services are reached.
const MOUNT: &str = "/api/proxy";

/// The services, by name.
#[derive(Debug, Default)]
pub struct Proxies(HashMap<String, Arc<Proxy>>);

impl Proxies {
    /// Those of the settings. Nothing is connected yet.
    ///
    /// # Errors
    /// When one cannot be called as it is set; the text names the setting.
    pub fn of(config: &config::Proxy) -> std::io::Result<Self> {
        let proxies = config.upstreams.iter().map(|upstream| {
            let wrong = |error| Error::new(ErrorKind::InvalidInput, format!("UPSTREAMS: {}: {error}", upstream.name));
            Ok((upstream.name.clone(), Arc::new(Proxy::new(settings(upstream)).map_err(wrong)?)))
        });
        proxies.collect::<std::io::Result<_>>().map(Self)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Proxy> {
        self.0.values().map(Arc::as_ref)
    }

    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one of this name.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Proxy>> {
        self.0.get(name).cloned()
    }
}

fn settings(upstream: &Upstream) -> Settings {
    let credential = upstream.authorization.as_ref();
    Settings {
        name: upstream.name.clone(),
        base: upstream.url.clone(),
        mount: format!("{MOUNT}/{}", upstream.name),
        private: upstream.private,
        credential: credential.map(|value| Credential { header: upstream.credential_header.clone(), value: value.expose().clone() }),
        user_header: upstream.user_header.clone(),
        connect: upstream.connect_timeout,
        head: upstream.head_timeout,
        silence: upstream.silence_timeout,
        total: upstream.total_timeout,
        request_bytes_max: upstream.request_bytes_max,
        answer_bytes_max: upstream.answer_bytes_max,
        answer_head_bytes_max: upstream.answer_head_bytes_max,
        calls_max: upstream.calls_max,
        retries: upstream.retries,
        breaker_calls: upstream.breaker_calls,
        breaker_open: upstream.breaker_open,
    }
}

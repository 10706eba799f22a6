//! The services behind the proxy.

use std::time::Duration;

use crate::Secret;

/// The services behind the proxy.
#[derive(Debug, Clone, Default)]
pub struct Proxy {
    /// Each of its own name.
    pub upstreams: Vec<Upstream>,
}

/// A service behind the proxy.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name in our paths.
    pub name: String,
    /// Where it is, without a trailing slash.
    pub url: String,
    /// Whether it is in the private network, else it is in the public one.
    pub private: bool,
    /// What it is told to let us in.
    pub authorization: Option<Secret<String>>,
    /// In which header, in small letters.
    pub credential_header: String,
    /// In which header it is told the caller's id, in small letters.
    pub user_header: Option<String>,
    /// The longest to connect.
    pub connect_timeout: Duration,
    /// The longest from the end of a request to the head of its answer.
    pub head_timeout: Duration,
    /// The longest without a byte.
    pub silence_timeout: Duration,
    /// The longest for all of a call.
    pub total_timeout: Duration,
    /// The largest request body, in bytes.
    pub request_bytes_max: u64,
    /// The largest answer body, in bytes.
    pub answer_bytes_max: u64,
    /// The largest head of an answer, in bytes.
    pub answer_head_bytes_max: usize,
    /// Calls at the same time.
    pub calls_max: usize,
    /// How often what is safe is tried again.
    pub retries: u32,
    /// Calls in 10 s of which half must fail for it to be left alone; 0 is never.
    pub breaker_calls: u32,
    /// How long it is left alone.
    pub breaker_open: Duration,
}

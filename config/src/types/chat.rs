//! The language model.

use std::time::Duration;

use crate::Secret;

/// The language model.
#[derive(Debug, Clone)]
pub struct Chat {
    /// The key to the model's API; without one there is no chat.
    pub key: Option<Secret<String>>,
    /// Where the API is, without a trailing slash.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// The longest wait for the first words.
    pub first_token: Duration,
    /// The longest silence after that.
    pub silence: Duration,
    /// The longest that an answer may take.
    pub total: Duration,
    /// How often clients that take events get a sign of life.
    pub heartbeat: Duration,
    /// The largest event of the model's, in bytes.
    pub event_bytes: usize,
    /// The longest answer, in bytes.
    pub answer_bytes: usize,
    /// How many tokens an account may use in a day; absent is unlimited.
    pub tokens_per_day: Option<u32>,
    /// How long is kept what was used.
    pub usage: Duration,
}

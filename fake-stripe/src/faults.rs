//! What can be wrong with the API for a while.

use std::time::Duration;

use serde::Deserialize;

/// A way for calls to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 503, and nothing happens.
    Down,
    /// The answer takes this long, in milliseconds.
    Slow(u64),
    /// 429, and nothing happens; with `Retry-After` in seconds.
    TooMany(u64),
    /// 409: another call with the same idempotency key is under way.
    Locked,
    /// 200, and no JSON.
    Garbage,
    /// 200, and more bytes than anybody should read.
    Endless,
    /// The call takes effect, and the connection breaks before the answer is through.
    Cut,
    /// 500 with `Stripe-Should-Retry: false`, and nothing happens.
    Hopeless,
}

/// The fault in force, if any.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    fault: Option<Fault>,
    /// How many calls it still hits; `None` for all until it is mended.
    left: Option<u32>,
}

impl Faults {
    /// Puts a fault in force.
    pub(crate) fn set(&mut self, fault: Fault, times: Option<u32>) {
        *self = Self { fault: Some(fault), left: times };
    }

    /// What is wrong with the next call.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        let fault = self.fault?;
        match &mut self.left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(fault)
    }
}

impl Fault {
    /// How long the answer is held back.
    pub(crate) fn delay(self) -> Duration {
        if let Self::Slow(millis) = self { Duration::from_millis(millis) } else { Duration::ZERO }
    }
}

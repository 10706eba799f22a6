//! How a service is doing.

use std::sync::atomic::{AtomicU64, Ordering};

use super::State;

/// How a service is doing, for those who watch.
#[derive(Debug, Clone, Copy)]
pub struct Health {
    /// Where its breaker stands.
    pub breaker: State,
    /// Calls under way.
    pub under_way: usize,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls without an answer, or with one that says it cannot.
    pub failed: u64,
    /// Calls that were not made: it is left alone, or there are too many.
    pub refused: u64,
}

/// What became of calls.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) refused: AtomicU64,
}

impl Counts {
    pub(super) fn count(one: &AtomicU64) {
        one.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn health(&self, breaker: State, under_way: usize) -> Health {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Health { breaker, under_way, answered: count(&self.answered), failed: count(&self.failed), refused: count(&self.refused) }
    }
}

//! Whether the database answers: while it does not, general limits let everybody in, and nobody waits for it twice.

use std::sync::atomic::{AtomicU64, Ordering};

/// How long the database is left alone after it did not answer, in nanoseconds.
const PAUSE: u64 = 1_000_000_000;
/// How often the log tells of it, at most, in nanoseconds.
const LOGGED_EVERY: u64 = 60 * 1_000_000_000;

/// The trouble, if there is any. Times are nanoseconds of the process's own clock.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// When the database is asked again; 0 when there is no trouble.
    again_at: AtomicU64,
    /// When the log told of it last; 0 is never.
    logged_at: AtomicU64,
}

/// What to do about the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// Ask it and wait for the answer.
    Ask,
    /// Ask it, but do not wait: whether it is back is for one to find out.
    Probe,
    /// Leave it alone.
    Leave,
}

impl Trouble {
    /// What to do about the database now.
    pub(super) fn advice(&self, now: u64) -> Advice {
        let at = self.again_at.load(Ordering::Relaxed);
        if at == 0 {
            return Advice::Ask;
        }
        let due = now >= at && self.again_at.compare_exchange(at, now + PAUSE, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if due { Advice::Probe } else { Advice::Leave }
    }

    /// It did not answer. Says whether the log should tell.
    #[must_use]
    pub(super) fn begin(&self, now: u64) -> bool {
        self.again_at.store(now + PAUSE, Ordering::Relaxed);
        let last = self.logged_at.load(Ordering::Relaxed);
        let due = last == 0 || now.saturating_sub(last) >= LOGGED_EVERY;
        due && self.logged_at.compare_exchange(last, now.max(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// It answered.
    pub(super) fn end(&self) {
        if self.again_at.load(Ordering::Relaxed) != 0 {
            self.again_at.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_second_asks_and_one_a_minute_is_logged() {
        let trouble = Trouble::default();
        assert_eq!(trouble.advice(5), Advice::Ask);
        assert!(trouble.begin(10));
        assert_eq!(trouble.advice(PAUSE), Advice::Leave);
        assert_eq!(trouble.advice(PAUSE + 10), Advice::Probe);
        assert_eq!(trouble.advice(PAUSE + 10), Advice::Leave);
        assert!(!trouble.begin(2 * PAUSE) && !trouble.begin(9 * PAUSE) && trouble.begin(10 + LOGGED_EVERY));
        trouble.end();
        assert_eq!(trouble.advice(LOGGED_EVERY), Advice::Ask);
    }
}

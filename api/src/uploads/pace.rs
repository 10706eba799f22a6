//! How slowly a body may come: what counts is the time spent waiting for the client, not for the storage.

use std::{future::Future, time::Duration};

use domain::Result;
use tokio::time::{Instant, timeout};

use crate::extract::late;

/// What a body may take, and has taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The waiting that is left.
    left: Duration,
    /// The longest wait for anything at all.
    stall: Duration,
    bytes_per_second_min: u32,
}

impl Pace {
    /// So much waiting, and more for every byte: who keeps to the rate may go on for ever.
    pub(crate) fn new(whole: Duration, stall: Duration, bytes_per_second_min: u32) -> Self {
        Self { left: whole, stall, bytes_per_second_min: bytes_per_second_min.max(1) }
    }

    /// Waits for the client.
    ///
    /// # Errors
    /// `REQUEST_TIMEOUT`.
    pub(crate) async fn wait<T>(&mut self, coming: impl Future<Output = T>) -> Result<T> {
        let begun = Instant::now();
        let come = timeout(self.allowed(), coming).await.map_err(|_| late())?;
        self.spent(begun.elapsed());
        Ok(come)
    }

    fn allowed(&self) -> Duration {
        self.left.min(self.stall)
    }

    fn spent(&mut self, waiting: Duration) {
        self.left = self.left.saturating_sub(waiting);
    }

    /// Counts what came.
    pub(crate) fn came(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(Duration::from_secs(1) * bytes / self.bytes_per_second_min);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_keeps_to_the_rate_is_never_late() {
        let mut pace = Pace::new(SECOND * 2, SECOND * 10, 100);
        for _ in 0..1000 {
            pace.spent(SECOND);
            assert!(pace.allowed() >= SECOND);
            pace.came(101);
        }
    }

    #[test]
    fn who_is_slower_is_given_the_time_and_no_more() {
        let mut pace = Pace::new(SECOND * 10, SECOND * 10, 100);
        let mut seconds = 0;
        while pace.allowed() >= SECOND {
            pace.spent(SECOND);
            pace.came(50);
            seconds += 1;
            assert!(seconds < 100);
        }
        assert!((18..=22).contains(&seconds), "{seconds}");
    }

    #[test]
    fn nobody_is_silent_for_long_whatever_came_before() {
        let mut pace = Pace::new(SECOND * 60, SECOND * 5, 4096);
        pace.came(100_000_000);
        assert_eq!(pace.allowed(), SECOND * 5);
    }
}

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
        let come = timeout(self.left.min(self.stall), coming).await.map_err(|_| late())?;
        self.left = self.left.saturating_sub(begun.elapsed());
        Ok(come)
    }

    /// Counts what came.
    pub(crate) fn came(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(Duration::from_secs(1) * bytes / self.bytes_per_second_min);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use domain::Code;
    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn who_keeps_to_the_rate_is_never_late() {
        let mut pace = Pace::new(SECOND * 2, SECOND * 10, 100);
        for _ in 0..1000 {
            pace.wait(sleep(SECOND)).await.unwrap();
            pace.came(101);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slower_is_given_the_time_and_no_more() {
        let mut pace = Pace::new(SECOND * 10, SECOND * 10, 100);
        let begun = Instant::now();
        let late = loop {
            match pace.wait(sleep(SECOND)).await {
                Ok(()) => pace.came(50),
                Err(late) => break late,
            }
        };
        assert_eq!(late.code(), Code::RequestTimeout);
        let took = begun.elapsed();
        assert!(took > SECOND * 18 && took < SECOND * 22, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_silent_for_long_whatever_came_before() {
        let mut pace = Pace::new(SECOND * 60, SECOND * 5, 1);
        pace.came(1_000_000);
        pace.wait(ready(())).await.unwrap();
        let begun = Instant::now();
        assert!(pace.wait(pending::<()>()).await.is_err());
        assert!(begun.elapsed() < SECOND * 6);
    }
}

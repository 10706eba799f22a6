//! How long to wait before something that failed is tried again.

use std::time::Duration;

/// Pauses that double up to a bound. Each is drawn by chance from a part of that, so that many things that failed together do not come
/// back together.
pub(crate) struct Backoff {
    /// The longest first pause.
    pub(crate) first: Duration,
    /// The longest of all.
    pub(crate) longest: Duration,
    /// The smallest part of a pause that is waited, from 0 to 1.
    pub(crate) least: f64,
}

impl Backoff {
    /// The pause after this attempt, counted from 1.
    pub(crate) fn after(&self, attempt: u32) -> Duration {
        let longest = self.first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(self.longest);
        longest.mul_f64(rand::random_range(self.least..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_to_a_bound_and_stay_within_their_part() {
        let backoff = Backoff { first: SECOND, longest: SECOND * 3600, least: 0.5 };
        let mut most = SECOND;
        for attempt in 1..60 {
            let pause = backoff.after(attempt);
            assert!(pause >= most / 2 && pause <= most, "{attempt}: {pause:?}");
            most = (most * 2).min(SECOND * 3600);
        }
        assert!(backoff.after(0) <= SECOND && backoff.after(u32::MAX) >= SECOND * 1800);
    }

    #[test]
    fn pauses_of_many_differ() {
        let backoff = Backoff { first: SECOND, longest: SECOND * 3600, least: 0.0 };
        let mut pauses: Vec<Duration> = (0..100).map(|_| backoff.after(12)).collect();
        pauses.sort();
        pauses.dedup();
        assert!(pauses.len() > 90, "{pauses:?}");
    }
}

//! When a call is tried again: never at once, and not all clients at the same time.

use std::time::Duration;

use crate::http;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);

/// How long to wait before a retry: a random part (`chance`, 0 to 1) of a bound that doubles each time, or as long as Stripe asks plus
/// that, so that those it sent away do not come back together.
pub(super) fn wait(retries_done: u32, retry_after: Option<Duration>, chance: f64) -> Duration {
    let bound = http::doubled(FIRST, retries_done).min(LONGEST);
    retry_after.unwrap_or_default().saturating_add(bound.mul_f64(chance.clamp(0.0, 1.0)))
}

/// Whether it may help to try again, by the status and what Stripe says itself (`Stripe-Should-Retry`).
pub(super) fn helps(status: u16, should_retry: Option<&str>) -> bool {
    match should_retry {
        Some("true") => true,
        Some("false") => false,
        // 409: another call holds the object or the idempotency key.
        _ => matches!(status, 409 | 429 | 500..),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let longest: Vec<u128> = (0..7).map(|n| wait(n, None, 1.0).as_millis()).collect();
        assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(wait(3, None, 0.0), Duration::ZERO);
        assert_eq!(wait(u32::MAX, None, 0.5), Duration::from_secs(4));
    }

    #[test]
    fn what_stripe_asks_for_is_the_least() {
        let asked = Some(Duration::from_secs(2));
        assert_eq!(wait(0, asked, 0.0), Duration::from_secs(2));
        assert_eq!(wait(0, asked, 1.0), Duration::from_millis(2500));
    }

    #[test]
    fn stripe_has_the_last_word() {
        for status in [409, 429, 500, 503] {
            assert!(helps(status, None) && !helps(status, Some("false")));
        }
        for status in [302, 400, 401, 402, 404] {
            assert!(!helps(status, None) && helps(status, Some("true")));
        }
    }
}

//! Times in signature headers, and how far they may be from ours.

use crate::Reject;

/// How far a signed time may be from ours, both ways, in seconds; exactly this far is inside. The value that the SDKs of Stripe and
/// Standard Webhooks use.
pub const TOLERANCE_SECONDS: u64 = 300;

/// More digits are no time of day: milliseconds, or an attempt to overflow.
const DIGITS_MAX: usize = 12;

/// Reads unix seconds: 1 to 12 ASCII digits and nothing else, no sign, no blank.
pub(crate) fn unix_seconds(text: &[u8]) -> Option<i64> {
    if text.len() > DIGITS_MAX || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

/// Refuses what was signed too long ago, or ahead of time.
pub(crate) fn check_age(signed_at: i64, now: i64) -> Result<(), Reject> {
    if now.abs_diff(signed_at) <= TOLERANCE_SECONDS { Ok(()) } else { Err(Reject::Stale { seconds: now.saturating_sub(signed_at) }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_digits_are_a_time() {
        assert_eq!(unix_seconds(b"1614265330"), Some(1_614_265_330));
        assert_eq!(unix_seconds(b"000000000001"), Some(1));
        for wrong in ["", "-1", "+1", " 1", "1 ", "1.5", "0x1", "hello", "1614265330000", "99999999999999999999", "\u{663}"] {
            assert_eq!(unix_seconds(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_window_has_two_sides_and_includes_its_ends() {
        for now in [700, 701, 1000, 1299, 1300] {
            assert_eq!(check_age(1000, now), Ok(()));
        }
        assert_eq!(check_age(1000, 1301), Err(Reject::Stale { seconds: 301 }));
        assert_eq!(check_age(1000, 699), Err(Reject::Stale { seconds: -301 }));
        assert_eq!(check_age(0, i64::MIN), Err(Reject::Stale { seconds: i64::MIN }));
    }
}

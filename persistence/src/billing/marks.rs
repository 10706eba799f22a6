//! Marks as the database holds them.

use chrono::{DateTime, Utc};
use domain::billing::Mark;

/// The mark of two columns.
pub(super) fn mark(at: DateTime<Utc>, source: &str) -> Mark {
    Mark { at, source: source.into() }
}

/// A count as the database holds it; none is larger.
pub(super) fn count(count: u32) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

/// A count the database holds, which is never negative.
pub(super) fn counted(count: i32) -> u32 {
    count.try_into().unwrap_or(0)
}

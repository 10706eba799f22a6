//! The process's own clock, for the one thing that it decides: whether a signature of somebody else is of this hour.

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "a signature says when it was made by a clock outside, and the database is not asked before it is right"
)]
pub(crate) fn unix_seconds() -> i64 {
    chrono::Utc::now().timestamp()
}

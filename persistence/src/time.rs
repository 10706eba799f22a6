//! The database's own time in queries, and lengths of time for it.

use std::time::Duration;

use diesel::{
    IntoSql,
    dsl::{self, sql},
    expression::SqlLiteral,
    pg::data_types::PgInterval,
    sql_types::{Interval, Timestamptz},
};

/// How long what was deleted can be restored, in days.
pub const RESTORABLE_DAYS: u32 = 30;

/// The database's `now()`, with its time zone, which Diesel's own does not have.
pub(crate) fn now() -> dsl::AsExprOf<dsl::now, Timestamptz> {
    dsl::now.into_sql::<Timestamptz>()
}

/// A length of time, to the microsecond.
pub(crate) fn interval(length: Duration) -> PgInterval {
    PgInterval::from_microseconds(length.as_micros().try_into().unwrap_or(i64::MAX))
}

/// A length of time as an expression, to be added to [`now`].
pub(crate) fn length(length: Duration) -> dsl::AsExprOf<PgInterval, Interval> {
    interval(length).into_sql::<Interval>()
}

/// The time since when what was deleted can be restored.
pub(crate) fn restorable() -> SqlLiteral<Timestamptz> {
    sql(&format!("now() - interval '{RESTORABLE_DAYS} days'"))
}

/// Seconds as the database tells them, as a length of time; what has passed is none.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}

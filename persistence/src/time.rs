//! The database's own time in queries, and lengths of time for it.

use std::time::Duration;

use diesel::{IntoSql, dsl, pg::data_types::PgInterval, sql_types::Timestamptz};

/// The database's `now()`, with its time zone, which Diesel's own does not have.
pub(crate) fn now() -> dsl::AsExprOf<dsl::now, Timestamptz> {
    dsl::now.into_sql::<Timestamptz>()
}

/// A length of time, to the microsecond.
pub(crate) fn interval(length: Duration) -> PgInterval {
    PgInterval::from_microseconds(length.as_micros().try_into().unwrap_or(i64::MAX))
}

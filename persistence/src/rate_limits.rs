//! Queries on `rate_limits`: a limit that holds over all replicas, kept by the database in one statement.
//!
//! The algorithm is the generic cell rate algorithm (ITU-T I.371) in its virtual scheduling form: one time per subject says when all that
//! was taken will have flowed back, and a take is admitted while that lies no further ahead than the whole quota.

use std::time::Duration;

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryResult,
    pg::{Pg, data_types::PgInterval},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Bytea, Double, Interval},
};
use diesel_async::RunQueryDsl;

use crate::{
    Db, Result,
    schema::rate_limits,
    time::{interval, now},
};

/// The SHA-256 of what is limited: no address is stored.
pub type Key = [u8; 32];

/// So much in so long: at once, or spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How much, at least 1.
    pub count: u32,
    /// In how long.
    pub window: Duration,
}

impl Quota {
    /// How long one takes to flow back.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.window / self.count.max(1)
    }
}

/// What became of a take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Admitted; so much is left, and all will have flowed back after so long.
    Admitted {
        /// How much is left.
        remaining: u32,
        /// How long until all has flowed back.
        reset: Duration,
    },
    /// Refused; one will have flowed back after so long.
    Refused {
        /// How long to wait.
        retry_after: Duration,
    },
}

/// Takes one, if the quota allows it.
pub async fn take(db: &Db, key: &Key, quota: Quota) -> Result<Taken> {
    let statement = Take { key: *key, interval: interval(quota.interval()), window: interval(quota.window) };
    let used: Option<f64> = db.run(async |conn| statement.get_result(conn).await.optional()).await?;
    let window = quota.window;
    match used {
        Some(used) => {
            let reset = Duration::try_from_secs_f64(used.max(0.0)).unwrap_or(window);
            let left = window.saturating_sub(reset).as_nanos() / quota.interval().as_nanos().max(1);
            Ok(Taken::Admitted { remaining: u32::try_from(left).unwrap_or(u32::MAX), reset })
        }
        None => Ok(Taken::Refused { retry_after: wait(db, key, quota).await?.unwrap_or_else(|| quota.interval()) }),
    }
}

/// How long to wait until one can be taken; `None` when one can be taken now. Takes nothing.
pub async fn wait(db: &Db, key: &Key, quota: Quota) -> Result<Option<Duration>> {
    let statement = Ahead { key: *key };
    let ahead: Option<f64> = db.run(async |conn| statement.get_result(conn).await.optional()).await?;
    let ahead = Duration::try_from_secs_f64(ahead.unwrap_or(0.0).max(0.0)).unwrap_or(quota.window);
    let over = (ahead + quota.interval()).saturating_sub(quota.window);
    Ok((!over.is_zero()).then_some(over))
}

/// Removes what has wholly flowed back, at most `batch` at a time, and says how many.
pub async fn sweep(db: &Db, batch: usize) -> Result<usize> {
    let batch = i64::try_from(batch).unwrap_or(i64::MAX);
    let expired = diesel::alias!(rate_limits as expired);
    let some = expired.filter(expired.field(rate_limits::full_at).le(now())).limit(batch).select(expired.field(rate_limits::key));
    db.run(async |conn| diesel::delete(rate_limits::table.filter(rate_limits::key.eq_any(some))).execute(conn).await).await
}

/// Counts and checks in one statement, so that no two replicas admit the same one.
struct Take {
    key: Key,
    interval: PgInterval,
    window: PgInterval,
}

impl QueryFragment<Pg> for Take {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO rate_limits AS r (key, full_at) VALUES (");
        out.push_bind_param::<Bytea, _>(&self.key)?;
        out.push_sql(", now() + ");
        out.push_bind_param::<Interval, _>(&self.interval)?;
        out.push_sql(") ON CONFLICT (key) DO UPDATE SET full_at = greatest(r.full_at, now()) + ");
        out.push_bind_param::<Interval, _>(&self.interval)?;
        out.push_sql(" WHERE greatest(r.full_at, now()) + ");
        out.push_bind_param::<Interval, _>(&self.interval)?;
        out.push_sql(" <= now() + ");
        out.push_bind_param::<Interval, _>(&self.window)?;
        out.push_sql(" RETURNING extract(epoch FROM full_at - now())::float8");
        Ok(())
    }
}

impl QueryId for Take {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Take {
    type SqlType = Double;
}

/// How far ahead the time lies at which all will have flowed back.
struct Ahead {
    key: Key,
}

impl QueryFragment<Pg> for Ahead {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT extract(epoch FROM full_at - now())::float8 FROM rate_limits WHERE key = ");
        out.push_bind_param::<Bytea, _>(&self.key)
    }
}

impl QueryId for Ahead {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Ahead {
    type SqlType = Double;
}

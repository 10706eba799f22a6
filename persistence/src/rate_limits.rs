//! Queries on `rate_limits`: a limit that holds over all replicas, kept by the database in one statement.
//!
//! The algorithm is the generic cell rate algorithm (ITU-T I.371) in its virtual scheduling form: one time per subject says when all that
//! was taken will have flowed back, and more can be taken while that lies no further ahead than the whole quota.

use std::time::Duration;

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Bool, Bytea},
};
use diesel_async::RunQueryDsl;

use crate::{Db, Error, Result, schema::rate_limits, time::now};

/// How often a take that met another first one is tried again; one more time is enough unless rows are removed in between.
const RETRIES_MAX: usize = 5;

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
    /// How long one takes to flow back: in whole microseconds, as the database counts, and rounded up, so that no more than the quota does.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let micros = self.window.as_micros().div_ceil(u128::from(self.count.max(1))).max(1);
        Duration::from_micros(micros.try_into().unwrap_or(u64::MAX))
    }

    /// How long all of it takes to flow back: the window, and at most a microsecond for each more.
    #[must_use]
    pub fn horizon(&self) -> Duration {
        self.interval().saturating_mul(self.count.max(1))
    }
}

/// How much to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// So much, or what is left when that is less.
    pub count: u32,
    /// Up to so much, as far as it is a tenth of what is left at most: what others will hardly miss.
    pub spare: u32,
}

impl Ask {
    /// One.
    pub const ONE: Self = Self { count: 1, spare: 0 };
}

/// What was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How much; less than was asked means that nothing is left.
    pub count: u32,
    /// How long until all that was taken before will have flowed back.
    pub ahead: Duration,
}

/// Takes as much as is asked, or what is left, which may be nothing. Nobody else gets the same.
///
/// # Errors
/// `Busy`.
pub async fn take(db: &Db, key: &Key, quota: Quota, ask: Ask) -> Result<Taken> {
    for _ in 0..=RETRIES_MAX {
        let statement = Take {
            key: *key,
            interval: micros(quota.interval()),
            horizon: micros(quota.horizon()),
            count: ask.count.into(),
            spare: ask.spare.into(),
        };
        let (count, ahead, done): (i64, i64, bool) = db.run(async |conn| statement.get_result(conn).await).await?;
        if done {
            let ahead = Duration::from_micros(ahead.try_into().unwrap_or_default());
            return Ok(Taken { count: count.try_into().unwrap_or_default(), ahead });
        }
    }
    Err(Error::busy("the limit's row came and went"))
}

/// How long until all that was taken will have flowed back. Takes nothing.
///
/// # Errors
/// `Busy`.
pub async fn ahead(db: &Db, key: &Key) -> Result<Duration> {
    let statement = Ahead { key: *key };
    let ahead: Option<i64> = db.run(async |conn| statement.get_result(conn).await.optional()).await?;
    Ok(Duration::from_micros(ahead.and_then(|micros| micros.try_into().ok()).unwrap_or_default()))
}

/// Removes what has wholly flowed back, at most `batch` at a time, and says how many.
pub async fn sweep(db: &Db, batch: usize) -> Result<usize> {
    let batch = i64::try_from(batch).unwrap_or(i64::MAX);
    let expired = diesel::alias!(rate_limits as expired);
    let some = expired.filter(expired.field(rate_limits::full_at).le(now())).limit(batch).select(expired.field(rate_limits::key));
    // The second look is at the row as it is when it is locked: it may have been used since it was found.
    let unused = rate_limits::table.filter(rate_limits::key.eq_any(some)).filter(rate_limits::full_at.le(now()));
    db.run(async |conn| diesel::delete(unused).execute(conn).await).await
}

/// A length of time in microseconds.
fn micros(length: Duration) -> i64 {
    length.as_micros().try_into().unwrap_or(i64::MAX)
}

/// Looks, counts and takes in one statement, so that no two replicas take the same.
///
/// The row is locked before it is looked at. When it is not there yet, two may both want to insert it; the one who comes second has looked
/// at nothing, changes nothing and is told so by the third column.
struct Take {
    key: Key,
    interval: i64,
    horizon: i64,
    count: i64,
    spare: i64,
}

impl QueryFragment<Pg> for Take {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH old AS (SELECT full_at FROM rate_limits WHERE key = ");
        out.push_bind_param::<Bytea, _>(&self.key)?;
        out.push_sql(" FOR UPDATE), base AS (SELECT greatest((SELECT full_at FROM old), now()) AS at), room AS (SELECT at, (");
        out.push_bind_param::<BigInt, _>(&self.horizon)?;
        out.push_sql(" - (extract(epoch FROM at - now()) * 1000000)::bigint) / ");
        out.push_bind_param::<BigInt, _>(&self.interval)?;
        out.push_sql(" AS room FROM base), plan AS (SELECT at, greatest(least(room, greatest(");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(", least(room / 10, ");
        out.push_bind_param::<BigInt, _>(&self.spare)?;
        out.push_sql("))), 0) AS taken FROM room), put AS (INSERT INTO rate_limits (key, full_at) SELECT ");
        out.push_bind_param::<Bytea, _>(&self.key)?;
        out.push_sql(", at + taken * ");
        out.push_bind_param::<BigInt, _>(&self.interval)?;
        out.push_sql(" * interval '1 microsecond' FROM plan WHERE taken > 0 ON CONFLICT (key) DO UPDATE SET full_at = excluded.full_at ");
        out.push_sql("WHERE EXISTS (SELECT FROM old) RETURNING 1) ");
        out.push_sql("SELECT taken, (extract(epoch FROM at - now()) * 1000000)::bigint, taken = 0 OR EXISTS (SELECT FROM put) FROM plan");
        Ok(())
    }
}

impl QueryId for Take {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Take {
    type SqlType = (BigInt, BigInt, Bool);
}

/// How far ahead the time lies at which all will have flowed back.
struct Ahead {
    key: Key,
}

impl QueryFragment<Pg> for Ahead {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT (extract(epoch FROM greatest(full_at, now()) - now()) * 1000000)::bigint FROM rate_limits WHERE key = ");
        out.push_bind_param::<Bytea, _>(&self.key)
    }
}

impl QueryId for Ahead {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Ahead {
    type SqlType = BigInt;
}

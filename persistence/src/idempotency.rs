//! Queries on `idempotency_keys`: effects that happen once per key, however often they are asked for.
//!
//! The key is claimed, the effect made and the answer kept in one transaction. So there is no state between "not done" and "answered":
//! a process that dies before the commit has done nothing, and after it the answer is there. Whoever asks under the same key meanwhile
//! waits at the unique index until the first has committed or given up.

use std::time::Duration;

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, SelectableHelper, upsert::excluded};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::audit::Actor;

use crate::{
    Db, Error, Result, Tx,
    error::is_lock_timeout,
    schema::idempotency_keys,
    time::{length, now},
};

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A request under a key.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// What tells the keys of all callers apart.
    pub key_hash: [u8; 32],
    /// What tells requests apart.
    pub fingerprint: [u8; 32],
}

/// What became of a request under a key.
#[derive(Debug)]
pub enum Once<T> {
    /// It took effect now.
    Now(T),
    /// It took effect before; this was answered.
    Before(Vec<u8>),
}

#[derive(diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = idempotency_keys)]
struct Row {
    fingerprint: Vec<u8>,
    answer: Option<Vec<u8>>,
}

/// Makes an effect and keeps its answer, unless that was done before. An effect that fails leaves nothing behind: the key is free again.
///
/// # Errors
/// Those of the effect; `KeyReused` when the key was used for another request, `KeyInUse` when the first is not through yet.
pub async fn once<T, E: From<Error>>(
    db: &Db,
    actor: &Actor,
    attempt: &Attempt,
    effect: impl AsyncFnOnce(&mut Tx<'_>) -> Result<(T, Vec<u8>), E>,
) -> Result<Once<T>, E> {
    db.transact(actor, async |tx| {
        if !claim(tx.conn, attempt).await? {
            let row = find(tx.conn, attempt).await.map_err(Error::from)?;
            // Swept between the two statements.
            let row = row.ok_or_else(|| Error::busy("the idempotency key has just expired"))?;
            return Ok(Once::Before(row.answer_to(attempt)?));
        }
        let (value, answer) = effect(tx).await?;
        let row = idempotency_keys::table.find(attempt.key_hash.as_slice());
        diesel::update(row).set(idempotency_keys::answer.eq(answer)).execute(tx.conn).await.map_err(Error::from)?;
        Ok(Once::Now(value))
    })
    .await
}

/// What was answered to a request before; `None` when it has not taken effect yet.
///
/// # Errors
/// `KeyReused` when the key was used for another request.
pub async fn answered(db: &Db, attempt: &Attempt) -> Result<Option<Vec<u8>>> {
    let row = db.read(async |conn| find(conn, attempt).await).await?;
    row.map(|row| row.answer_to(attempt)).transpose()
}

/// Whether something was answered under this key, to whatever request.
pub async fn is_known(db: &Db, key_hash: &[u8; 32]) -> Result<bool> {
    let live = idempotency_keys::table.find(key_hash.as_slice()).filter(idempotency_keys::expires_at.gt(now()));
    db.read(async |mut conn| diesel::select(diesel::dsl::exists(live)).get_result(&mut conn).await).await
}

async fn find(mut conn: &AsyncPgConnection, attempt: &Attempt) -> QueryResult<Option<Row>> {
    let live = idempotency_keys::table.find(attempt.key_hash.as_slice()).filter(idempotency_keys::expires_at.gt(now()));
    live.select(Row::as_select()).first(&mut conn).await.optional()
}

impl Row {
    fn answer_to(self, attempt: &Attempt) -> Result<Vec<u8>> {
        if self.fingerprint == attempt.fingerprint { self.answer.ok_or(Error::KeyInUse) } else { Err(Error::KeyReused) }
    }
}

/// Takes the key; false when an answer is kept under it. One that expired and was not swept yet is free.
async fn claim(conn: &mut AsyncPgConnection, attempt: &Attempt) -> Result<bool> {
    use diesel::query_dsl::methods::FilterDsl;
    let insert = diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::key_hash.eq(attempt.key_hash.as_slice()),
            idempotency_keys::fingerprint.eq(attempt.fingerprint.as_slice()),
            idempotency_keys::expires_at.eq(now() + length(KEPT)),
        ))
        .on_conflict(idempotency_keys::key_hash)
        .do_update()
        .set((
            idempotency_keys::fingerprint.eq(excluded(idempotency_keys::fingerprint)),
            idempotency_keys::answer.eq(None::<Vec<u8>>),
            idempotency_keys::expires_at.eq(excluded(idempotency_keys::expires_at)),
        ));
    match FilterDsl::filter(insert, idempotency_keys::expires_at.le(now())).execute(conn).await {
        Ok(count) => Ok(count > 0),
        Err(error) if is_lock_timeout(&error) => Err(Error::KeyInUse),
        Err(error) => Err(error.into()),
    }
}

/// Removes answers that have expired, at most `batch`, and says how many.
pub async fn sweep(db: &Db, batch: usize) -> Result<usize> {
    let old = diesel::alias!(idempotency_keys as old);
    let some = old
        .filter(old.field(idempotency_keys::expires_at).le(now()))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(idempotency_keys::key_hash));
    let expired = idempotency_keys::table.filter(idempotency_keys::key_hash.eq_any(some));
    db.run(async |conn| diesel::delete(expired).execute(conn).await).await
}

//! How files go: first the row says so, then the bytes are removed, then the row goes.

use std::time::Duration;

use diesel::{BoolExpressionMethods, ExpressionMethods, IntoSql, OptionalExtension, QueryDsl, sql_types::Bool};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::UploadId;
use uuid::Uuid;

use super::{Reader, visible};
use crate::{
    Db, Result,
    schema::uploads,
    time::{length, now},
};

/// After so long without a sign of life an upload counts as left behind. A slow one shows that it lives several times as often.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);
/// How long whoever took something for removal has, before others try.
const LEASE: Duration = Duration::from_secs(5 * 60);

/// A file whose bytes are to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The file.
    pub id: UploadId,
    /// The number its parts are kept under, if it was never finished.
    pub parts: Option<String>,
}

impl From<(Uuid, Option<String>)> for Gone {
    fn from((id, parts): (Uuid, Option<String>)) -> Self {
        Self { id: UploadId(id), parts }
    }
}

/// Deletes a file, as far as anybody can see: what it took of the quota is free. `None` when there is none for this reader.
pub async fn delete(db: &Db, id: UploadId, reader: Reader) -> Result<Option<Gone>> {
    let one = uploads::table.filter(uploads::id.eq(id.0)).filter(visible!(reader));
    let row: Option<(Uuid, Option<String>)> = db
        .run(async |conn| {
            let set = (uploads::state.eq("deleted"), uploads::touched_at.eq(now()));
            diesel::update(one).set(set).returning((uploads::id, uploads::parts)).get_result(conn).await.optional()
        })
        .await?;
    Ok(row.map(Into::into))
}

/// Gives up an upload, unless it was finished; `None` when it was, be it that nobody heard of it.
///
/// # Errors
/// When the database is away: then nobody knows how far it came, and its bytes must stay until a sweep has asked again.
pub async fn discard(db: &Db, id: UploadId) -> Result<Option<Gone>> {
    let row: Option<(Uuid, Option<String>)> = db
        .run(async |conn| {
            let set = (uploads::state.eq("deleted"), uploads::touched_at.eq(now()));
            let unfinished = uploads::table.find(id.0).filter(uploads::state.ne("ready"));
            diesel::update(unfinished).set(set).returning((uploads::id, uploads::parts)).get_result(conn).await.optional()
        })
        .await?;
    Ok(row.map(Into::into))
}

/// Forgets a file whose bytes are removed.
pub async fn forget(db: &Db, id: UploadId) -> Result<()> {
    let one = uploads::table.filter(uploads::id.eq(id.0)).filter(uploads::state.eq("deleted"));
    db.run(async |conn| diesel::delete(one).execute(conn).await).await.map(drop)
}

/// Takes some of what is to be removed: files that were deleted or whose account was, and uploads left behind. Nobody else gets them for
/// five minutes.
pub async fn sweep(db: &Db, batch: i64) -> Result<Vec<Gone>> {
    let left_behind = uploads::state.eq("pending").and(uploads::touched_at.lt(now() - length(LEFT_BEHIND)));
    let deleted = uploads::state.eq("deleted").and(uploads::touched_at.lt(now() - length(LEASE)));
    let nobodys = uploads::state.eq("ready").and(uploads::user_id.is_null());
    let some = uploads::table.filter(left_behind.or(deleted).or(nobodys)).order(uploads::touched_at).limit(batch);
    let rows: Vec<(Uuid, Option<String>)> = db
        .run(async |conn| {
            conn.transaction(async |conn| {
                let taken: Vec<Uuid> = some.for_update().skip_locked().select(uploads::id).load(conn).await?;
                diesel::update(uploads::table.filter(uploads::id.eq_any(taken)))
                    .set((uploads::state.eq("deleted"), uploads::touched_at.eq(now())))
                    .returning((uploads::id, uploads::parts))
                    .get_results(conn)
                    .await
            })
            .await
        })
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

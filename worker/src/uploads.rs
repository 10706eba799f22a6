//! Removes the bytes of files that were deleted or whose account was, and what is left of uploads that never came to an end.

use std::{convert::Infallible, time::Duration};

use domain::UploadId;
use persistence::{
    Db,
    uploads::{self, Gone},
};
use tokio::time::interval;
use upstream::storage::Store;

/// How often.
const PAUSE: Duration = Duration::from_secs(5 * 60);
/// How many at a time.
const BATCH: i64 = 100;

/// Why something could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not answer as it should.
    #[error("database: {0}")]
    Database(#[from] persistence::Error),
    /// The storage does not.
    #[error("{0}")]
    Storage(#[from] upstream::storage::Error),
}

/// The key of a file in the storage, in one of 256 folders.
#[must_use]
pub fn key(id: UploadId) -> String {
    let [.., last] = id.0.into_bytes();
    format!("{last:02x}/{id}")
}

/// Removes what is due now and then, until it is dropped. Several processes may: each takes what no other has.
pub async fn run(db: &Db, store: &Store) -> Infallible {
    let mut ticks = interval(PAUSE);
    loop {
        ticks.tick().await;
        match once(db, store).await {
            Ok(0) => {}
            Ok(count) => log::info!("{count} files removed from the storage"),
            Err(error) => log::warn!("files could not be removed, later again: {error}"),
        }
    }
}

/// Removes everything that is due, and says how many files that were.
///
/// # Errors
/// When the database is away. What the storage does not let go of is tried again later.
pub async fn once(db: &Db, store: &Store) -> Result<usize, Error> {
    let mut removed = 0;
    loop {
        let gone = uploads::sweep(db, BATCH).await?;
        if gone.is_empty() {
            return Ok(removed);
        }
        for one in &gone {
            match remove(db, store, one).await {
                Ok(()) => removed += 1,
                Err(error) => log::warn!("file {} could not be removed, later again: {error}", one.id),
            }
        }
    }
}

/// Removes the bytes of a file that is deleted, then its row.
///
/// # Errors
/// When the storage or the database does not answer: it may be done again.
pub async fn remove(db: &Db, store: &Store, gone: &Gone) -> Result<(), Error> {
    store.clear(&key(gone.id), gone.parts.as_deref()).await?;
    Ok(uploads::forget(db, gone.id).await?)
}

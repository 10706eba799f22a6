//! Puts an upload into the storage in a task of its own, so that a client who leaves interrupts no write midway: whatever has begun comes to
//! its end, and then what is left of it is removed.

use actix_web::{rt, web::Data};
use bytes::Bytes;
use domain::{Error, Result, UploadId, UserId, upload::Quota};
use persistence::{Change, Db, uploads};
use tokio::{
    sync::{
        mpsc::{self, Receiver, Sender},
        oneshot,
    },
    task::JoinHandle,
    time::Instant,
};
use upstream::storage::Store;

use super::{TOUCH_EVERY, failed, places::Place};

/// An upload on its way into the storage. One that is dropped is removed.
pub(crate) struct Deposit {
    id: UploadId,
    steps: Sender<Step>,
    task: JoinHandle<Result<()>>,
}

/// An upload that is in the storage. When this is dropped and the database does not say that it is finished, it is removed.
pub(crate) struct Stored {
    pub(crate) id: UploadId,
    _until: oneshot::Sender<()>,
}

enum Step {
    Part(Bytes),
    Finish { last: Bytes, size: u64, stored: oneshot::Sender<()>, settled: oneshot::Receiver<()> },
}

/// What the task works with.
pub(crate) struct Job {
    /// The way to the database.
    pub(crate) db: Data<Db>,
    /// Where the bytes go.
    pub(crate) store: Store,
    /// Whose file it is.
    pub(crate) user: UserId,
    /// What they may keep.
    pub(crate) quota: Quota,
    /// Kept until the task has ended.
    pub(crate) place: Place,
}

impl Deposit {
    /// Begins, with so many bytes set aside. That is part of the task, too: a client who leaves just then leaves no row behind.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`, `UNAVAILABLE`.
    pub(crate) async fn begin(job: Job, reserved: u64) -> Result<Self> {
        // One part waits while another is written and a third comes in.
        let (steps, coming) = mpsc::channel(1);
        let (begun, ready) = oneshot::channel();
        let mut task = rt::spawn(job.run(reserved, begun, coming));
        match ready.await {
            Ok(id) => Ok(Self { id, steps, task }),
            Err(_) => Err(why(&mut task).await),
        }
    }

    /// Hands over a part, of the storage's part size.
    ///
    /// # Errors
    /// Why the storage or the database refused an earlier one.
    pub(crate) async fn part(&mut self, bytes: Bytes) -> Result<()> {
        match self.steps.send(Step::Part(bytes)).await {
            Ok(()) => Ok(()),
            Err(_) => Err(why(&mut self.task).await),
        }
    }

    /// Hands over the last part, and waits until all of the so many bytes are in the storage.
    ///
    /// # Errors
    /// Why they are not.
    pub(crate) async fn finish(mut self, last: Bytes, size: u64) -> Result<Stored> {
        let (stored, done) = oneshot::channel();
        let (until, settled) = oneshot::channel();
        // When the task has ended already, it says why.
        let _ = self.steps.send(Step::Finish { last, size, stored, settled }).await;
        match done.await {
            Ok(()) => Ok(Stored { id: self.id, _until: until }),
            Err(_) => Err(why(&mut self.task).await),
        }
    }
}

/// Why a task has ended early.
async fn why(task: &mut JoinHandle<Result<()>>) -> Error {
    match task.await {
        Ok(Err(error)) => error,
        Ok(Ok(())) => Error::internal("an upload ended early"),
        Err(error) => Error::internal(error),
    }
}

impl Job {
    async fn run(self, reserved: u64, begun: oneshot::Sender<UploadId>, coming: Receiver<Step>) -> Result<()> {
        let allowed = uploads::begin(&self.db, self.user, reserved, self.quota).await?;
        // Without an account there is nobody to be told of anything else.
        let id = if allowed == Change::Absent { return Err(Error::unauthorized()) } else { allowed.made("Account")? };
        let _ = begun.send(id);
        let stored = self.store(id, reserved, coming).await;
        drop(self.place);
        if let Ok(settled) = stored {
            // Nothing is ever sent: it ends when whoever waits has finished the upload, or has left.
            let _ = settled.await;
            discard(&self.db, &self.store, id).await;
            return Ok(());
        }
        discard(&self.db, &self.store, id).await;
        stored.map(drop)
    }

    /// Puts into the storage what comes; then gives what tells that the upload is finished, or will not be.
    async fn store(&self, id: UploadId, mut reserved: u64, mut coming: Receiver<Step>) -> Result<oneshot::Receiver<()>> {
        let mut writing = self.store.write(&worker::uploads::key(id));
        let (mut written, mut touched) = (0_u64, Instant::now());
        loop {
            match coming.recv().await {
                Some(Step::Part(bytes)) => {
                    let first = written == 0;
                    written = written.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                    if written > reserved || touched.elapsed() > TOUCH_EVERY {
                        reserved = reserved.max(written);
                        uploads::reserve(&self.db, self.user, id, reserved, self.quota).await?.made("Upload")?;
                        touched = Instant::now();
                    }
                    if first && let Some(parts) = writing.begin().await.map_err(failed)? {
                        // Written down before there are any, so that they are found whatever happens.
                        uploads::note_parts(&self.db, id, parts).await?.made("Upload")?;
                    }
                    writing.part(bytes).await.map_err(failed)?;
                }
                Some(Step::Finish { last, size, stored, settled }) => {
                    uploads::reserve(&self.db, self.user, id, size, self.quota).await?.made("Upload")?;
                    writing.finish(last).await.map_err(failed)?;
                    let _ = stored.send(());
                    return Ok(settled);
                }
                // Nobody hears it: the client has left, or is told what was wrong with the form.
                None => return Err(Error::internal("the upload broke off")),
            }
        }
    }
}

/// Removes what there is of an upload, unless it is finished. What cannot be removed now is left to a sweep.
async fn discard(db: &Db, store: &Store, id: UploadId) {
    let removed = match uploads::discard(db, id).await {
        Ok(None) => Ok(()),
        Ok(Some(gone)) => worker::uploads::remove(db, store, &gone).await,
        // Perhaps it is kept after all and only the answer was lost: its bytes must not go before the row says so.
        Err(error) => Err(error.into()),
    };
    if let Err(error) = removed {
        log::warn!("what is left of upload {id} is removed later: {error}");
    }
}

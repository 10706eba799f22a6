//! From requests to the inbox: events that arrive together are kept in one commit, and each is answered only after it.

use actix_web::web::Data;
use domain::{Error, Result};
use persistence::{
    Db, Due,
    inbox::{self, NewEvent},
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// How many events may wait for their commit; more are refused, and their senders try again.
const WAITING_MAX: usize = 1024;
/// How many events one commit takes at most.
const BATCH_MAX: usize = 128;
/// How many bytes of bodies one commit takes before it takes no further event.
const BATCH_BYTES: usize = 4 << 20;

struct Waiting {
    event: NewEvent,
    kept: oneshot::Sender<bool>,
}

/// The way into the inbox, one per worker thread: while one commit is under way, what arrives gathers for the next.
pub struct Ingest {
    waiting: mpsc::Sender<Waiting>,
}

impl Ingest {
    /// Starts to take events in, on the runtime of the calling thread.
    #[must_use]
    pub fn start(db: Data<Db>, due: Arc<Due>) -> Self {
        let (waiting, arriving) = mpsc::channel(WAITING_MAX);
        actix_web::rt::spawn(commit_all(db, due, arriving));
        Self { waiting }
    }

    /// Keeps an event; when this returns, it is there for good. One that is there already counts as kept.
    ///
    /// # Errors
    /// `UNAVAILABLE` when it could not be kept: the sender has to try again.
    pub async fn keep(&self, event: NewEvent) -> Result<()> {
        let (kept, answer) = oneshot::channel();
        self.waiting.try_send(Waiting { event, kept }).map_err(|_| Error::unavailable("too many events wait for their commit"))?;
        match answer.await {
            Ok(true) => Ok(()),
            _ => Err(Error::unavailable("the event could not be kept")),
        }
    }
}

async fn commit_all(db: Data<Db>, due: Arc<Due>, mut arriving: mpsc::Receiver<Waiting>) {
    while let Some(first) = arriving.recv().await {
        let mut bytes = first.event.raw.len();
        let (mut events, mut answers) = (vec![first.event], vec![first.kept]);
        while events.len() < BATCH_MAX
            && bytes < BATCH_BYTES
            && let Ok(next) = arriving.try_recv()
        {
            bytes += next.event.raw.len();
            events.push(next.event);
            answers.push(next.kept);
        }
        let kept = inbox::insert(&db, &events).await;
        if let Err(error) = &kept {
            log::warn!("{} events could not be kept: {error}", events.len());
        }
        for answer in answers {
            // A sender that left gets no answer; its event is kept all the same.
            let _ = answer.send(kept.is_ok());
        }
        if kept.is_ok_and(|new| new > 0) {
            due.webhooks.notify_one();
            due.tell_others();
        }
    }
}

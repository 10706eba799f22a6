//! Writes down what questions took, beside the requests: a client that leaves, a worker that ends or a database that is away for a
//! while does not lose it.

use std::time::Duration;

use persistence::{
    Db,
    chat_usage::{self, Ended},
};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
    time::{Instant, sleep},
};

/// How many may wait to be written: what 10 000 answers took while the database is away.
const WAITING_MAX: usize = 10_000;
/// How many are written at once.
const BATCH: usize = 500;
/// How long a write is tried again.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Where questions that ended are noted.
#[derive(Clone)]
pub(super) struct Ledger(Sender<Ended>);

impl Ledger {
    /// Starts to write on this runtime, until every clone is gone.
    pub(super) fn open(db: Db) -> (Self, JoinHandle<()>) {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        (Self(sender), tokio::spawn(write_all(db, waiting)))
    }

    /// Notes the end of a question; never waits.
    pub(super) fn note(&self, ended: Ended) {
        if self.0.try_send(ended).is_err() {
            give_up(&ended);
        }
    }
}

async fn write_all(db: Db, mut waiting: Receiver<Ended>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        write(&db, &batch).await;
        batch.clear();
    }
}

/// Writes until it works, or so long that it will not.
async fn write(db: &Db, batch: &[Ended]) {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    while let Err(error) = chat_usage::end(db, batch).await {
        if Instant::now() + pause > deadline {
            log::error!("what {} questions to the model took cannot be written: {error}", batch.len());
            batch.iter().for_each(give_up);
            return;
        }
        log::warn!("what questions to the model took cannot be written, soon again: {error}");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The log is the last place to keep it.
fn give_up(ended: &Ended) {
    let Ended { id, outcome, tokens } = ended;
    log::error!(
        "not written: question {id} to the model, {}, {} and {} tokens",
        outcome.as_str(),
        tokens.prompt_tokens,
        tokens.completion_tokens
    );
}

//! Processes the webhook inbox: what is due is taken, given its effect, and ended, in any number of processes at once.

mod effects;

use std::{convert::Infallible, error::Error as _, time::Duration};

use persistence::{
    Db, Result,
    inbox::{self, Claimed, NewEvent, Outcome},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use webhooks::Envelope;

use crate::backoff::Backoff;
pub use effects::Rules;

/// How many events one process works on at the same time.
pub const AT_ONCE: usize = 4;
/// How long to wait for something to become due, at most, before looking again.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long an event may be worked on before others take it for left behind.
const LEASE: Duration = Duration::from_secs(60);
/// How long processing may take, asking other services included: less than the lease, so that nobody works on what another has taken.
const BOUND: Duration = Duration::from_secs(20);
/// How long to wait before an event is tried again whose subject is being worked on.
const BUSY: Duration = Duration::from_millis(50);
/// How long to wait after a failure.
const PAUSES: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60 * 60), least: 0.0 };
/// After so many attempts, spread over some hours, an event is given up.
pub const ATTEMPTS_MAX: i32 = 15;

/// Processes events until it is dropped. `due` wakes it at once.
pub async fn run(db: &Db, rules: &Rules, due: &Notify) -> Infallible {
    // Only the first looks by itself; the others are woken when there is more than it can do.
    let lines = (0..AT_ONCE).map(|number| line(db, rules, due, number == 0));
    futures::future::join_all(lines).await;
    std::future::pending().await
}

/// One event after the other.
async fn line(db: &Db, rules: &Rules, due: &Notify, looks: bool) {
    loop {
        match step(db, rules, due).await {
            Ok(true) => {}
            Ok(false) if looks => {
                let _ = timeout(LOOK_EVERY, due.notified()).await;
            }
            Ok(false) => due.notified().await,
            Err(error) => {
                log::warn!("the inbox could not be worked on, later again: {error}");
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// An event as the inbox keeps it.
#[must_use]
pub fn event(envelope: Envelope, headers: serde_json::Value, raw: Vec<u8>) -> NewEvent {
    NewEvent {
        provider: envelope.provider.name(),
        event_key: envelope.key,
        event_type: envelope.event_type.unwrap_or_else(|| "unknown".to_owned()),
        subject: envelope.subject,
        account: envelope.account,
        livemode: envelope.livemode,
        api_version: envelope.api_version,
        created_at: envelope.created_at,
        headers,
        raw,
    }
}

/// Takes and processes an event; false when none is due.
///
/// # Errors
/// When the database is away: an event that was taken stays taken until its lease ends, then it is tried again.
pub async fn step(db: &Db, rules: &Rules, due: &Notify) -> Result<bool> {
    let Some(event) = inbox::claim(db, LEASE).await? else { return Ok(false) };
    // There may be more: the next line looks while this one works.
    due.notify_one();
    if event.attempt > ATTEMPTS_MAX {
        // Nobody came back to say what became of any attempt: working on it may be what ends a process.
        end(db, &event, &Outcome::Dead("no attempt came to an end".to_owned())).await?;
        return Ok(true);
    }
    match inbox::settle(db, &event, BOUND, rules.prepare(&event)).await {
        Ok(Some(outcome)) => tell(&event, &outcome),
        Ok(None) => inbox::postpone(db, &event, BUSY).await?,
        // Its effect cannot be stored: it counts as an attempt, or an event the database refuses would come back for ever. Should the
        // database be away altogether, this fails as well, and the event waits for the end of its lease.
        Err(error) => end(db, &event, &failed(&event, reason(&error))).await?,
    }
    Ok(true)
}

/// Ends an attempt that changes nothing, unless somebody else has the event by now.
async fn end(db: &Db, event: &Claimed, outcome: &Outcome) -> Result<()> {
    if inbox::end(db, event, outcome).await? {
        tell(event, outcome);
    }
    Ok(())
}

fn reason(error: &persistence::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

fn tell(event: &Claimed, outcome: &Outcome) {
    let Claimed { provider, event_key, event_type, .. } = event;
    match outcome {
        Outcome::Done => log::info!("{provider} {event_type} {event_key}: done"),
        Outcome::Ignored(reason) => log::info!("{provider} {event_type} {event_key}: ignored, {reason}"),
        Outcome::Retry(reason, pause) => {
            log::warn!("{provider} {event_type} {event_key}: tried again in {} ms, {reason}", pause.as_millis());
        }
        Outcome::Dead(reason) => log::error!("{provider} {event_type} {event_key}: given up, {reason}"),
    }
}

/// What becomes of an event that failed for a reason that may pass: it is tried again after a pause, or given up.
pub(crate) fn failed(event: &Claimed, reason: String) -> Outcome {
    if event.attempt >= ATTEMPTS_MAX {
        return Outcome::Dead(reason);
    }
    Outcome::Retry(reason, PAUSES.after(u32::try_from(event.attempt).unwrap_or(0)))
}

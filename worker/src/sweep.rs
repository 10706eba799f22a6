//! Removes what has expired, now and then, a little at a time.

use std::{convert::Infallible, time::Duration};

use persistence::{
    Db, Result, account_mails, api_keys, audit, chat_usage, idempotency, inbox, invitations, orgs, projects, rate_limits, sessions,
};
use tokio::time::interval;

/// How often.
const PAUSE: Duration = Duration::from_secs(15 * 60);
/// How many at a time, so that no statement takes long.
const BATCH: usize = 1000;

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// The audit log.
    pub audit: Duration,
    /// The bodies of webhook events.
    pub webhooks: Duration,
    /// What was used of the language model.
    pub chat: Duration,
}

/// Sweeps until it is dropped. Several processes may: what one has locked or removed, the others pass over.
pub async fn run(db: &Db, kept: Kept) -> Infallible {
    let mut ticks = interval(PAUSE);
    loop {
        ticks.tick().await;
        if let Err(error) = once(db, kept).await {
            log::warn!("expired rows could not be removed, later again: {error}");
        }
    }
}

/// Removes everything that has expired by now.
///
/// # Errors
/// When the database is away; what was removed until then is.
pub async fn once(db: &Db, kept: Kept) -> Result<()> {
    while sessions::sweep(db, BATCH).await? == BATCH {}
    while rate_limits::sweep(db, BATCH).await? == BATCH {}
    while invitations::sweep(db, BATCH).await? == BATCH {}
    while account_mails::sweep(db, BATCH).await? == BATCH {}
    while api_keys::sweep(db, BATCH).await? == BATCH {}
    while idempotency::sweep(db, BATCH).await? == BATCH {}
    while projects::purge(db, BATCH).await? == BATCH {}
    // One at a time: all that belongs to an organisation goes in the same transaction.
    while orgs::purge(db, 1).await? == 1 {}
    while inbox::forget_bodies(db, BATCH, kept.webhooks).await? == BATCH {}
    while audit::sweep(db, BATCH, kept.audit).await? == BATCH {}
    while chat_usage::settle_lost(db, BATCH).await? == BATCH {}
    while chat_usage::sweep(db, BATCH, kept.chat).await? == BATCH {}
    Ok(())
}

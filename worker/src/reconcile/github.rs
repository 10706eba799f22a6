//! Asks GitHub for the deliveries that failed again, which it does not repeat by itself.

use std::{collections::HashSet, convert::Infallible, fmt, time::Duration};

use persistence::{Db, billing, inbox};
use tokio::time::interval;
use upstream::github::{Delivery, Error as GitHubError, GitHub};
use webhooks::Provider;

use super::{Error, PAUSE};

/// GitHub keeps deliveries, and makes them again, for this long.
const WINDOW: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// What was delivered this lately may still come through: another process has just asked for it.
const SETTLING: Duration = Duration::from_secs(60);
/// How often an event is delivered again at most.
const REDELIVERIES_MAX: usize = 3;
/// How many events are asked for at a time.
const BATCH: usize = 100;

/// What was found and asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Events of which no delivery came through, as GitHub sees it.
    pub failed: usize,
    /// Those of them that are in the inbox all the same: the answer got lost.
    pub kept: usize,
    /// Those that were delivered again in vain too often.
    pub given_up: usize,
    /// Those that GitHub was asked to deliver again.
    pub asked: usize,
    /// Those that it will not.
    pub refused: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { failed, kept, given_up, asked, refused } = self;
        write!(f, "{asked} events asked for again; of {failed} that failed, {kept} were kept, {given_up} are given up, {refused} refused")
    }
}

/// Asks until it is dropped.
pub async fn run(db: &Db, github: &GitHub) -> Infallible {
    let mut ticks = interval(PAUSE);
    loop {
        ticks.tick().await;
        match once(db, github).await {
            Ok(report) if report.asked + report.given_up + report.refused > 0 => log::warn!("GitHub could not deliver: {report}"),
            Ok(report) => log::info!("GitHub has delivered: {report}"),
            Err(error) => log::warn!("GitHub could not be asked for what failed, later again: {error}"),
        }
    }
}

/// Asks once for what failed and is not in the inbox: the oldest first, which GitHub forgets first.
///
/// # Errors
/// When GitHub or the database does not answer; what was asked for until then is.
pub async fn once(db: &Db, github: &GitHub) -> Result<Report, Error> {
    let now = billing::now(db).await?;
    let failed = github.failed_deliveries(now - WINDOW).await?;
    let guids: Vec<&str> = failed.iter().map(|event| event.guid.as_str()).collect();
    let kept = if guids.is_empty() { HashSet::new() } else { inbox::which_are_kept(db, Provider::GitHub.name(), &guids).await? };
    let lost: Vec<&Delivery> = failed.iter().filter(|event| !kept.contains(&event.guid)).collect();
    let (worth_it, given_up): (Vec<&Delivery>, Vec<&Delivery>) = lost.into_iter().partition(|event| event.redeliveries < REDELIVERIES_MAX);
    let mut report = Report { failed: failed.len(), kept: kept.len(), given_up: given_up.len(), ..Report::default() };
    for event in worth_it.into_iter().filter(|event| event.delivered_at <= now - SETTLING).take(BATCH) {
        match github.redeliver(event.id).await {
            Ok(()) => report.asked += 1,
            // About this one alone; the next may do.
            Err(error @ (GitHubError::NotFound | GitHubError::Refused(_))) => {
                log::warn!("event {:?} of GitHub is not delivered again: {error}", event.guid);
                report.refused += 1;
            }
            Err(error) => {
                log::info!("GitHub, until then: {report}");
                return Err(error.into());
            }
        }
    }
    Ok(report)
}

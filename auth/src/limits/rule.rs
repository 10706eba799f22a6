//! One limit: how much, under which name, and what an answer of the database means under it.

use std::time::Duration;

use actix_web::http::header::HeaderValue;
use persistence::rate_limits::{Ask, Key, Quota, Taken};
use sha2::{Digest, Sha256};

/// Up to so many are exact over all replicas: nothing is taken that nobody waits for.
const EXACT_MAX: u32 = 100;
/// As much as flows back in this time is taken at once while there is plenty: who asks now and then costs a query so often.
const SPARE: Duration = Duration::from_secs(10);

/// A limit. Made by [`super::Limiter::new`].
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name in the headers.
    pub(super) name: &'static str,
    /// What it tells against others that were asked for the same request.
    pub(super) rank: Rank,
    /// How much.
    pub(super) quota: Quota,
    /// The value of `RateLimit-Policy`.
    pub(super) policy: HeaderValue,
    pub(super) terms: Terms,
}

/// A quota, worked out for counting: times in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) count: u32,
    /// How long one takes to flow back.
    pub(super) interval: u64,
    /// How long all take.
    pub(super) horizon: u64,
    /// How many are taken from the database at once.
    pub(super) batch: u32,
    /// How many while there is plenty.
    pub(super) spare: u32,
}

/// How specific a limit is: the headers tell of the most specific one that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Address,
    Caller,
    Strict,
}

/// What a limit says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Let in.
    Admitted(Left),
    /// Not now, but after so long.
    Refused(Duration),
}

/// What is left of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    /// How much.
    pub(super) remaining: u32,
    /// How long until all of it is there again, in seconds, rounded up.
    pub(super) reset_s: u64,
}

impl Rule {
    pub(super) fn new(name: &'static str, rank: Rank, quota: Quota) -> Self {
        let policy = format!("\"{name}\";q={};w={}", quota.count, quota.window.as_secs());
        // The names are ours and hold nothing that a header may not.
        let policy = HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { name, rank, quota, policy, terms: Terms::of(quota) }
    }

    /// How long until one can be taken, when all that was taken will have flowed back after so long; zero when it can be taken now.
    pub(super) fn wait(&self, ahead: Duration) -> Duration {
        (ahead + self.quota.interval()).saturating_sub(self.quota.horizon())
    }

    /// What it means that one was asked for and this was taken.
    pub(super) fn verdict(&self, taken: Taken) -> Verdict {
        if taken.count == 0 {
            return Verdict::Refused(self.wait(taken.ahead));
        }
        let used = nanos(taken.ahead).saturating_add(self.terms.interval);
        Verdict::Admitted(self.terms.left(whole(self.terms.horizon.saturating_sub(used), self.terms.interval)))
    }
}

impl Terms {
    pub(super) fn of(quota: Quota) -> Self {
        let (interval, horizon) = (nanos(quota.interval()), nanos(quota.horizon()));
        let spare = if quota.count > EXACT_MAX { whole(nanos(SPARE), interval) } else { 0 };
        Self { count: quota.count, interval, horizon, batch: (quota.count / 100).max(1), spare }
    }

    /// What is asked of the database for so many who wait.
    pub(super) fn ask(&self, waiting: usize) -> Ask {
        Ask { count: self.batch.max(waiting.try_into().unwrap_or(u32::MAX)), spare: self.spare }
    }

    /// What is told when so much remains.
    pub(super) fn left(&self, remaining: u32) -> Left {
        let remaining = remaining.min(self.count);
        let used = u64::from(self.count - remaining).saturating_mul(self.interval);
        Left { remaining, reset_s: used.div_ceil(1_000_000_000) }
    }
}

/// The key under which the database counts.
pub(super) fn key(name: &str, subject: &str) -> Key {
    Sha256::new().chain_update(name).chain_update([0]).chain_update(subject).finalize().into()
}

/// A length of time in nanoseconds; longer than 584 years is as long as that.
pub(super) fn nanos(length: Duration) -> u64 {
    length.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// How many whole intervals fit into a length.
pub(super) fn whole(length: u64, interval: u64) -> u32 {
    u32::try_from(length / interval.max(1)).unwrap_or(u32::MAX)
}

//! What this process may go on believing of what it once read: everything but what was taken back since, as far as it can know.
//!
//! Whatever is remembered about who may do what carries the moment before it was read. It holds while nothing about it was revoked
//! after that moment, and while this process is sure to have heard of every revocation: each answered heartbeat of the connection that
//! listens makes it sure for [`LEASE`] from the moment the heartbeat was sent, as PostgreSQL delivers notifications before answers.
//! Without a listener nothing holds, and everything is read anew.

mod purges;

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use purges::Purges;
pub use purges::{Belief, purge};

/// How long one heartbeat is worth: the longest that a revocation can go unnoticed.
pub const LEASE: Duration = Duration::from_millis(900);
/// How many revocations are told apart; beyond it everything is read anew.
const MARKS_MAX: usize = 100_000;

/// Something that what is remembered can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A session or an API key, by the hash of its secret.
    Token([u8; 32]),
    /// A user: role, ban, existence.
    User(uuid::Uuid),
    /// A user's membership of an organisation, which comes first.
    Membership(uuid::Uuid, uuid::Uuid),
    /// An organisation and all memberships of it.
    Organisation(uuid::Uuid),
}

/// A moment of this process, to be taken before something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

/// How the listening goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// How long ago the last answered heartbeat was sent; `None` when there never was one.
    pub heard: Option<Duration>,
    /// How long the last heartbeat took to be answered.
    pub round_trip: Duration,
    /// How many revocations arrived.
    pub received: u64,
}

/// The revocations of the last while, shared by everything in the process.
pub struct Revocations {
    began: Instant,
    age_max: Duration,
    marks: Mutex<HashMap<Subject, u64>>,
    /// The last mark: what was read after it needs no look at the marks.
    latest: AtomicU64,
    /// What was read before this does not hold.
    floor: AtomicU64,
    /// Until when all revocations are known.
    sure_until: AtomicU64,
    heard: AtomicU64,
    round_trip: AtomicU64,
    received: AtomicU64,
    purges: Purges,
}

impl Default for Revocations {
    /// For those who remember nothing.
    fn default() -> Self {
        Self::new(Duration::ZERO)
    }
}

impl Revocations {
    /// Nothing revoked, nothing sure. What was read longer than `age_max` ago does not hold in any case.
    #[must_use]
    pub fn new(age_max: Duration) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            began: Instant::now(),
            age_max,
            marks: Mutex::default(),
            latest: zero(),
            floor: zero(),
            sure_until: zero(),
            heard: zero(),
            round_trip: zero(),
            received: zero(),
            purges: Purges::default(),
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(nanos(self.began.elapsed()))
    }

    /// How long ago a moment was.
    #[must_use]
    pub fn since(&self, moment: Moment) -> Duration {
        Duration::from_nanos(self.now().0.saturating_sub(moment.0))
    }

    /// Whether what was read after a moment about these subjects still holds.
    #[must_use]
    pub fn holds(&self, read: Moment, about: &[Subject]) -> bool {
        let now = self.now().0;
        if now >= self.sure_until.load(Ordering::Acquire)
            || read.0 <= self.floor.load(Ordering::Acquire)
            || now.saturating_sub(read.0) >= nanos(self.age_max)
        {
            return false;
        }
        if read.0 > self.latest.load(Ordering::Acquire) {
            return true;
        }
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        about.iter().all(|subject| marks.get(subject).is_none_or(|marked| *marked < read.0))
    }

    /// Takes back what is remembered about a subject. What this process changes itself it revokes at once, not only by listening.
    pub fn revoke(&self, subject: Subject) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now().0;
        if marks.len() >= MARKS_MAX {
            let oldest = now.saturating_sub(nanos(self.age_max));
            marks.retain(|_, marked| *marked > oldest);
            if marks.len() >= MARKS_MAX {
                marks.clear();
                self.floor.store(now, Ordering::Release);
            }
        }
        marks.insert(subject, now);
        self.latest.store(now, Ordering::Release);
    }

    /// How the listening goes.
    #[must_use]
    pub fn health(&self) -> Health {
        let heard = self.heard.load(Ordering::Relaxed);
        Health {
            heard: (heard > 0).then(|| self.since(Moment(heard))),
            round_trip: Duration::from_nanos(self.round_trip.load(Ordering::Relaxed)),
            received: self.received.load(Ordering::Relaxed),
        }
    }

    /// Takes back everything: nobody listened for a while.
    pub(crate) fn revoke_all(&self) {
        self.floor.store(self.now().0, Ordering::Release);
    }

    /// Takes in a notification.
    pub(crate) fn receive(&self, payload: &str) {
        self.received.fetch_add(1, Ordering::Relaxed);
        match parse(payload) {
            Some(subject) => self.revoke(subject),
            // From a later version, perhaps: better to forget too much.
            None => self.revoke_all(),
        }
    }

    /// Takes in an answered heartbeat of a connection that listens.
    pub fn be_sure(&self, sent: Moment) {
        self.sure_until.store(sent.0 + nanos(LEASE), Ordering::Release);
        self.heard.store(sent.0, Ordering::Relaxed);
        self.round_trip.store(nanos(self.since(sent)), Ordering::Relaxed);
    }
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads what the triggers write.
fn parse(payload: &str) -> Option<Subject> {
    let (kind, rest) = payload.split_once(' ')?;
    Some(match kind {
        "s" | "k" => Subject::Token(hash(rest)?),
        "u" => Subject::User(rest.parse().ok()?),
        "m" => {
            let (org, user) = rest.split_once(' ')?;
            Subject::Membership(org.parse().ok()?, user.parse().ok()?)
        }
        "o" => Subject::Organisation(rest.parse().ok()?),
        _ => return None,
    })
}

fn hash(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn sure() -> Revocations {
        let revocations = Revocations::new(Duration::from_secs(60));
        revocations.be_sure(revocations.now());
        revocations
    }

    #[test]
    fn nothing_holds_without_a_listener() {
        let revocations = Revocations::new(Duration::from_secs(60));
        assert!(!revocations.holds(revocations.now(), &[]));
    }

    #[test]
    fn what_was_read_before_a_revocation_does_not_hold_and_the_rest_does() {
        let revocations = sure();
        let (ada, eve) = (Subject::User(Uuid::from_u128(1)), Subject::User(Uuid::from_u128(2)));
        let before = revocations.now();
        assert!(revocations.holds(before, &[ada]));
        revocations.revoke(ada);
        assert!(!revocations.holds(before, &[ada]) && !revocations.holds(before, &[eve, ada]));
        assert!(revocations.holds(before, &[eve]));
        assert!(revocations.holds(revocations.now(), &[ada]));
        let before = revocations.now();
        revocations.receive("x from a later version");
        assert!(!revocations.holds(before, &[eve]));
    }

    #[test]
    fn age_and_number_are_bounded() {
        let revocations = Revocations::new(Duration::ZERO);
        revocations.be_sure(revocations.now());
        assert!(!revocations.holds(revocations.now(), &[]));
        let revocations = sure();
        let before = revocations.now();
        for number in 0..=MARKS_MAX {
            revocations.revoke(Subject::User(Uuid::from_u128(u128::try_from(number).unwrap())));
        }
        assert!(revocations.marks.lock().unwrap().len() <= MARKS_MAX);
        assert!(!revocations.holds(before, &[]), "those that were forgotten count as revoked");
    }

    #[test]
    fn messages_are_read_as_they_are_written() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(parse(&format!("s {}", "0a".repeat(32))), Some(Subject::Token([10; 32])));
        assert_eq!(parse(&format!("u {one}")), Some(Subject::User(one)));
        assert_eq!(parse(&format!("m {one} {two}")), Some(Subject::Membership(one, two)));
        assert_eq!(parse(&format!("o {one}")), Some(Subject::Organisation(one)));
        for wrong in ["", "s", "s 00", "u x", "m 1", "z 1", &format!("k {}", "é".repeat(32))] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}

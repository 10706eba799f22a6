//! What this process took ahead of general limits: spent without a query, fetched anew when it is used up.
//!
//! One request fetches for all that wait for the same subject, and as much as they need: they are let in or refused in the order they came
//! by that one answer. Each taking its own would be as exact, but a hundred at once would queue for the row with a hundred statements.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{rt, web::Data};
use persistence::{
    Db,
    rate_limits::{self, Key, Taken},
};
use tokio::{sync::oneshot, time::timeout};

use super::{
    Subject,
    kept::Kept,
    lease::Lease,
    rule::{Rule, Terms, Verdict, key, nanos},
    trouble::{Advice, Trouble},
};

/// How many locks the subjects are spread over.
const SHARDS: usize = 64;
/// How many subjects are remembered under one lock: 100 000 in all, some 10 MB. Beyond it the idle ones are asked for again.
const SHARD_MAX: usize = 100_000 / SHARDS;
/// The longest wait for the database.
const PATIENCE: Duration = Duration::from_secs(1);

/// All leases of the process.
pub(super) struct Leases {
    epoch: Instant,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    trouble: Trouble,
}

struct Shard {
    leases: Kept<Subject, Lease>,
    /// Those who wait for an answer of the database, in the order they came.
    flights: HashMap<Subject, Vec<oneshot::Sender<Verdict>>>,
}

impl Default for Leases {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { leases: Kept::new(SHARD_MAX), flights: HashMap::new() });
        Self { epoch: Instant::now(), hasher: RandomState::new(), shards: std::array::from_fn(|_| shard()), trouble: Trouble::default() }
    }
}

impl Leases {
    /// Counts one request of a subject. `None` when the database does not say in time.
    pub(super) async fn admit(self: &Arc<Self>, db: &Data<Db>, subject: Subject, rule: &Rule) -> Option<Verdict> {
        let now = self.now();
        let (waiting, begins) = {
            let mut shard = self.shard(&subject);
            let known = shard.leases.with(&subject, |lease| lease.judge(&rule.terms, now));
            if let Some(Some(verdict)) = known {
                return Some(verdict);
            }
            let (sender, waiting) = match self.trouble.advice(now) {
                Advice::Ask => Some(oneshot::channel()).unzip(),
                Advice::Probe => (None, None),
                Advice::Leave => return None,
            };
            let begins = !shard.flights.contains_key(&subject);
            shard.flights.entry(subject).or_default().extend(sender);
            (waiting, begins)
        };
        if begins {
            let flight = Flight { leases: Arc::clone(self), subject, rule: rule.clone(), landed: false };
            // A task of its own: the others' answer must not hang on whether this client stays.
            rt::spawn(flight.run(db.clone()));
        }
        let Ok(answer) = timeout(PATIENCE, waiting?).await else {
            self.begin_trouble("no answer within a second");
            return None;
        };
        answer.ok()
    }

    fn begin_trouble(&self, reason: &str) {
        if self.trouble.begin(self.now()) {
            log::warn!("general rate limits let everybody in, as the database does not answer: {reason}");
        }
    }

    /// Nanoseconds since this was made.
    fn now(&self) -> u64 {
        nanos(self.epoch.elapsed())
    }

    #[expect(clippy::indexing_slicing, reason = "the remainder of a division by their number")]
    fn shard(&self, subject: &Subject) -> MutexGuard<'_, Shard> {
        let hash = usize::try_from(self.hasher.hash_one(subject) >> 32).unwrap_or_default();
        self.shards[hash % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fetch under way. Whatever becomes of it, nobody waits for it any longer when it is dropped.
struct Flight {
    leases: Arc<Leases>,
    subject: Subject,
    rule: Rule,
    landed: bool,
}

impl Flight {
    /// Asks until all who waited have their answer.
    async fn run(mut self, db: Data<Db>) {
        let key = self.subject.key(self.rule.name);
        loop {
            let waiting = self.leases.shard(&self.subject).flights.get(&self.subject).map_or(0, Vec::len);
            let (ask, sent) = (self.rule.terms.ask(waiting), self.leases.now());
            match rate_limits::take(&db, &key, self.rule.quota, ask).await {
                Ok(taken) => {
                    self.leases.trouble.end();
                    self.landed = !self.land(taken, ask.count, waiting, sent);
                    if self.landed {
                        return;
                    }
                }
                Err(error) => {
                    self.leases.begin_trouble(&domain::Error::from(error).causes());
                    return;
                }
            }
        }
    }

    /// Hands out what was taken. Says whether somebody still waits, who came too late for it.
    fn land(&self, taken: Taken, asked: u32, waited: usize, sent: u64) -> bool {
        let (terms, now) = (&self.rule.terms, self.leases.now());
        let mut lease = Lease::new(terms, taken, asked, sent, now);
        let mut shard = self.leases.shard(&self.subject);
        let waiting = shard.flights.remove(&self.subject).unwrap_or_default();
        let late = hand_out(&mut lease, terms, waiting, |place| if place < waited { sent } else { now });
        let again = !late.is_empty() && taken.count >= asked;
        if again {
            shard.flights.insert(self.subject, late);
        } else {
            for sender in late {
                let _ = sender.send(lease.refusal(now));
            }
        }
        shard.leases.insert(self.subject, lease);
        again
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Once it has landed, what stands there is the next one's.
        if !self.landed {
            self.leases.shard(&self.subject).flights.remove(&self.subject);
        }
    }
}

/// Gives to each who waits, at the time that counts for their place, until nothing is left; returns those who got nothing. Who was there
/// when it was taken spends it as of then: it has not flowed back for them while the answer was on its way.
fn hand_out(
    lease: &mut Lease,
    terms: &Terms,
    waiting: Vec<oneshot::Sender<Verdict>>,
    time_of: impl Fn(usize) -> u64,
) -> Vec<oneshot::Sender<Verdict>> {
    let mut late = Vec::new();
    for (place, sender) in waiting.into_iter().enumerate() {
        let (before, at) = (*lease, time_of(place));
        if !lease.spend(terms, at) {
            late.push(sender);
        } else if sender.send(Verdict::Admitted(lease.left(terms, at))).is_err() {
            // They left while they waited: the next one gets it.
            *lease = before;
        }
    }
    late
}

impl Subject {
    /// The key under which the database counts.
    fn key(&self, name: &str) -> Key {
        let text = match self {
            Self::Address(address) => address.to_string(),
            Self::Account(user) => user.to_string(),
            Self::Key(id) => id.to_string(),
        };
        key(name, &text)
    }
}

#[cfg(test)]
mod tests {
    use persistence::rate_limits::Quota;

    use super::*;

    fn terms() -> Terms {
        Terms::of(Quota { count: 100, window: Duration::from_secs(3600) })
    }

    #[test]
    fn made_up_addresses_fill_no_memory() {
        let leases = Leases::default();
        for number in 0..300_000_u32 {
            let subject = Subject::Address(std::net::IpAddr::V4(number.into()));
            leases.shard(&subject).leases.insert(subject, Lease::default());
        }
        let held: usize = leases.shards.iter().map(|shard| shard.lock().unwrap().leases.len()).sum();
        assert!((40_000..=100_000).contains(&held), "{held}");
    }

    #[test]
    fn they_are_let_in_as_they_came_and_who_left_takes_nothing() {
        let terms = terms();
        let taken = Taken { count: 2, ahead: Duration::ZERO };
        let mut lease = Lease::new(&terms, taken, 4, 0, 0);
        let (senders, mut waiting): (Vec<_>, Vec<_>) = (0..4).map(|_| oneshot::channel()).unzip();
        drop(waiting.remove(1));
        let late = hand_out(&mut lease, &terms, senders, |_| 0);
        assert_eq!((late.len(), waiting[0].try_recv().is_ok(), waiting[1].try_recv().is_ok()), (1, true, true));
        assert!(waiting[2].try_recv().is_err());
    }
}

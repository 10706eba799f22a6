//! A piece of a quota that this process took ahead, to be spent without asking.
//!
//! The database keeps one time per subject that each take moves ahead by an interval. A lease of n is the stretch of n intervals by which
//! it was moved. Whoever is let in spends one interval of it that does not lie in the past; so what is not spent is gone just when, for
//! the database, it has flowed back. All stretches together never overlap, nor reach further ahead than the whole quota: with leases or
//! without, over however many replicas, no more is let in than the quota allows, at any time.

use std::time::Duration;

use persistence::rate_limits::Taken;

use super::rule::{Left, Terms, Verdict, nanos, whole};

/// What is known of a subject. Times are nanoseconds of the process's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lease {
    /// Where the part that is not spent begins.
    next: u64,
    /// Where the lease ends.
    end: u64,
    /// When all that was taken will have flowed back, as far as is known: others may have taken more since.
    full: u64,
    /// Until when there is nothing to be had.
    refused_until: u64,
}

impl Lease {
    /// What a take that was sent and answered at these times gave; `asked` is what it was for.
    pub(super) fn new(terms: &Terms, taken: Taken, asked: u32, sent: u64, answered: u64) -> Self {
        // As seen from the earliest moment at which it can have happened: the lease must not outlast the database's idea of it.
        let next = sent.saturating_add(nanos(taken.ahead));
        let end = next.saturating_add(terms.interval.saturating_mul(taken.count.into()));
        let mut lease = Self { next, end, full: end, refused_until: 0 };
        if taken.count < asked {
            // Nothing is left. The next try is worth a query when a batch has flowed back; that is soon, a hundredth of the window.
            let batch = end.saturating_add(terms.interval.saturating_mul(terms.batch.into())).saturating_sub(sent);
            lease.refused_until = answered.saturating_add(batch.saturating_sub(terms.horizon));
        }
        lease
    }

    /// Spends one, if there is one at this time.
    pub(super) fn spend(&mut self, terms: &Terms, now: u64) -> bool {
        let after = self.next.max(now).saturating_add(terms.interval);
        let fits = after <= self.end;
        if fits {
            self.next = after;
        }
        fits
    }

    /// Lets in or refuses, as far as that is known here.
    pub(super) fn judge(&mut self, terms: &Terms, now: u64) -> Option<Verdict> {
        if self.spend(terms, now) {
            return Some(Verdict::Admitted(self.left(terms, now)));
        }
        (self.refused_until > now).then(|| self.refusal(now))
    }

    /// The refusal that this lease stands for.
    pub(super) fn refusal(&self, now: u64) -> Verdict {
        Verdict::Refused(Duration::from_nanos(self.refused_until.saturating_sub(now).max(1)))
    }

    /// What is left of the quota, as far as is known: here, and in the database.
    pub(super) fn left(&self, terms: &Terms, now: u64) -> Left {
        let here = whole(self.end.saturating_sub(self.next.max(now)), terms.interval);
        let there = whole(terms.horizon.saturating_sub(self.full.saturating_sub(now)), terms.interval);
        terms.left(here.saturating_add(there))
    }
}

#[cfg(test)]
mod tests {
    use persistence::rate_limits::Quota;
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn terms(count: u32, window_s: u64) -> Terms {
        Terms::of(Quota { count, window: Duration::from_secs(window_s) })
    }

    /// The database's side: one time, moved ahead by each take.
    struct Row(u64);

    impl Row {
        fn take(&mut self, terms: &Terms, waiting: usize, now: u64) -> Lease {
            let ask = terms.ask(waiting);
            let at = self.0.max(now);
            let room = whole((now + terms.horizon).saturating_sub(at), terms.interval);
            let count = room.min(ask.count.max(ask.spare.min(room / 10)));
            self.0 = at + u64::from(count) * terms.interval;
            Lease::new(terms, Taken { count, ahead: Duration::from_nanos(at - now) }, ask.count, now, now)
        }
    }

    #[test]
    fn what_is_not_spent_flows_back() {
        let terms = terms(6000, 60);
        let mut lease = Row(0).take(&terms, 1, 0);
        assert_eq!(lease.left(&terms, 0).remaining, 6000);
        assert!(lease.spend(&terms, 0));
        assert_eq!(lease.left(&terms, 0), Left { remaining: 5999, reset_s: 1 });
        assert_eq!(lease.left(&terms, 3 * SECOND).remaining, 6000);
        let spent = (0..1000).filter(|_| lease.spend(&terms, 3 * SECOND)).count();
        assert_eq!(spent, 300, "half of the six seconds' worth that was taken");
        assert!(!lease.spend(&terms, 4 * SECOND));
    }

    #[test]
    fn a_refusal_lasts_until_a_batch_has_flowed_back() {
        let terms = terms(3000, 3600);
        let mut row = Row(0);
        while row.take(&terms, 1, 0).refused_until == 0 {}
        let mut lease = row.take(&terms, 1, 0);
        assert_eq!(lease.judge(&terms, 0), Some(Verdict::Refused(Duration::from_secs(36))));
        assert_eq!(lease.judge(&terms, 36 * SECOND), None);
        assert_eq!((0..100).filter(|_| row.take(&terms, 1, 36 * SECOND).spend(&terms, 36 * SECOND)).count(), 1);
    }

    proptest! {
        /// Three processes, at random times and with random hunger, under all kinds of quotas.
        #[test]
        fn leases_never_let_in_more_than_the_quota(
            count in 1_u32..2000,
            window_s in 1_u64..120,
            steps in prop::collection::vec((0_usize..3, 0_u64..2_000_000_000, 1_usize..200), 1..200),
        ) {
            let terms = terms(count, window_s);
            let (mut row, mut leases, mut now, mut full) = (Row(0), [Lease::default(); 3], 0, 0);
            for (process, pause, requests) in steps {
                now += pause / 4;
                for _ in 0..requests {
                    let lease = &mut leases[process];
                    let verdict = lease.judge(&terms, now).or_else(|| {
                        *lease = row.take(&terms, 1, now);
                        lease.judge(&terms, now)
                    });
                    match verdict {
                        Some(Verdict::Admitted(left)) => {
                            prop_assert!(left.remaining < count);
                            // The same algorithm, asked of each request by itself.
                            full = now.max(full) + terms.interval;
                            prop_assert!(full <= now + terms.horizon);
                        }
                        Some(Verdict::Refused(_)) => {}
                        None => prop_assert!(false, "nothing known right after asking"),
                    }
                }
            }
        }
    }
}

//! Which of two things Stripe said of one object counts, whatever order they arrive in.
//!
//! Everything said of an object has a [`Place`] in one total order, and what is stored is the greatest of all that came: so duplicates
//! and permutations end the same. What is final comes last; then the later second counts; within one second what was fetched counts
//! over an event, a state that is further over one it came from, and the rest is decided the same way every time.

use std::cmp::Ordering;

use chrono::{DateTime, SubsecRound, Utc};

/// Where a snapshot comes from; within one second and one state the later counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The event that its object was made.
    Created,
    /// Any other event.
    Changed,
    /// The event that its object is gone, which is final.
    Deleted,
    /// Stripe's answer to a question asked while holding the lock of the subject.
    Fetched,
}

impl Source {
    const ALL: [Self; 4] = [Self::Created, Self::Changed, Self::Deleted, Self::Fetched];

    /// What an event of this type means for the object it carries.
    #[must_use]
    pub fn of_event(event_type: &str) -> Self {
        match event_type.rsplit('.').next() {
            Some("created") => Self::Created,
            Some("deleted") => Self::Deleted,
            _ => Self::Changed,
        }
    }

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Fetched => "fetched",
        }
    }
}

impl From<&str> for Source {
    /// What is not known counts the least.
    fn from(name: &str) -> Self {
        Self::ALL.into_iter().find(|source| source.as_str() == name).unwrap_or(Self::Created)
    }
}

/// As of when a snapshot is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The second of the event, or the microsecond before it was asked for.
    pub at: DateTime<Utc>,
    /// Where it comes from.
    pub source: Source,
}

impl Mark {
    /// The mark of what an event carries: `created` of the event, not of the object.
    #[must_use]
    pub fn event(created: DateTime<Utc>, event_type: &str) -> Self {
        Self { at: created.trunc_subsecs(0), source: Source::of_event(event_type) }
    }

    /// The mark of what was fetched: the time just before the request was sent, so that nothing that happened since passes for older.
    /// The subject's lock must have been held from before then until this is applied; only so is what is applied later also later.
    /// Stripe's clock is taken to agree: by as much as ours is ahead, an event that comes right after counts only when it is fetched too.
    #[must_use]
    pub fn fetched(at: DateTime<Utc>) -> Self {
        Self { at: at.trunc_subsecs(6), source: Source::Fetched }
    }

    /// Where a snapshot with this mark lies. `rank` says which of two states of one second is further; `terminal` that it stays for good.
    #[must_use]
    pub fn place(&self, rank: u8, terminal: bool) -> Place {
        let fetched = self.source == Source::Fetched;
        Place {
            is_final: terminal || self.source == Source::Deleted,
            second: self.at.timestamp(),
            // Events say their second only: one of the second of the fetch may be part of what was fetched already.
            fetched: fetched.then(|| self.at.timestamp_subsec_micros()),
            rank,
            source: self.source,
        }
    }
}

/// A place in the order of everything said of one object. The fields are compared one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    is_final: bool,
    second: i64,
    fetched: Option<u32>,
    rank: u8,
    source: Source,
}

/// What becomes of something said of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing is known of the object so far.
    New,
    /// It replaces what is stored.
    Newer,
    /// It says what is stored.
    Same,
    /// It is older than what is stored, which stays.
    Older,
}

/// Whether something said of an object replaces what is stored. Equal places are told apart by what is said, in the same way always;
/// of two answers fetched at the same moment, the one that is applied later was fetched later.
#[must_use]
pub fn judge<T: Ord>(stored: (Place, &T), incoming: (Place, &T)) -> Verdict {
    let later = |place: Place| Place { rank: 0, ..place };
    if incoming.1 == stored.1 && incoming.0.is_final == stored.0.is_final {
        return Verdict::Same;
    }
    let order = match (stored.0.fetched, incoming.0.fetched) {
        (Some(_), Some(_)) if later(stored.0) == later(incoming.0) => Ordering::Greater,
        _ => incoming.0.cmp(&stored.0).then_with(|| incoming.1.cmp(stored.1)),
    };
    if order == Ordering::Greater { Verdict::Newer } else { Verdict::Older }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64, micros: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(second, micros * 1000).expect("a time")
    }

    fn event(second: i64, event_type: &str) -> Mark {
        Mark::event(at(second, 999_999), event_type)
    }

    #[test]
    fn the_rules_one_by_one() {
        let changed = |second| event(second, "customer.subscription.updated").place(4, false);
        let fetched = |second, micros| Mark::fetched(at(second, micros)).place(4, false);
        let judge = |stored, incoming| judge((stored, &1), (incoming, &2));
        assert_eq!(judge(changed(5), changed(6)), Verdict::Newer, "the later second counts");
        assert_eq!(judge(changed(6), changed(5)), Verdict::Older);
        assert_eq!(judge(changed(5), event(5, "x.updated").place(5, false)), Verdict::Newer, "the further state of one second counts");
        assert_eq!(judge(event(5, "x.updated").place(5, false), changed(5)), Verdict::Older);
        assert_eq!(judge(event(5, "x.created").place(4, false), changed(5)), Verdict::Newer, "a change comes after the making");
        assert_eq!(judge(fetched(5, 0), changed(5)), Verdict::Older, "an event of the second of the fetch may be older");
        assert_eq!(judge(fetched(5, 0), changed(4)), Verdict::Older, "an event older than the fetch is");
        assert_eq!(judge(fetched(5, 999_999), changed(6)), Verdict::Newer, "a later event is not");
        assert_eq!(judge(changed(5), fetched(5, 0)), Verdict::Newer);
        assert_eq!(judge(fetched(5, 2), fetched(5, 1)), Verdict::Older, "the later fetch counts");
        assert_eq!(judge(fetched(5, 1), fetched(5, 1)), Verdict::Newer, "of one microsecond, the one applied later is later");
        let behind = Mark::fetched(at(5, 1)).place(1, false);
        assert_eq!(judge(fetched(5, 1), behind), Verdict::Newer, "even one that goes back");
        let terminal = event(3, "x.updated").place(9, true);
        assert_eq!(judge(terminal, changed(9)), Verdict::Older, "what is final stays");
        assert_eq!(judge(terminal, fetched(9, 0)), Verdict::Older);
        assert_eq!(judge(changed(9), event(3, "x.deleted").place(4, false)), Verdict::Newer, "late as it may come");
    }

    #[test]
    fn equal_things_are_the_same_wherever_they_lie() {
        let (early, late) = (event(5, "x.updated").place(4, false), event(6, "x.updated").place(4, false));
        for (stored, incoming) in [(early, late), (late, early), (early, early)] {
            assert_eq!(judge((stored, &1), (incoming, &1)), Verdict::Same);
        }
        let deleted = event(5, "x.deleted").place(4, false);
        assert_eq!(judge((late, &1), (deleted, &1)), Verdict::Newer, "that it is gone is news");
        assert_eq!(judge((deleted, &1), (late, &1)), Verdict::Older);
        assert_eq!(judge((early, &1), (early, &2)), Verdict::Newer);
        assert_eq!(judge((early, &2), (early, &1)), Verdict::Older, "one of two counts, the same always");
    }

    #[test]
    fn sources_are_told_by_the_last_word_of_the_type() {
        let types = ["customer.subscription.created", "price.deleted", "customer.subscription.paused", "", "deleted.odd"];
        let sources = [Source::Created, Source::Deleted, Source::Changed, Source::Changed, Source::Changed];
        assert_eq!(types.map(Source::of_event), sources);
        for source in Source::ALL {
            assert_eq!(Source::from(source.as_str()), source);
        }
    }
}

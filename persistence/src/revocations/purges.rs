//! What was purged of the answers that are kept: by tag, which is a word or a path. The same listener that hears of revocations hears
//! of purges, and the same heartbeats make it sure.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use diesel::sql_types::Text;

use super::{Moment, Revocations};
use crate::{Db, Result};

/// How many tags are told apart; beyond it everything that was made before counts as purged.
const TAGS_MAX: usize = 10_000;

/// How far an answer may be believed that was made of what was read after some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// Nothing of it was purged since.
    Holds,
    /// Nobody listened for a while: it may have been purged.
    Unsure,
    /// It was purged.
    Purged,
}

/// The last purge of each tag.
#[derive(Default)]
pub(super) struct Purges {
    marks: RwLock<HashMap<Box<str>, u64>>,
    /// The last mark: what was read after it needs no look at the marks.
    latest: AtomicU64,
    /// What was read before this counts as purged.
    floor: AtomicU64,
    count: AtomicU64,
}

impl Revocations {
    /// The channel of purges; a message is the tag.
    pub(crate) const PURGES: &str = "handrail_purged";

    /// How far an answer with these tags may be believed that was made of what was read after a moment.
    #[must_use]
    pub fn belief<'t>(&self, read: Moment, mut tags: impl Iterator<Item = &'t str>) -> Belief {
        let purges = &self.purges;
        if read.0 <= purges.latest.load(Ordering::Acquire) {
            let marks = purges.marks.read().unwrap_or_else(PoisonError::into_inner);
            if read.0 <= purges.floor.load(Ordering::Acquire) || tags.any(|tag| marks.get(tag).is_some_and(|marked| *marked >= read.0)) {
                return Belief::Purged;
            }
        }
        let sure = self.now().0 < self.sure_until.load(Ordering::Acquire) && read.0 > self.floor.load(Ordering::Acquire);
        if sure { Belief::Holds } else { Belief::Unsure }
    }

    /// Purges a tag in this process.
    pub fn purge(&self, tag: &str) {
        let purges = &self.purges;
        let mut marks = purges.marks.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.now().0;
        if marks.len() >= TAGS_MAX && !marks.contains_key(tag) {
            marks.clear();
            purges.floor.store(now, Ordering::Release);
        }
        marks.insert(tag.into(), now);
        purges.latest.store(now, Ordering::Release);
        purges.count.fetch_add(1, Ordering::Relaxed);
    }

    /// How many purges there were.
    #[must_use]
    pub fn purged(&self) -> u64 {
        self.purges.count.load(Ordering::Relaxed)
    }
}

/// Purges a tag in every process: in this one at once, in the others as soon as they hear of it.
///
/// # Errors
/// `Busy` when the database is away: then nobody was told.
pub async fn purge(db: &Db, tag: &str) -> Result<()> {
    // Within the function: it would give every `load` of an atomic another meaning.
    use diesel_async::RunQueryDsl;
    db.run(async |conn| {
        let told = diesel::sql_query("SELECT pg_notify($1, $2)").bind::<Text, _>(Revocations::PURGES).bind::<Text, _>(tag);
        told.execute(conn).await
    })
    .await?;
    db.revocations().purge(tag);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_read_before_a_purge_of_its_tag_is_gone_and_the_rest_stays() {
        let revocations = Revocations::new(Duration::ZERO);
        let belief = |read, tags: &[&str]| revocations.belief(read, tags.iter().copied());
        let before = revocations.now();
        assert_eq!(belief(before, &["plans"]), Belief::Unsure, "nobody listens");
        revocations.be_sure(before);
        assert_eq!(belief(before, &["plans"]), Belief::Holds);
        revocations.purge("plans");
        assert_eq!((belief(before, &["posts", "plans"]), belief(before, &["posts"])), (Belief::Purged, Belief::Holds));
        assert_eq!(belief(revocations.now(), &["plans"]), Belief::Holds);
        revocations.revoke_all();
        assert_eq!((belief(before, &["plans"]), belief(before, &["posts"])), (Belief::Purged, Belief::Unsure));
    }

    #[test]
    fn the_number_of_tags_is_bounded_and_those_forgotten_count_as_purged() {
        let revocations = Revocations::new(Duration::ZERO);
        let before = revocations.now();
        for number in 0..=TAGS_MAX {
            revocations.purge(&number.to_string());
        }
        assert!(revocations.purges.marks.read().unwrap().len() <= TAGS_MAX);
        assert_eq!(revocations.belief(before, ["other"].into_iter()), Belief::Purged);
    }
}

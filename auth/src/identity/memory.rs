//! What was found out about callers a moment ago, so that asking again costs no query. What may still be believed of it is not decided
//! here, but by [`persistence::Revocations`].

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use domain::{OrgId, UserId};
use moka::sync::Cache;
use persistence::{
    Db,
    orgs::Member,
    revocations::{Moment, Subject},
    sessions::TokenHash,
};

use super::{Identity, Via};

/// The callers and memberships that are remembered at most, each; the ones unused longest are forgotten first.
const REMEMBERED_MAX: u64 = 100_000;

/// Something that was read, with the moment before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remembered<T> {
    pub(super) value: T,
    pub(super) read: Moment,
}

/// A caller, and how long their credential lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) identity: Identity,
    pub(super) left: Duration,
}

/// The memory of a process, shared by its workers.
pub struct Memory {
    identities: Cache<TokenHash, Remembered<Found>>,
    members: Cache<(OrgId, UserId), Remembered<Member>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            identities: Cache::new(REMEMBERED_MAX),
            members: Cache::new(REMEMBERED_MAX),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }
}

impl Memory {
    /// How many checks were answered without a query, and how many took one.
    #[must_use]
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Who a credential is, as far as that still holds.
    pub(super) fn identity(&self, db: &Db, hash: &TokenHash) -> Option<Identity> {
        let revocations = db.revocations();
        let found = self.identities.get(hash).filter(|found| {
            let identity = &found.value.identity;
            let (token, user) = (Subject::Token(*hash), Subject::User(identity.user.0));
            let holds = match identity.via {
                Via::Key { org: Some(org), .. } => {
                    let membership = Subject::Membership(org.0, identity.user.0);
                    revocations.holds(found.read, &[token, user, membership, Subject::Organisation(org.0)])
                }
                _ => revocations.holds(found.read, &[token, user]),
            };
            holds && revocations.since(found.read) < found.value.left
        });
        self.count(found.is_some());
        found.map(|found| found.value.identity)
    }

    pub(super) fn remember(&self, hash: TokenHash, found: Remembered<Found>) {
        self.identities.insert(hash, found);
    }

    /// A membership, as far as it still holds.
    pub(super) fn member(&self, db: &Db, org: OrgId, user: UserId) -> Option<Member> {
        let found = self.members.get(&(org, user)).filter(|found| {
            let about = [Subject::Membership(org.0, user.0), Subject::Organisation(org.0), Subject::User(user.0)];
            db.revocations().holds(found.read, &about)
        });
        self.count(found.is_some());
        found.map(|found| found.value)
    }

    pub(super) fn remember_member(&self, member: Remembered<Member>) {
        self.members.insert((member.value.org(), member.value.user()), member);
    }

    fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

//! Billing: the effects of what Stripe says, and what is read of them.
//!
//! Effects run inside the caller's transaction, so that they commit together with the note that their event is done. Each takes the
//! lock of its subject first, the customer where there is one, and looks at what is stored under it: workers that handle events of one
//! customer go one after the other, and which of two things said counts is decided by [`domain::billing::judge`] alone. Who asks Stripe
//! for the present state does so inside [`in_subject`]: else two answers could be written in the wrong order.

mod catalogue;
mod checkouts;
mod customers;
mod invoices;
mod marks;
mod show;
mod subscriptions;

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult,
    sql_types::{BigInt, Bool, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{OrgId, audit::Actor, billing::Verdict};

use crate::{Db, Result};

pub use catalogue::{apply_price, apply_product, plans};
pub use checkouts::{CheckedOut, apply_checkout};
pub use customers::{Claim, Link, claim_customer, customer, keep_customer, link_customer, release_customer, unlink_customer};
pub use invoices::apply_invoice;
pub use show::show;
pub use subscriptions::{Live, apply_subscription, live_subscriptions};

/// What became of something Stripe said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Whether it counted.
    pub verdict: Verdict,
    /// The organisation it is about; `None` while the customer is not known to be one's.
    pub org: Option<OrgId>,
    /// Whether the state that now counts is one this version does not know: somebody should look.
    pub unknown: bool,
    /// Whether its metadata names another organisation than the customer's, which counts: somebody should look.
    pub disputed: bool,
}

impl Applied {
    /// Whether what is stored is another now. For something fetched in a comparison: whether it had drifted.
    #[must_use]
    pub fn changed(&self) -> bool {
        matches!(self.verdict, Verdict::New | Verdict::Newer)
    }
}

/// Keeps the locks of subjects apart from those of other kinds; a collision only makes one wait for another without need.
const SUBJECT_SEED: i64 = 20_260_908;

/// Makes all others wait who want to apply something of this subject (Stripe's id of the customer, or of the object where there is
/// none), until the transaction ends. The same transaction may take it again.
pub async fn lock_subject(conn: &mut AsyncPgConnection, subject: &str) -> QueryResult<()> {
    let lock = diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))");
    lock.bind::<Text, _>(subject).bind::<BigInt, _>(SUBJECT_SEED).execute(conn).await.map(drop)
}

/// The same, but false instead of waiting while others have it.
pub(crate) async fn try_lock_subject(conn: &mut AsyncPgConnection, subject: &str) -> QueryResult<bool> {
    let lock = diesel::dsl::sql::<Bool>("pg_try_advisory_xact_lock(hashtextextended(").bind::<Text, _>(subject);
    diesel::select(lock.sql(", ").bind::<BigInt, _>(SUBJECT_SEED).sql("))")).get_result(conn).await
}

/// Runs something in a transaction of its own that holds the lock of a subject, and hands it the time at which it began to hold it: as
/// of then is true what is fetched inside ([`domain::billing::Mark::fetched`]). It must not take longer than a statement may.
///
/// # Errors
/// `Busy` also when others hold the lock for too long.
pub async fn in_subject<T>(
    db: &Db,
    subject: &str,
    work: impl AsyncFnOnce(&mut AsyncPgConnection, DateTime<Utc>) -> QueryResult<T>,
) -> Result<T> {
    db.change(&Actor::default(), async |conn| {
        lock_subject(conn, subject).await?;
        let held = clock(conn).await?;
        work(conn, held).await
    })
    .await
}

/// The database's time now, to be taken before something is asked for: as of then it is true.
pub async fn now(db: &Db) -> Result<DateTime<Utc>> {
    db.run(async |conn| clock(conn).await).await
}

/// The database's time now: what is asked for afterwards is true as of then.
pub(crate) async fn clock(conn: &mut AsyncPgConnection) -> QueryResult<DateTime<Utc>> {
    diesel::sql_query("SELECT clock_timestamp() AS at").get_result(conn).await.map(|clock: Clock| clock.at)
}

/// The time now, where `now()` would be that of the beginning of the transaction.
#[derive(diesel::QueryableByName)]
struct Clock {
    #[diesel(sql_type = diesel::sql_types::Timestamptz)]
    at: DateTime<Utc>,
}

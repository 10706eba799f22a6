//! Queries on `billing_customers`: which organisation a customer of Stripe's is.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, dsl, query_dsl::methods, upsert::excluded};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{OrgId, audit::Actor};
use uuid::Uuid;

use super::lock_subject;
use crate::{
    Db, Result,
    orgs::Admin,
    schema::{billing_customers, invoices, organisations, subscriptions},
};

/// What is known of an organisation's customer before one is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// There is one: Stripe's id.
    Has(String),
    /// One is to be made, under this idempotency key: whoever else makes one now gets the same.
    Make {
        /// The key, for Stripe.
        key: String,
        /// Which attempt it is, for [`release_customer`].
        attempt: i32,
    },
}

/// What became of a link between an organisation and a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// They are linked now, and with them what waited for it.
    Linked,
    /// They were linked already.
    Already,
    /// The customer is another organisation's, and stays so: somebody should look.
    CustomerTaken(OrgId),
    /// The organisation is this customer, and stays so: somebody should look.
    OrganisationTaken(String),
    /// There is no such organisation.
    Absent,
}

/// The customer an organisation is, for its portal.
pub async fn customer(db: &Db, admin: &Admin) -> Result<Option<String>> {
    let org = admin.member().org();
    let found: Option<Option<String>> = db
        .read(async |mut conn| billing_customers::table.find(org.0).select(billing_customers::customer).first(&mut conn).await.optional())
        .await?;
    Ok(found.flatten())
}

/// Gives the customer of an organisation, or the key to make one with. No transaction stays open meanwhile: Stripe makes one customer
/// for all who ask with the same key, and [`keep_customer`] keeps the first.
///
/// What is sent with the key must follow from the organisation's id alone, as Stripe refuses the same key with something else.
///
/// # Errors
/// `Refused` (`billing_customers_org_id_fkey`) when the organisation was purged meanwhile.
pub async fn claim_customer(db: &Db, admin: &Admin) -> Result<Claim> {
    let org = admin.member().org();
    let (customer, attempt): (Option<String>, i32) = db
        .run(async |conn| {
            diesel::insert_into(billing_customers::table)
                .values(billing_customers::org_id.eq(org.0))
                .on_conflict(billing_customers::org_id)
                // Changes nothing, but gives the row that is there.
                .do_update()
                .set(billing_customers::org_id.eq(excluded(billing_customers::org_id)))
                .returning((billing_customers::customer, billing_customers::attempt))
                .get_result(conn)
                .await
        })
        .await?;
    Ok(customer.map_or_else(|| Claim::Make { key: format!("handrail-customer-{org}-{attempt}"), attempt }, Claim::Has))
}

/// Keeps the customer that was made, unless another was kept before, which then counts ([`Link::OrganisationTaken`]).
pub async fn keep_customer(db: &Db, admin: &Admin, customer: &str, livemode: Option<bool>) -> Result<Link> {
    let org = admin.member().org();
    db.change(&Actor::default(), async |conn| link_customer(conn, org, customer, livemode).await).await
}

/// Says that an attempt failed for good: Stripe repeats its answer to a key for a day, so the next attempt needs another.
pub async fn release_customer(db: &Db, admin: &Admin, attempt: i32) -> Result<()> {
    let own = billing_customers::table
        .find(admin.member().org().0)
        .filter(billing_customers::customer.is_null())
        .filter(billing_customers::attempt.eq(attempt));
    let next = billing_customers::attempt.eq(billing_customers::attempt + 1);
    db.run(async |conn| diesel::update(own).set(next).execute(conn).await).await.map(drop)
}

/// Links an organisation and a customer, and what is known of that customer already. A link that is there stays.
///
/// # Errors
/// The database's.
pub async fn link_customer(conn: &mut AsyncPgConnection, org: OrgId, customer: &str, livemode: Option<bool>) -> QueryResult<Link> {
    lock_subject(conn, customer).await?;
    match owner(conn, customer).await? {
        Some(owner) if owner == org.0 => return Ok(Link::Already),
        Some(owner) => return Ok(Link::CustomerTaken(OrgId(owner))),
        None => {}
    }
    // A deleted organisation can be restored, and then is to be as it should be. Held, so that it is not purged before the link is there.
    let held: Option<Uuid> = organisations::table.find(org.0).for_key_share().select(organisations::id).first(conn).await.optional()?;
    if held.is_none() {
        return Ok(Link::Absent);
    }
    let pair = (billing_customers::customer.eq(customer), billing_customers::livemode.eq(livemode));
    let link = diesel::insert_into(billing_customers::table)
        .values((billing_customers::org_id.eq(org.0), pair))
        .on_conflict(billing_customers::org_id)
        .do_update()
        .set(pair);
    let linked = methods::FilterDsl::filter(link, billing_customers::customer.is_null()).execute(conn).await?;
    if linked == 0 {
        let other: Option<String> = billing_customers::table.find(org.0).select(billing_customers::customer).first(conn).await?;
        return Ok(Link::OrganisationTaken(other.unwrap_or_default()));
    }
    let waiting = subscriptions::table.filter(subscriptions::customer.eq(customer)).filter(subscriptions::org_id.is_null());
    diesel::update(waiting).set(subscriptions::org_id.eq(org.0)).execute(conn).await?;
    let waiting = invoices::table.filter(invoices::customer.eq(customer)).filter(invoices::org_id.is_null());
    diesel::update(waiting).set(invoices::org_id.eq(org.0)).execute(conn).await?;
    Ok(Link::Linked)
}

/// Takes note that Stripe deleted a customer, and gives the organisation it was. What it bought stays, and ends by its own events.
///
/// # Errors
/// The database's.
pub async fn unlink_customer(conn: &mut AsyncPgConnection, customer: &str) -> QueryResult<Option<OrgId>> {
    lock_subject(conn, customer).await?;
    // The row stays with another attempt: Stripe would answer the old key with the customer that is gone.
    let gone = (billing_customers::customer.eq(None::<String>), billing_customers::attempt.eq(billing_customers::attempt + 1));
    let linked = billing_customers::table.filter(billing_customers::customer.eq(customer));
    let org: Option<Uuid> = diesel::update(linked).set(gone).returning(billing_customers::org_id).get_result(conn).await.optional()?;
    Ok(org.map(OrgId))
}

/// The organisation that a customer is.
pub(super) async fn owner(conn: &mut AsyncPgConnection, customer: &str) -> QueryResult<Option<Uuid>> {
    let linked = billing_customers::table.filter(billing_customers::customer.eq(customer));
    linked.select(billing_customers::org_id).first(conn).await.optional()
}

/// Whether there is an organisation of this id.
pub(super) async fn exists(conn: &mut AsyncPgConnection, org: OrgId) -> QueryResult<bool> {
    diesel::select(dsl::exists(organisations::table.find(org.0))).get_result(conn).await
}

//! Queries on `checkout_sessions`.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    OrgId,
    billing::{Checkout, Progress},
};
use uuid::Uuid;

use super::{Link, customers, link_customer, lock_subject};
use crate::{schema::checkout_sessions, time::now};

/// What became of a check-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOut {
    /// What became of the link between the organisation it names and the customer; `None` when it names none of them or expired.
    pub link: Option<Link>,
    /// The organisation it is for; `None` when it names none, or one it may not.
    pub org: Option<OrgId>,
    /// Whether what was bought is to be handed out: true once only, when it is paid and an organisation's.
    pub fulfil: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = checkout_sessions)]
struct SessionRow {
    org_id: Option<Uuid>,
    customer: Option<String>,
    subscription: Option<String>,
    payment_status: String,
    progress: String,
    fulfilled_at: Option<DateTime<Utc>>,
}

/// Applies how far a check-out has come: links the organisation with the customer, and says whether to hand out what was bought.
///
/// # Errors
/// The database's; with a foreign key's when the organisation is purged at this moment, after which another attempt works.
pub async fn apply_checkout(conn: &mut AsyncPgConnection, checkout: &Checkout, progress: Progress) -> QueryResult<CheckedOut> {
    lock_subject(conn, checkout.customer.as_ref().unwrap_or(&checkout.id)).await?;
    diesel::insert_into(checkout_sessions::table)
        .values((
            checkout_sessions::id.eq(&checkout.id),
            checkout_sessions::mode.eq(&checkout.mode),
            checkout_sessions::payment_status.eq(&checkout.payment_status),
            checkout_sessions::progress.eq(progress.as_str()),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    let own = checkout_sessions::table.find(&checkout.id);
    let row: SessionRow = own.for_update().select(SessionRow::as_select()).first(conn).await?;
    let (link, org) = of_whom(conn, checkout, progress).await?;
    // It never goes back, so that neither the order of its events counts nor how often they come.
    let stored = Progress::from(row.progress.as_str());
    let payment_status = if progress > stored { &checkout.payment_status } else { &row.payment_status };
    let progress = progress.max(stored);
    let refused = matches!(link, Some(Link::CustomerTaken(_) | Link::OrganisationTaken(_) | Link::Absent));
    let fulfil = progress == Progress::Paid && row.fulfilled_at.is_none() && org.is_some() && !refused;
    diesel::update(own)
        .set((
            checkout_sessions::org_id.eq(org.map(|org| org.0).or(row.org_id)),
            checkout_sessions::customer.eq(checkout.customer.as_ref().or(row.customer.as_ref())),
            checkout_sessions::subscription.eq(checkout.subscription.as_ref().or(row.subscription.as_ref())),
            checkout_sessions::payment_status.eq(payment_status),
            checkout_sessions::progress.eq(progress.as_str()),
            fulfil.then(|| checkout_sessions::fulfilled_at.eq(now().nullable())),
        ))
        .execute(conn)
        .await?;
    Ok(CheckedOut { link, org, fulfil })
}

/// The organisation a check-out is for. What it says of itself counts only as long as its customer is nobody's: else anybody could pay,
/// and so speak, for another organisation.
async fn of_whom(conn: &mut AsyncPgConnection, checkout: &Checkout, progress: Progress) -> QueryResult<(Option<Link>, Option<OrgId>)> {
    let Some(customer) = &checkout.customer else {
        let Some(org) = checkout.org else { return Ok((None, None)) };
        return Ok((None, customers::exists(conn, org).await?.then_some(org)));
    };
    let owner = customers::owner(conn, customer).await?.map(OrgId);
    let Some(org) = checkout.org else { return Ok((None, owner)) };
    if owner.is_none() && progress == Progress::Expired {
        return Ok((None, None));
    }
    let link = link_customer(conn, org, customer, None).await?;
    let linked = matches!(link, Link::Linked | Link::Already);
    Ok((Some(link), linked.then_some(org)))
}

//! Queries on `invoices`.

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    OrgId,
    billing::{Invoice, Mark, Verdict, judge},
};
use uuid::Uuid;

use super::{
    Applied, customers, lock_subject,
    marks::{self, count, counted},
};
use crate::{schema::invoices, time::now};

/// An invoice's row.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = invoices, treat_none_as_null = true)]
pub(super) struct InvoiceRow {
    id: String,
    org_id: Option<Uuid>,
    customer: Option<String>,
    subscription: Option<String>,
    status: String,
    currency: String,
    amount_due: i64,
    amount_paid: i64,
    paid: bool,
    attempt_count: i32,
    hosted_url: Option<String>,
    period_start: Option<DateTime<Utc>>,
    period_end: Option<DateTime<Utc>>,
    created_at: Option<DateTime<Utc>>,
    mark_at: DateTime<Utc>,
    mark_source: String,
}

impl InvoiceRow {
    fn of(invoice: &Invoice, mark: Mark, org: Option<Uuid>) -> Self {
        let Invoice { id, status, currency, customer, subscription, hosted_url, .. } = invoice.clone();
        Self {
            id,
            org_id: org,
            customer,
            subscription,
            status,
            currency,
            amount_due: invoice.amount_due,
            amount_paid: invoice.amount_paid,
            paid: invoice.paid,
            attempt_count: count(invoice.attempt_count),
            hosted_url,
            period_start: invoice.period_start,
            period_end: invoice.period_end,
            created_at: invoice.created,
            mark_at: mark.at,
            mark_source: mark.source.as_str().to_owned(),
        }
    }

    fn mark(&self) -> Mark {
        marks::mark(self.mark_at, &self.mark_source)
    }
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        Self {
            id: row.id,
            status: row.status,
            attempt_count: counted(row.attempt_count),
            amount_paid: row.amount_paid,
            amount_due: row.amount_due,
            currency: row.currency,
            paid: row.paid,
            hosted_url: row.hosted_url,
            period_start: row.period_start,
            period_end: row.period_end,
            created: row.created_at,
            subscription: row.subscription,
            customer: row.customer,
        }
    }
}

/// Applies what Stripe says of an invoice. One whose customer is no organisation's yet is kept, and linked with its customer.
///
/// # Errors
/// The database's; with a foreign key's when the organisation is purged at this moment, after which another attempt works.
pub async fn apply_invoice(conn: &mut AsyncPgConnection, invoice: &Invoice, mark: Mark) -> QueryResult<Applied> {
    lock_subject(conn, invoice.customer.as_ref().unwrap_or(&invoice.id)).await?;
    let found: Option<InvoiceRow> =
        invoices::table.find(&invoice.id).for_update().select(InvoiceRow::as_select()).first(conn).await.optional()?;
    let owner = match &invoice.customer {
        Some(customer) => customers::owner(conn, customer).await?,
        None => None,
    };
    let Some(found) = found else {
        diesel::insert_into(invoices::table).values(InvoiceRow::of(invoice, mark, owner)).execute(conn).await?;
        return Ok(Applied { verdict: Verdict::New, org: owner.map(OrgId), unknown: false, disputed: false });
    };
    let org = owner.or(found.org_id);
    let (stored, stored_mark) = (Invoice::from(found.clone()), found.mark());
    let places = (stored.place(stored_mark), invoice.place(mark));
    let verdict = judge((places.0, &stored), (places.1, invoice));
    let row = match verdict {
        Verdict::Newer | Verdict::New => InvoiceRow::of(invoice, mark, org),
        Verdict::Same if places.1 > places.0 => InvoiceRow::of(&stored, mark, org),
        Verdict::Same | Verdict::Older => InvoiceRow::of(&stored, stored_mark, org),
    };
    if row != found {
        let when = (verdict == Verdict::Newer).then(|| invoices::updated_at.eq(now()));
        diesel::update(invoices::table.find(&invoice.id)).set((&row, when)).execute(conn).await?;
    }
    Ok(Applied { verdict, org: org.map(OrgId), unknown: false, disputed: false })
}

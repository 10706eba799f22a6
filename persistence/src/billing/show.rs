//! The billing state of an organisation, as its members see it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, PgAnyJsonExpressionMethods, PgSortExpressionMethods, QueryDsl,
    SelectableHelper, dsl,
};
use diesel_async::RunQueryDsl;
use domain::billing::{Basis, Billing, FREE, INVOICES_MAX, Invoice, Product, Source, Stored, entitlements, foremost, unpaid_since};

use super::{
    catalogue::ProductRow,
    invoices::InvoiceRow,
    subscriptions::{ItemRow, SubscriptionRow, TERMINAL},
};
use crate::{
    Db, Result,
    orgs::Member,
    schema::{billing_customers, invoices, products, subscription_items, subscriptions},
    time::now,
};

/// Of so many subscriptions the one that counts is chosen; those that ended, and then the oldest, are left out first.
const SUBSCRIPTIONS_MAX: i64 = 50;
/// So many products are looked at: those of the items of these, mostly one or two.
const PRODUCTS_MAX: i64 = 500;

type Rows = (Vec<(SubscriptionRow, Option<ItemRow>)>, Vec<ProductRow>, Vec<InvoiceRow>, (bool, DateTime<Utc>));

/// The billing state of an organisation. `grace` is how long a plan may still be used after its payment failed.
pub async fn show(db: &Db, member: &Member, grace: Duration) -> Result<Billing> {
    let org = member.org().0;
    let old = diesel::alias!(subscriptions as old);
    let latest = old
        .filter(old.field(subscriptions::org_id).eq(org))
        .order((old.field(subscriptions::status).eq_any(TERMINAL), old.field(subscriptions::created_at).desc().nulls_last()))
        .limit(SUBSCRIPTIONS_MAX)
        .select(old.field(subscriptions::id));
    // One statement for a subscription and its items, as they are replaced together.
    let own = subscriptions::table
        .left_join(subscription_items::table)
        .filter(subscriptions::id.eq_any(latest))
        .order((subscriptions::id, subscription_items::id))
        .select((SubscriptionRow::as_select(), Option::<ItemRow>::as_select()));
    let bought = subscription_items::table
        .inner_join(subscriptions::table)
        .filter(subscriptions::org_id.eq(org))
        .select(subscription_items::product);
    let free = products::metadata.retrieve_as_text("plan").eq(FREE).and(products::mark_source.ne(Source::Deleted.as_str()));
    let goods = products::table.filter(products::id.nullable().eq_any(bought).or(free)).limit(PRODUCTS_MAX).select(ProductRow::as_select());
    let bills = invoices::table
        .filter(invoices::org_id.eq(org))
        .filter(invoices::status.ne("draft"))
        .filter(invoices::mark_source.ne(Source::Deleted.as_str()))
        .order((invoices::created_at.desc().nulls_last(), invoices::id.desc()))
        .limit(i64::try_from(INVOICES_MAX).unwrap_or(12))
        .select(InvoiceRow::as_select());
    let linked = billing_customers::table.find(org).filter(billing_customers::customer.is_not_null());
    let (rows, goods, bills, (customer, now)): Rows = db
        .read(async |mut conn| {
            let (mut second, mut third, mut fourth) = (conn, conn, conn);
            futures::try_join!(
                own.clone().load(&mut conn),
                goods.load(&mut second),
                bills.load(&mut third),
                diesel::select((dsl::exists(linked), now())).get_result(&mut fourth),
            )
        })
        .await?;
    let invoices: Vec<Invoice> = bills.into_iter().map(Into::into).collect();
    let products: Vec<Product> = goods.into_iter().map(Into::into).collect();
    let subscriptions = grouped(rows);
    let subscription = foremost(&subscriptions);
    let unpaid_since = subscription.and_then(|stored| unpaid_since(&stored.subscription.id, &invoices));
    let entitlements = entitlements(&Basis { subscription, products: &products, unpaid_since, now, grace });
    let subscription = subscription.map(|stored| stored.subscription.clone());
    Ok(Billing { customer, entitlements, subscription, invoices })
}

/// The subscriptions of rows that are sorted by subscription, a row per item.
fn grouped(rows: Vec<(SubscriptionRow, Option<ItemRow>)>) -> Vec<Stored> {
    let mut groups: Vec<(SubscriptionRow, Vec<ItemRow>)> = Vec::new();
    for (row, item) in rows {
        match groups.last_mut() {
            Some((last, items)) if last.id == row.id => items.extend(item),
            _ => groups.push((row, item.into_iter().collect())),
        }
    }
    groups.into_iter().map(|(row, items)| row.stored(items)).collect()
}

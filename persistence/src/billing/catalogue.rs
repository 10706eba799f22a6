//! Queries on `products` and `prices`: what is for sale.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::billing::{self, Mark, Plan, Price, Product, Source, Verdict, judge};
use serde_json::json;

use super::{
    lock_subject,
    marks::{self, count, counted},
};
use crate::{
    Db, Result,
    schema::{prices, products},
    time::now,
};

/// The most products that are shown.
const PRODUCTS_MAX: i64 = 100;
/// The most prices that are shown.
const PRICES_MAX: i64 = 1000;
/// What was deleted stays, so that nothing late brings it back; all reads pass it over but those of what was bought before.
const DELETED: &str = Source::Deleted.as_str();

/// A product's row.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = products, treat_none_as_null = true)]
pub(super) struct ProductRow {
    id: String,
    name: String,
    description: Option<String>,
    active: bool,
    metadata: serde_json::Value,
    mark_at: DateTime<Utc>,
    mark_source: String,
}

impl From<ProductRow> for Product {
    fn from(row: ProductRow) -> Self {
        let metadata: BTreeMap<String, String> = serde_json::from_value(row.metadata).unwrap_or_default();
        Self { id: row.id, name: row.name, description: row.description, active: row.active, metadata }
    }
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = prices, treat_none_as_null = true)]
struct PriceRow {
    id: String,
    product: String,
    currency: String,
    unit_amount: Option<i64>,
    period: Option<String>,
    period_count: Option<i32>,
    lookup_key: Option<String>,
    active: bool,
    nickname: Option<String>,
    mark_at: DateTime<Utc>,
    mark_source: String,
}

impl From<PriceRow> for Price {
    fn from(row: PriceRow) -> Self {
        Self {
            id: row.id,
            currency: row.currency,
            unit_amount: row.unit_amount,
            interval: row.period,
            interval_count: row.period_count.map(counted),
            lookup_key: row.lookup_key,
            product: row.product,
            active: row.active,
            nickname: row.nickname,
        }
    }
}

/// What is to be written after one more thing was said, and as of when it is true; the mark alone may be newer.
fn merge<T: Ord>(stored: Option<(&T, Mark)>, incoming: &T, mark: Mark) -> (Verdict, Option<Mark>) {
    let Some((stored, stored_mark)) = stored else { return (Verdict::New, Some(mark)) };
    let places = (stored_mark.place(0, false), mark.place(0, false));
    let verdict = judge((places.0, stored), (places.1, incoming));
    let counts = verdict == Verdict::Newer || verdict == Verdict::Same && places.1 > places.0;
    (verdict, counts.then_some(mark))
}

/// Applies what Stripe says of a product. That it is deleted is said by the mark, and final.
pub async fn apply_product(conn: &mut AsyncPgConnection, product: &Product, mark: Mark) -> QueryResult<Verdict> {
    lock_subject(conn, &product.id).await?;
    let found: Option<ProductRow> =
        products::table.find(&product.id).for_update().select(ProductRow::as_select()).first(conn).await.optional()?;
    let stored = found.map(|row| (marks::mark(row.mark_at, &row.mark_source), Product::from(row)));
    let (verdict, mark) = merge(stored.as_ref().map(|(mark, product)| (product, *mark)), product, mark);
    if let Some(mark) = mark {
        let row = ProductRow {
            id: product.id.clone(),
            name: product.name.clone(),
            description: product.description.clone(),
            active: product.active,
            metadata: json!(product.metadata),
            mark_at: mark.at,
            mark_source: mark.source.as_str().to_owned(),
        };
        let insert = diesel::insert_into(products::table).values(&row).on_conflict(products::id);
        insert.do_update().set((&row, products::updated_at.eq(now()))).execute(conn).await?;
    }
    Ok(verdict)
}

/// Applies what Stripe says of a price. That it is deleted is said by the mark, and final.
pub async fn apply_price(conn: &mut AsyncPgConnection, price: &Price, mark: Mark) -> QueryResult<Verdict> {
    lock_subject(conn, &price.id).await?;
    let found: Option<PriceRow> = prices::table.find(&price.id).for_update().select(PriceRow::as_select()).first(conn).await.optional()?;
    let stored = found.map(|row| (marks::mark(row.mark_at, &row.mark_source), Price::from(row)));
    let (verdict, mark) = merge(stored.as_ref().map(|(mark, price)| (price, *mark)), price, mark);
    if let Some(mark) = mark {
        let Price { id, product, currency, lookup_key, nickname, interval, .. } = price.clone();
        let row = PriceRow {
            id,
            product,
            currency,
            unit_amount: price.unit_amount,
            period: interval,
            period_count: price.interval_count.map(count),
            lookup_key,
            active: price.active,
            nickname,
            mark_at: mark.at,
            mark_source: mark.source.as_str().to_owned(),
        };
        let insert = diesel::insert_into(prices::table).values(&row).on_conflict(prices::id);
        insert.do_update().set((&row, prices::updated_at.eq(now()))).execute(conn).await?;
    }
    Ok(verdict)
}

/// What is for sale, the cheapest first: at most 100 products and 1000 prices.
pub async fn plans(db: &Db) -> Result<Vec<Plan>> {
    let (products, prices): (Vec<ProductRow>, Vec<PriceRow>) = db
        .read(async |mut conn| {
            let mut second = conn;
            let products = products::table.filter(products::active).filter(products::mark_source.ne(DELETED)).order(products::id);
            let prices = prices::table.filter(prices::active).filter(prices::mark_source.ne(DELETED)).order(prices::id);
            futures::try_join!(
                products.limit(PRODUCTS_MAX).select(ProductRow::as_select()).load(&mut conn),
                prices.limit(PRICES_MAX).select(PriceRow::as_select()).load(&mut second),
            )
        })
        .await?;
    Ok(billing::plans(products.into_iter().map(Into::into).collect(), prices.into_iter().map(Into::into).collect()))
}

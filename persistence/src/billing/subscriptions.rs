//! Queries on `subscriptions` and `subscription_items`.

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, ExpressionMethods, Insertable, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper, dsl,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    OrgId,
    billing::{Item, Known, Mark, Stored, Subscription, Verdict},
};
use uuid::Uuid;

use super::{
    Applied, customers, lock_subject,
    marks::{count, counted, mark},
};
use crate::{
    Db, Result,
    schema::{subscription_items, subscriptions},
    time::now,
};

/// The states that end a subscription, as [`domain::billing::Status::is_terminal`] has it.
pub(super) const TERMINAL: [&str; 2] = ["canceled", "incomplete_expired"];

/// A subscription's row.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = subscriptions, treat_none_as_null = true)]
pub(super) struct SubscriptionRow {
    pub(super) id: String,
    org_id: Option<Uuid>,
    customer: String,
    claimed_org_id: Option<Uuid>,
    status: String,
    livemode: Option<bool>,
    created_at: Option<DateTime<Utc>>,
    period_start: Option<DateTime<Utc>>,
    period_end: Option<DateTime<Utc>>,
    cancel_at: Option<DateTime<Utc>>,
    cancel_at_period_end: bool,
    canceled_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    trial_end: Option<DateTime<Utc>>,
    mark_at: DateTime<Utc>,
    mark_source: String,
    known_status: Option<String>,
    known_at: Option<DateTime<Utc>>,
    known_source: Option<String>,
}

/// A row of what is subscribed to.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = subscription_items)]
pub(super) struct ItemRow {
    subscription_id: String,
    id: String,
    price: Option<String>,
    product: Option<String>,
    quantity: Option<i32>,
}

impl SubscriptionRow {
    fn of(stored: &Stored, org: Option<Uuid>) -> Self {
        let (one, known) = (&stored.subscription, stored.known.as_ref());
        Self {
            id: one.id.clone(),
            org_id: org,
            customer: one.customer.clone(),
            claimed_org_id: one.claimed_org.map(|org| org.0),
            status: one.status.to_string(),
            livemode: one.livemode,
            created_at: one.created,
            period_start: one.current_period_start,
            period_end: one.current_period_end,
            cancel_at: one.cancel_at,
            cancel_at_period_end: one.cancel_at_period_end,
            canceled_at: one.canceled_at,
            ended_at: one.ended_at,
            trial_end: one.trial_end,
            mark_at: stored.mark.at,
            mark_source: stored.mark.source.as_str().to_owned(),
            known_status: known.map(|known| known.status.to_string()),
            known_at: known.map(|known| known.mark.at),
            known_source: known.map(|known| known.mark.source.as_str().to_owned()),
        }
    }

    /// What is stored, with these items.
    pub(super) fn stored(self, items: Vec<ItemRow>) -> Stored {
        let mut items: Vec<Item> = items
            .into_iter()
            .map(|row| Item { id: row.id, price_id: row.price, product_id: row.product, quantity: row.quantity.map(counted) })
            .collect();
        // As they are when they are read from Stripe: the database sorts texts by its own rules.
        items.sort();
        let known = match (self.known_status, self.known_at, self.known_source) {
            (Some(status), Some(at), Some(source)) => Some(Known { status: status.as_str().into(), mark: mark(at, &source) }),
            _ => None,
        };
        Stored {
            subscription: Subscription {
                id: self.id,
                status: self.status.as_str().into(),
                current_period_start: self.period_start,
                current_period_end: self.period_end,
                cancel_at: self.cancel_at,
                cancel_at_period_end: self.cancel_at_period_end,
                canceled_at: self.canceled_at,
                ended_at: self.ended_at,
                trial_end: self.trial_end,
                created: self.created_at,
                items,
                customer: self.customer,
                livemode: self.livemode,
                claimed_org: self.claimed_org_id.map(OrgId),
            },
            mark: mark(self.mark_at, &self.mark_source),
            known,
        }
    }
}

/// Applies what Stripe says of a subscription. One whose customer is no organisation's yet is kept, and linked with its customer.
///
/// # Errors
/// The database's; with a foreign key's when the organisation is purged at this moment, after which another attempt works.
pub async fn apply_subscription(conn: &mut AsyncPgConnection, subscription: &Subscription, mark: Mark) -> QueryResult<Applied> {
    lock_subject(conn, &subscription.customer).await?;
    let found: Option<SubscriptionRow> =
        subscriptions::table.find(&subscription.id).for_update().select(SubscriptionRow::as_select()).first(conn).await.optional()?;
    let before = match &found {
        Some(row) => Some(row.clone().stored(items(conn, &row.id).await?)),
        None => None,
    };
    let (after, verdict) = Stored::merge(before.clone(), subscription.clone(), mark);
    let owner = customers::owner(conn, &after.subscription.customer).await?;
    let row = SubscriptionRow::of(&after, owner.or(found.as_ref().and_then(|row| row.org_id)));
    let changed = matches!(verdict, Verdict::New | Verdict::Newer);
    match &found {
        None => _ = diesel::insert_into(subscriptions::table).values(&row).execute(conn).await?,
        Some(found) if changed || *found != row => {
            let when = changed.then(|| subscriptions::updated_at.eq(now()));
            diesel::update(subscriptions::table.find(&row.id)).set((&row, when)).execute(conn).await?;
        }
        Some(_) => {}
    }
    if changed && before.is_none_or(|before| before.subscription.items != after.subscription.items) {
        replace_items(conn, &after.subscription).await?;
    }
    let claimed = after.subscription.claimed_org.map(|org| org.0);
    Ok(Applied {
        verdict,
        org: row.org_id.map(OrgId),
        unknown: !after.subscription.status.is_known(),
        disputed: claimed.is_some() && row.org_id.is_some() && claimed != row.org_id,
    })
}

async fn items(conn: &mut AsyncPgConnection, id: &str) -> QueryResult<Vec<ItemRow>> {
    subscription_items::table.filter(subscription_items::subscription_id.eq(id)).select(ItemRow::as_select()).load(conn).await
}

async fn replace_items(conn: &mut AsyncPgConnection, subscription: &Subscription) -> QueryResult<()> {
    let old = subscription_items::table.filter(subscription_items::subscription_id.eq(&subscription.id));
    diesel::delete(old).execute(conn).await?;
    let rows: Vec<ItemRow> = subscription
        .items
        .iter()
        .map(|item| ItemRow {
            subscription_id: subscription.id.clone(),
            id: item.id.clone(),
            price: item.price_id.clone(),
            product: item.product_id.clone(),
            quantity: item.quantity.map(count),
        })
        .collect();
    diesel::insert_into(subscription_items::table).values(rows).execute(conn).await.map(drop)
}

/// A subscription that has not ended, to be compared with what Stripe says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Stripe's id.
    pub id: String,
    /// Stripe's id of the customer: the subject to lock.
    pub customer: String,
}

/// The subscriptions that have not ended, by id, from behind this one on, at most so many: also those that are no organisation's yet.
pub async fn live_subscriptions(db: &Db, after: Option<&str>, limit: u32) -> Result<Vec<Live>> {
    let rows: Vec<(String, String)> = db
        .run(async |conn| {
            subscriptions::table
                .filter(subscriptions::id.gt(after.unwrap_or_default()))
                .filter(dsl::not(subscriptions::status.eq_any(TERMINAL)))
                .order(subscriptions::id)
                .limit(limit.into())
                .select((subscriptions::id, subscriptions::customer))
                .load(conn)
                .await
        })
        .await?;
    Ok(rows.into_iter().map(|(id, customer)| Live { id, customer }).collect())
}

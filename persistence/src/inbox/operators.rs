//! The inbox, as operators look into it and set it going again.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    dsl::sql,
    pg::Pg,
    sql_types::{BigInt, Double, Nullable},
};
use diesel_async::RunQueryDsl;
use domain::{
    WebhookEventId,
    page::{Cursor, Page, Window},
    webhook::{Detail, Event, Filter, Replay, Status},
};
use uuid::Uuid;

use crate::{
    Db, Result,
    pages::{self, Reach},
    schema::webhook_events,
    time::{self, length, now},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_events)]
struct EventRow {
    id: Uuid,
    provider: String,
    event_key: String,
    event_type: String,
    subject: Option<String>,
    account: Option<String>,
    livemode: Option<bool>,
    api_version: Option<String>,
    provider_created_at: Option<DateTime<Utc>>,
    status: String,
    attempts: i32,
    due_at: DateTime<Utc>,
    last_error: Option<String>,
    received_at: DateTime<Utc>,
    processed_at: Option<DateTime<Utc>>,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        let status = Status::from(row.status.as_str());
        Self {
            id: WebhookEventId(row.id),
            provider: row.provider,
            event_key: row.event_key,
            event_type: row.event_type,
            subject: row.subject,
            account: row.account,
            livemode: row.livemode,
            api_version: row.api_version,
            provider_created_at: row.provider_created_at,
            status,
            attempts: row.attempts.try_into().unwrap_or(0),
            due_at: (status == Status::Pending).then_some(row.due_at),
            last_error: row.last_error,
            received_at: row.received_at,
            processed_at: row.processed_at,
        }
    }
}

/// A page of events, newest first.
pub async fn list(db: &Db, filter: &Filter, window: &Window) -> Result<Page<Event>> {
    let rows = async |reach: Reach| {
        db.run(async |conn| {
            let mut query = matching(filter).order(webhook_events::id.desc()).limit(reach.limit).offset(reach.offset);
            if let Some(after) = reach.after {
                query = query.filter(webhook_events::id.lt(after.id));
            }
            query.select(EventRow::as_select()).load(conn).await
        })
        .await
    };
    let count = async || db.run(async |conn| matching(filter).count().get_result(conn).await).await;
    let cursor = |row: &EventRow| Cursor { id: row.id, at: None };
    let page = pages::read(db, window, &format!("webhook events {filter:?}"), rows, count, cursor).await?;
    Ok(page.map(Into::into))
}

fn matching(filter: &Filter) -> webhook_events::BoxedQuery<'_, Pg> {
    let mut query = webhook_events::table.into_boxed();
    if let Some(source) = &filter.source {
        query = query.filter(webhook_events::provider.eq(source));
    }
    if let Some(event_type) = &filter.event_type {
        query = query.filter(webhook_events::event_type.eq(event_type));
    }
    if let Some(status) = filter.status {
        query = query.filter(webhook_events::status.eq(status.as_str()));
    }
    query
}

/// The event of this id, with what was sent.
pub async fn find(db: &Db, id: WebhookEventId) -> Result<Option<Detail>> {
    let row: Option<(EventRow, serde_json::Value, Option<Vec<u8>>)> = db
        .run(async |conn| {
            let columns = (EventRow::as_select(), webhook_events::headers, webhook_events::raw);
            webhook_events::table.find(id.0).select(columns).first(conn).await.optional()
        })
        .await?;
    Ok(row.map(|(event, headers, raw)| Detail {
        event: event.into(),
        headers,
        body: raw.map(|raw| String::from_utf8_lossy(&raw).into_owned()),
    }))
}

/// Which of these events of a provider are kept already.
pub async fn which_are_kept(db: &Db, provider: &str, event_keys: &[&str]) -> Result<HashSet<String>> {
    let of_provider = webhook_events::table.filter(webhook_events::provider.eq(provider));
    let kept = of_provider.filter(webhook_events::event_key.eq_any(event_keys)).select(webhook_events::event_key);
    let keys: Vec<String> = db.run(async |conn| kept.load(conn).await).await?;
    Ok(keys.into_iter().collect())
}

/// An event as if it had just come. A macro, as the expression's type cannot be written down shortly.
macro_rules! from_the_start {
    () => {
        (
            webhook_events::status.eq(Status::Pending.as_str()),
            webhook_events::attempts.eq(0),
            webhook_events::due_at.eq(now()),
            webhook_events::last_error.eq(None::<String>),
            webhook_events::processed_at.eq(None::<DateTime<Utc>>),
        )
    };
}

/// Has an event processed again from the start, whatever became of it; `None` when there is none, or its body is no longer kept.
pub async fn replay(db: &Db, id: WebhookEventId) -> Result<Option<Event>> {
    let one = webhook_events::table.find(id.0).filter(webhook_events::raw.is_not_null());
    let row: Option<EventRow> = db
        .run(async |conn| diesel::update(one).set(from_the_start!()).returning(EventRow::as_returning()).get_result(conn).await.optional())
        .await?;
    Ok(row.map(Into::into))
}

/// Has all events of a type and a time processed again, but those that are pending anyway, and says how many.
pub async fn replay_many(db: &Db, which: &Replay) -> Result<usize> {
    let some = webhook_events::table
        .filter(webhook_events::provider.eq(&which.source))
        .filter(webhook_events::event_type.eq(&which.event_type))
        .filter(webhook_events::received_at.ge(which.since))
        .filter(webhook_events::received_at.lt(which.until))
        .filter(webhook_events::status.ne(Status::Pending.as_str()))
        .filter(webhook_events::raw.is_not_null());
    db.run(async |conn| diesel::update(some).set(from_the_start!()).execute(conn).await).await
}

/// How the inbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// How many wait.
    pub pending: u64,
    /// How long the one that waits the longest does.
    pub oldest: Duration,
    /// How many were given up.
    pub dead: u64,
}

/// How the inbox is now.
pub async fn pulse(db: &Db) -> Result<Pulse> {
    let (pending, oldest, dead): (i64, Option<f64>, i64) = db
        .run(async |conn| {
            let waiting = webhook_events::table.filter(webhook_events::status.eq(Status::Pending.as_str()));
            let oldest = sql::<Nullable<Double>>("extract(epoch FROM now() - min(received_at))::float8");
            let (pending, oldest) = waiting.select((sql::<BigInt>("count(*)"), oldest)).first(conn).await?;
            let given_up = webhook_events::table.filter(webhook_events::status.eq(Status::Dead.as_str()));
            Ok((pending, oldest, given_up.count().get_result(conn).await?))
        })
        .await?;
    Ok(Pulse { pending: crate::total(pending), oldest: time::seconds(oldest.unwrap_or(0.0)), dead: crate::total(dead) })
}

/// Forgets bodies that are older than `kept`, at most `batch`, and says how many. The rows stay: they tell a repeated event from a new one.
pub async fn forget_bodies(db: &Db, batch: usize, kept: Duration) -> Result<usize> {
    let old = diesel::alias!(webhook_events as old);
    let some = old
        .filter(old.field(webhook_events::raw).is_not_null())
        .filter(old.field(webhook_events::status).ne(Status::Pending.as_str()))
        .filter(old.field(webhook_events::received_at).le(now() - length(kept)))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(webhook_events::id));
    db.run(async |conn| {
        diesel::update(webhook_events::table.filter(webhook_events::id.eq_any(some)))
            .set(webhook_events::raw.eq(None::<Vec<u8>>))
            .execute(conn)
            .await
    })
    .await
}

//! Queries on `webhook_events`: what providers sent is kept before it is acknowledged, and its effect commits together with its end.

mod operators;
mod queue;

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, Bool, Bytea, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use domain::WebhookEventId;
use uuid::Uuid;

use crate::{Db, Result};
pub use operators::{Pulse, find, forget_bodies, list, pulse, replay, replay_many, which_are_kept};
pub use queue::{Claimed, Effect, Outcome, Prepared, Told, claim, end, postpone, refresh, settle};

/// An event as it came, verified.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Who sent it.
    pub provider: &'static str,
    /// What the provider names it by.
    pub event_key: String,
    /// What happened.
    pub event_type: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The connected account.
    pub account: Option<String>,
    /// Whether it is about real money.
    pub livemode: Option<bool>,
    /// The shape of its body.
    pub api_version: Option<String>,
    /// When it happened.
    pub created_at: Option<DateTime<Utc>>,
    /// Some of its headers.
    pub headers: serde_json::Value,
    /// The body.
    pub raw: Vec<u8>,
}

/// Keeps events, all in one commit; those that are there already are passed over. Says how many are new.
pub async fn insert(db: &Db, events: &[NewEvent]) -> Result<usize> {
    let statement = Insert::of(events);
    let new: Vec<Uuid> = db.run(async |conn| statement.get_results(conn).await).await?;
    Ok(new.len())
}

/// Whether it is a time that PostgreSQL has, and that anything can have happened at: from 1970 to 9999. One absurd event must not keep out
/// those that arrive together with it.
fn storable(time: &DateTime<Utc>) -> bool {
    (0..=253_402_300_799).contains(&time.timestamp())
}

/// One statement for any number of events, so that it is prepared once.
struct Insert<'a> {
    id: Vec<Uuid>,
    provider: Vec<&'a str>,
    event_key: Vec<&'a str>,
    event_type: Vec<&'a str>,
    subject: Vec<Option<&'a str>>,
    account: Vec<Option<&'a str>>,
    livemode: Vec<Option<bool>>,
    api_version: Vec<Option<&'a str>>,
    created_at: Vec<Option<DateTime<Utc>>>,
    headers: Vec<&'a serde_json::Value>,
    raw: Vec<&'a [u8]>,
}

impl<'a> Insert<'a> {
    fn of(events: &'a [NewEvent]) -> Self {
        // Two that keep the same events wait for each other's; in the same order they cannot do so in a circle.
        let mut events: Vec<&NewEvent> = events.iter().collect();
        events.sort_unstable_by_key(|event| (event.provider, &event.event_key));
        Self {
            id: events.iter().map(|_| WebhookEventId::new().0).collect(),
            provider: events.iter().map(|event| event.provider).collect(),
            event_key: events.iter().map(|event| event.event_key.as_str()).collect(),
            event_type: events.iter().map(|event| event.event_type.as_str()).collect(),
            subject: events.iter().map(|event| event.subject.as_deref()).collect(),
            account: events.iter().map(|event| event.account.as_deref()).collect(),
            livemode: events.iter().map(|event| event.livemode).collect(),
            api_version: events.iter().map(|event| event.api_version.as_deref()).collect(),
            created_at: events.iter().map(|event| event.created_at.filter(storable)).collect(),
            headers: events.iter().map(|event| &event.headers).collect(),
            raw: events.iter().map(|event| event.raw.as_slice()).collect(),
        }
    }
}

impl QueryFragment<Pg> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO webhook_events \
             (id, provider, event_key, event_type, subject, account, livemode, api_version, provider_created_at, headers, raw) \
             SELECT * FROM unnest(",
        );
        out.push_bind_param::<Array<SqlUuid>, _>(&self.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.provider)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.event_key)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.event_type)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.subject)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.account)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Bool>>, _>(&self.livemode)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.api_version)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(&self.created_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Jsonb>, _>(&self.headers)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bytea>, _>(&self.raw)?;
        out.push_sql(") ON CONFLICT (provider, event_key) DO NOTHING RETURNING id");
        Ok(())
    }
}

impl QueryId for Insert<'_> {
    type QueryId = Insert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Insert<'_> {
    type SqlType = SqlUuid;
}

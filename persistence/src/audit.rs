//! Queries on `audit_events`. Writing them is the business of triggers, in the transaction of each change; code only says who acts.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper, pg::Pg};
use diesel_async::RunQueryDsl;
use domain::{
    ApiKeyId, AuditEventId, OrgId, TargetId, UserId,
    audit::{Actor, Event, Filter},
    page::{Cursor, Page, Window},
};
use uuid::Uuid;

use crate::{
    Db, Result, orgs,
    pages::{self, Reach},
    schema::audit_events,
    time::{length, now},
};

/// Begins a transaction in which this actor acts: `user key address`, as the triggers read it. Nothing in it needs quoting.
pub(crate) fn begin(actor: &Actor) -> String {
    let or_none = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
    format!(
        "BEGIN; SET LOCAL handrail.actor = '{} {} {}'",
        or_none(actor.user.map(|id| id.to_string())),
        or_none(actor.key.map(|id| id.to_string())),
        or_none(actor.address.map(|address| address.to_string())),
    )
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_events)]
struct EventRow {
    id: Uuid,
    created_at: DateTime<Utc>,
    action: String,
    org_id: Option<Uuid>,
    actor_id: Option<Uuid>,
    actor_key_id: Option<Uuid>,
    address: Option<String>,
    target_type: String,
    target_id: Option<Uuid>,
    details: serde_json::Value,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            id: AuditEventId(row.id),
            created_at: row.created_at,
            action: row.action,
            org_id: row.org_id.map(OrgId),
            actor_id: row.actor_id.map(UserId),
            actor_key_id: row.actor_key_id.map(ApiKeyId),
            address: row.address,
            target_type: row.target_type,
            target_id: row.target_id.map(TargetId),
            details: row.details,
        }
    }
}

/// A page of an organisation's events, newest first.
pub async fn of_organisation(db: &Db, admin: &orgs::Admin, filter: &Filter, window: &Window) -> Result<Page<Event>> {
    list(db, Some(admin.member().org()), filter, window).await
}

/// A page of all events, newest first. For administrators of the whole.
pub async fn everywhere(db: &Db, filter: &Filter, window: &Window) -> Result<Page<Event>> {
    list(db, None, filter, window).await
}

async fn list(db: &Db, org: Option<OrgId>, filter: &Filter, window: &Window) -> Result<Page<Event>> {
    let rows = async |reach: Reach| {
        db.run(async |conn| {
            let mut query = matching(org, filter).order(audit_events::id.desc()).limit(reach.limit).offset(reach.offset);
            if let Some(after) = reach.after {
                query = query.filter(audit_events::id.lt(after.id));
            }
            query.select(EventRow::as_select()).load(conn).await
        })
        .await
    };
    let count = async || db.run(async |conn| matching(org, filter).count().get_result(conn).await).await;
    let page = pages::read(db, window, &format!("audit {org:?} {filter:?}"), rows, count, |row| Cursor { id: row.id, at: None }).await?;
    Ok(page.map(Into::into))
}

fn matching(org: Option<OrgId>, filter: &Filter) -> audit_events::BoxedQuery<'_, Pg> {
    let mut query = audit_events::table.into_boxed();
    if let Some(org) = org {
        query = query.filter(audit_events::org_id.eq(org.0));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_events::action.eq(action));
    }
    if let Some(actor) = filter.actor_id {
        query = query.filter(audit_events::actor_id.eq(actor.0));
    }
    if let Some(target) = filter.target_id {
        query = query.filter(audit_events::target_id.eq(target.0));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_events::created_at.ge(storable(since)));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_events::created_at.lt(storable(until)));
    }
    query
}

/// A time that the database can take: its calendar is shorter than ours. No event lies outside of these eight thousand years.
fn storable(time: DateTime<Utc>) -> DateTime<Utc> {
    time.clamp(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + Days::new(8_000 * 365))
}

/// Writes that somebody failed to log in to this account; `None` when there is none, so that both cost the same.
pub async fn login_failed(db: &Db, actor: &Actor, account: Option<UserId>) -> Result<()> {
    db.run(async |conn| {
        diesel::insert_into(audit_events::table)
            .values((
                audit_events::action.eq("login.failed"),
                audit_events::target_type.eq("user"),
                audit_events::target_id.eq(account.map(|id| id.0)),
                audit_events::address.eq(actor.address.map(|address| address.to_string())),
            ))
            .execute(conn)
            .await
    })
    .await
    .map(drop)
}

/// Removes events that are older than `kept`, at most `batch`, and says how many.
pub async fn sweep(db: &Db, batch: usize, kept: Duration) -> Result<usize> {
    let old = diesel::alias!(audit_events as old);
    let some = old
        .filter(old.field(audit_events::created_at).le(now() - length(kept)))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(audit_events::id));
    db.run(async |conn| diesel::delete(audit_events::table.filter(audit_events::id.eq_any(some))).execute(conn).await).await
}

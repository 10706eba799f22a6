//! The inbox as a queue: who takes an event has it for a while; its effect, and that it is done, commit together.

use std::{future::Future, time::Duration};

use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Bool, Bytea, Integer, Interval, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    WebhookEventId,
    audit::Actor,
    billing::{Checkout, Invoice, Mark, Price, Product, Progress, Subscription},
    webhook::Status,
};
use uuid::Uuid;

use crate::{
    Db, Result,
    billing::{self, Link},
    schema::webhook_events,
    time::{interval, length, now},
};

/// The longest text of a failure that is kept, in characters.
const ERROR_MAX: usize = 500;

/// An event that was taken to be processed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The event.
    pub id: WebhookEventId,
    /// Who sent it.
    pub provider: String,
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
    /// When it happened.
    pub created_at: Option<DateTime<Utc>>,
    /// The body, unless it is too old.
    pub raw: Option<Vec<u8>>,
    /// Which attempt this is, from 1. Whoever took it later has a higher one, and only theirs counts.
    pub attempt: i32,
}

type Row = (Uuid, String, String, String, Option<String>, Option<String>, Option<bool>, Option<DateTime<Utc>>, Option<Vec<u8>>, i32);

/// Takes the event that is due the longest, for `lease`; others pass over it. `None` when nothing is due.
pub async fn claim(db: &Db, lease: Duration) -> Result<Option<Claimed>> {
    let statement = Claim { lease: interval(lease) };
    let row: Option<Row> = db.run(async |conn| statement.get_result(conn).await.optional()).await?;
    Ok(row.map(|(id, provider, event_key, event_type, subject, account, livemode, created_at, raw, attempt)| Claimed {
        id: WebhookEventId(id),
        provider,
        event_key,
        event_type,
        subject,
        account,
        livemode,
        created_at,
        raw,
        attempt,
    }))
}

struct Claim {
    lease: diesel::pg::data_types::PgInterval,
}

impl QueryFragment<Pg> for Claim {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE webhook_events SET attempts = attempts + 1, due_at = now() + ");
        out.push_bind_param::<Interval, _>(&self.lease)?;
        out.push_sql(
            " WHERE id = (SELECT id FROM webhook_events WHERE status = 'pending' AND due_at <= now() \
             ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) \
             RETURNING id, provider, event_key, event_type, subject, account, livemode, provider_created_at, raw, attempts",
        );
        Ok(())
    }
}

impl QueryId for Claim {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Claim {
    type SqlType =
        (SqlUuid, Text, Text, Text, Nullable<Text>, Nullable<Text>, Nullable<Bool>, Nullable<Timestamptz>, Nullable<Bytea>, Integer);
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is there.
    Done,
    /// It has no effect, for this reason.
    Ignored(String),
    /// It can be tried again after so long: this is why it could not be done now.
    Retry(String, Duration),
    /// It will never work, for this reason.
    Dead(String),
}

/// What an event changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The state of a subscription.
    Subscription(Box<Subscription>, Told),
    /// An invoice.
    Invoice(Box<Invoice>, Told),
    /// How far a check-out has come.
    Checkout(Box<Checkout>, Progress),
    /// A product.
    Product(Box<Product>, Told),
    /// A price.
    Price(Box<Price>, Told),
    /// A customer is gone.
    CustomerGone(String),
}

/// As of when something is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// As of then.
    At(Mark),
    /// It was asked for while the lock of the subject was held.
    OnAsking,
}

impl Told {
    fn mark(self, held: DateTime<Utc>) -> Mark {
        match self {
            Self::At(mark) => mark,
            Self::OnAsking => Mark::fetched(held),
        }
    }
}

impl Effect {
    /// Makes the change, unless something newer is there already.
    async fn apply(&self, conn: &mut AsyncPgConnection, held: DateTime<Utc>) -> QueryResult<()> {
        match self {
            Self::Subscription(subscription, told) => {
                let applied = billing::apply_subscription(conn, subscription, told.mark(held)).await?;
                if applied.unknown {
                    log::error!(
                        "subscription {} has a status this version does not know; what may be used stays as it was",
                        subscription.id
                    );
                }
                if applied.disputed {
                    log::error!("subscription {} names another organisation than its customer's, which counts", subscription.id);
                }
            }
            Self::Invoice(invoice, told) => drop(billing::apply_invoice(conn, invoice, told.mark(held)).await?),
            Self::Checkout(checkout, progress) => {
                let done = billing::apply_checkout(conn, checkout, *progress).await?;
                if let Some(link @ (Link::CustomerTaken(_) | Link::OrganisationTaken(_))) = &done.link {
                    log::error!("check-out {} claims what is another's: {link:?}", checkout.id);
                }
            }
            Self::Product(product, told) => drop(billing::apply_product(conn, product, told.mark(held)).await?),
            Self::Price(price, told) => drop(billing::apply_price(conn, price, told.mark(held)).await?),
            Self::CustomerGone(customer) => drop(billing::unlink_customer(conn, customer).await?),
        }
        Ok(())
    }
}

/// What was found out about an event before anything is changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// What it changes.
    pub effects: Vec<Effect>,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// Processes an event: takes the lock of its subject, so that no other event of it is processed meanwhile, prepares it, and commits its
/// effect together with its end. `None` when the subject is locked by another; the event is to be postponed then.
///
/// `prepare` may ask other services; it must come back within `bound`.
pub async fn settle(db: &Db, event: &Claimed, bound: Duration, prepare: impl Future<Output = Prepared> + Send) -> Result<Option<Outcome>> {
    db.change_within(bound, &Actor::default(), async |conn| {
        if let Some(subject) = &event.subject
            // The lock of comparisons with Stripe, too: what is asked for by an event and by one of them must go one after the other.
            && !billing::try_lock_subject(conn, subject).await?
        {
            return Ok(None);
        }
        let held = billing::clock(conn).await?;
        let prepared = prepare.await;
        for effect in &prepared.effects {
            effect.apply(conn, held).await?;
        }
        if !finish(conn, event, &prepared.outcome).await? {
            // Somebody else has it by now: what was changed here goes with the transaction.
            return Err(diesel::result::Error::RollbackTransaction);
        }
        Ok(Some(prepared.outcome))
    })
    .await
}

/// Ends an attempt that changes nothing. Says whether the event was still this one's who took it.
pub async fn end(db: &Db, event: &Claimed, outcome: &Outcome) -> Result<bool> {
    db.run(async |conn| finish(conn, event, outcome).await).await
}

async fn finish(conn: &mut AsyncPgConnection, event: &Claimed, outcome: &Outcome) -> QueryResult<bool> {
    let (status, reason) = match outcome {
        Outcome::Done => (Status::Done, None),
        Outcome::Ignored(reason) => (Status::Ignored, Some(reason)),
        Outcome::Retry(reason, _) => (Status::Pending, Some(reason)),
        Outcome::Dead(reason) => (Status::Dead, Some(reason)),
    };
    let reason = reason.map(|reason| reason.chars().filter(|c| *c != '\0').take(ERROR_MAX).collect::<String>());
    let ours = webhook_events::table
        .filter(webhook_events::id.eq(event.id.0))
        .filter(webhook_events::status.eq(Status::Pending.as_str()))
        .filter(webhook_events::attempts.eq(event.attempt));
    let told = (webhook_events::status.eq(status.as_str()), webhook_events::last_error.eq(reason));
    let count = match outcome {
        Outcome::Retry(_, pause) => {
            diesel::update(ours).set((told, webhook_events::due_at.eq(now() + length(*pause)))).execute(conn).await?
        }
        Outcome::Dead(_) => diesel::update(ours).set(told).execute(conn).await?,
        Outcome::Done | Outcome::Ignored(_) => {
            diesel::update(ours).set((told, webhook_events::processed_at.eq(now().nullable()))).execute(conn).await?
        }
    };
    Ok(count > 0)
}

/// Changes something that was asked for outside of any event, under the lock of its subject. Says whether anything was another than what was
/// stored: whether it had drifted.
///
/// `ask` must come back within `bound`; with nothing it changes nothing.
pub async fn refresh(db: &Db, subject: &str, bound: Duration, ask: impl Future<Output = Option<Effect>> + Send) -> Result<bool> {
    db.change_within(bound, &Actor::default(), async |conn| {
        billing::lock_subject(conn, subject).await?;
        let held = billing::clock(conn).await?;
        match ask.await {
            Some(Effect::Subscription(subscription, told)) => {
                Ok(billing::apply_subscription(conn, &subscription, told.mark(held)).await?.changed())
            }
            Some(effect) => effect.apply(conn, held).await.map(|()| false),
            None => Ok(false),
        }
    })
    .await
}

/// Puts an event off that could not be processed because another of its subject was: that is no attempt.
pub async fn postpone(db: &Db, event: &Claimed, pause: Duration) -> Result<()> {
    let ours = webhook_events::table.filter(webhook_events::id.eq(event.id.0)).filter(webhook_events::attempts.eq(event.attempt));
    db.run(async |conn| {
        diesel::update(ours)
            .set((webhook_events::due_at.eq(now() + length(pause)), webhook_events::attempts.eq(webhook_events::attempts - 1)))
            .execute(conn)
            .await
    })
    .await
    .map(drop)
}

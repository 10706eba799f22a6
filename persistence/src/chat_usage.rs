//! Queries on `chat_usage`: what was asked of the language model, and what it took.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult,
    dsl::{count_star, sql},
    expression::SqlLiteral,
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Date, Double, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use domain::{
    ChatId, UserId,
    chat::{Day, Outcome, Tokens},
};
use uuid::Uuid;

use crate::{
    Db, Result,
    schema::chat_usage,
    time::{length, now, seconds},
    total,
};

/// An answer takes an hour at most; one that is still under way after so much more was asked for by a process that is gone.
const LOST_AFTER: Duration = Duration::from_secs(3 * 60 * 60);

/// What an account used today.
#[derive(Debug, Clone, Copy)]
pub struct Today {
    /// Tokens, of answers under way as far as is known.
    pub tokens: u64,
    /// How long the day still is, by the database's clock.
    pub left: Duration,
    /// When the next one begins.
    pub resets_at: DateTime<Utc>,
}

/// What became of a question.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The question.
    pub id: ChatId,
    /// What became of it.
    pub outcome: Outcome,
    /// What it took.
    pub tokens: Tokens,
}

/// Notes that somebody asked, with the guessed tokens of what they asked.
///
/// # Errors
/// `Refused` (`chat_usage_user_id_fkey`) when the account is gone.
pub async fn begin(db: &Db, id: ChatId, user: UserId, model: &str, prompt_tokens: u32) -> Result<()> {
    db.run(async |conn| {
        diesel::insert_into(chat_usage::table)
            .values((
                chat_usage::id.eq(id.0),
                chat_usage::user_id.eq(user.0),
                chat_usage::model.eq(model),
                chat_usage::prompt_tokens.eq(i64::from(prompt_tokens)),
            ))
            .execute(conn)
            .await
    })
    .await
    .map(drop)
}

/// Notes what became of questions, in one statement. One that ended already, or whose account is gone, is passed over.
pub async fn end(db: &Db, ended: &[Ended]) -> Result<()> {
    let statement = End {
        ids: ended.iter().map(|one| one.id.0).collect(),
        outcomes: ended.iter().map(|one| one.outcome.as_str()).collect(),
        prompt: ended.iter().map(|one| one.tokens.prompt_tokens.into()).collect(),
        completion: ended.iter().map(|one| one.tokens.completion_tokens.into()).collect(),
        estimated: ended.iter().map(|one| one.tokens.estimated).collect(),
    };
    db.run(async |conn| statement.execute(conn).await).await.map(drop)
}

/// What an account used today.
pub async fn today(db: &Db, user: UserId) -> Result<Today> {
    let (tokens, left, resets_at): (i64, f64, DateTime<Utc>) = db
        .read(async |mut conn| {
            let of_today = chat_usage::user_id.eq(user.0).and(chat_usage::started_at.ge(day_begin()));
            let spent = sql::<BigInt>("coalesce(sum(prompt_tokens + completion_tokens), 0)::bigint");
            let left = sql::<Double>("extract(epoch FROM date_trunc('day', now(), 'UTC') + interval '24 hours' - now())::float8");
            let resets_at = sql::<Timestamptz>("date_trunc('day', now(), 'UTC') + interval '24 hours'");
            chat_usage::table.filter(of_today).select((spent, left, resets_at)).first(&mut conn).await
        })
        .await?;
    Ok(Today { tokens: total(tokens), left: seconds(left), resets_at })
}

/// What an account used in the last so many days, today included, newest first.
pub async fn days(db: &Db, user: UserId, days: u16) -> Result<Vec<Day>> {
    let back = Duration::from_secs(86_400) * u32::from(days.saturating_sub(1));
    let rows: Vec<(NaiveDate, i64, i64, i64, i64)> = db
        .run(async |conn| {
            let day = || sql::<Date>("(started_at AT TIME ZONE 'UTC')::date");
            chat_usage::table
                .filter(chat_usage::user_id.eq(user.0).and(chat_usage::started_at.ge(day_begin() - length(back))))
                .group_by(day())
                .select((
                    day(),
                    count_star(),
                    sql::<BigInt>("sum(prompt_tokens)::bigint"),
                    sql::<BigInt>("sum(completion_tokens)::bigint"),
                    sql::<BigInt>("count(*) FILTER (WHERE estimated)"),
                ))
                .order(day().desc())
                .load(conn)
                .await
        })
        .await?;
    let day = |(date, questions, prompt, completion, estimated)| Day {
        date,
        questions: total(questions),
        prompt_tokens: total(prompt),
        completion_tokens: total(completion),
        estimated: total(estimated),
    };
    Ok(rows.into_iter().map(day).collect())
}

/// Ends what nobody will end any more, at most `batch`, and says how many: what was guessed of the questions stays.
pub async fn settle_lost(db: &Db, batch: usize) -> Result<usize> {
    let running = diesel::alias!(chat_usage as running);
    let is_lost = running.field(chat_usage::outcome).eq(Outcome::Running.as_str());
    let some = running
        .filter(is_lost.and(running.field(chat_usage::started_at).le(now() - length(LOST_AFTER))))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(running.field(chat_usage::id));
    let lost = chat_usage::table.filter(chat_usage::id.eq_any(some)).filter(chat_usage::outcome.eq(Outcome::Running.as_str()));
    let ended = (chat_usage::outcome.eq(Outcome::Lost.as_str()), chat_usage::ended_at.eq(now().nullable()));
    db.run(async |conn| diesel::update(lost).set(ended).execute(conn).await).await
}

/// Removes what is older than `kept`, at most `batch`, and says how many.
pub async fn sweep(db: &Db, batch: usize, kept: Duration) -> Result<usize> {
    let old = diesel::alias!(chat_usage as old);
    let some = old
        .filter(old.field(chat_usage::started_at).le(now() - length(kept)))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(chat_usage::id));
    db.run(async |conn| diesel::delete(chat_usage::table.filter(chat_usage::id.eq_any(some))).execute(conn).await).await
}

/// When today began, in UTC.
fn day_begin() -> SqlLiteral<Timestamptz> {
    sql("date_trunc('day', now(), 'UTC')")
}

/// Ends many questions at once.
struct End {
    ids: Vec<Uuid>,
    outcomes: Vec<&'static str>,
    prompt: Vec<i64>,
    completion: Vec<i64>,
    estimated: Vec<bool>,
}

impl QueryFragment<Pg> for End {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE chat_usage SET outcome = e.outcome, prompt_tokens = e.prompt, completion_tokens = e.completion, ");
        out.push_sql("estimated = e.estimated, ended_at = now() FROM unnest(");
        out.push_bind_param::<Array<diesel::sql_types::Uuid>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.outcomes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.prompt)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.completion)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.estimated)?;
        out.push_sql(") AS e (id, outcome, prompt, completion, estimated) WHERE chat_usage.id = e.id AND chat_usage.ended_at IS NULL");
        Ok(())
    }
}

impl QueryId for End {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl diesel::query_builder::Query for End {
    type SqlType = ();
}

impl<C> diesel::RunQueryDsl<C> for End {}

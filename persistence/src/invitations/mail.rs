//! The mails of invitations, as a queue in the table itself: a mail is due until a mail server took it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, dsl};
use diesel_async::{AsyncConnection, RunQueryDsl};
use uuid::Uuid;

use crate::{
    Db, Result,
    mail::{After, Letter, Outgoing},
    schema::{invitations, organisations, users},
    sessions::TokenHash,
    time::{length, now},
};

/// Takes a mail that is due, for an organisation that is there.
pub(crate) async fn take_due(db: &Db, token: &TokenHash, lease: Duration) -> Result<Option<Outgoing>> {
    let live = organisations::table.filter(organisations::id.eq(invitations::org_id)).filter(organisations::deleted_at.is_null());
    db.run(async |conn| {
        conn.transaction(async |conn| {
            let due: Option<Uuid> = invitations::table
                .filter(invitations::mail_due_at.le(now().nullable()))
                .filter(invitations::accepted_at.is_null())
                .filter(invitations::expires_at.gt(now()))
                .filter(dsl::exists(live))
                .order(invitations::mail_due_at)
                .for_update()
                .skip_locked()
                .select(invitations::id)
                .first(conn)
                .await
                .optional()?;
            let Some(id) = due else { return Ok(None) };
            let attempt: i32 = diesel::update(invitations::table.find(id))
                .set((
                    invitations::token_hash.eq(token.as_slice()),
                    invitations::mail_due_at.eq((now() + length(lease)).nullable()),
                    invitations::mail_attempts.eq(invitations::mail_attempts + 1),
                ))
                .returning(invitations::mail_attempts)
                .get_result(conn)
                .await?;
            read(conn, id, attempt).await.map(Some)
        })
        .await
    })
    .await
}

async fn read(conn: &mut diesel_async::AsyncPgConnection, id: Uuid, attempt: i32) -> QueryResult<Outgoing> {
    let (email, role, expires_at, organisation, inviter): (String, String, DateTime<Utc>, String, Option<String>) = invitations::table
        .inner_join(organisations::table)
        .left_join(users::table.on(invitations::invited_by.eq(users::id.nullable())))
        .filter(invitations::id.eq(id))
        .select((invitations::email, invitations::role, invitations::expires_at, organisations::name, users::name.nullable()))
        .first(conn)
        .await?;
    let letter = Letter::Invitation { organisation, inviter, role: role.as_str().into() };
    Ok(Outgoing { id, to: email, letter, expires_at, attempt: attempt.try_into().unwrap_or(1) })
}

/// Only while the token is still this one: a mail that was asked for again meanwhile stays due.
pub(crate) async fn finish(db: &Db, id: Uuid, token: &TokenHash, after: After) -> Result<()> {
    let one = invitations::table.find(id).filter(invitations::token_hash.eq(token.as_slice())).filter(invitations::mail_attempts.gt(0));
    let nothing = invitations::mail_due_at.eq(None::<DateTime<Utc>>);
    db.run(async |conn| match after {
        After::Sent => diesel::update(one).set((nothing, invitations::mail_sent_at.eq(now().nullable()))).execute(conn).await,
        After::GivenUp => diesel::update(one).set(nothing).execute(conn).await,
        After::Again(pause) => diesel::update(one).set(invitations::mail_due_at.eq((now() + length(pause)).nullable())).execute(conn).await,
    })
    .await
    .map(drop)
}

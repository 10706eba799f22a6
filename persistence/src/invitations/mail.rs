//! The mails of invitations, as a queue in the table itself: a mail is due until a mail server took it.
//!
//! The token is made for each attempt by whoever sends it, and only its hash is stored: an attempt that failed leaves nothing that opens
//! a door.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, dsl};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{InvitationId, OrgRole};
use uuid::Uuid;

use crate::{
    Db, Result,
    schema::{invitations, organisations, users},
    sessions::TokenHash,
    time::{length, now},
};

/// A mail to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The invitation.
    pub id: InvitationId,
    /// The address.
    pub email: String,
    /// The organisation's name.
    pub organisation: String,
    /// Who invited, if their account still exists.
    pub inviter: Option<String>,
    /// The role that waits.
    pub role: OrgRole,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// Takes a mail that is due, for an organisation that is there, gives its invitation this token, and makes it due again after `lease`, in case that nobody says what
/// became of it.
pub async fn take_due(db: &Db, token: &TokenHash, lease: Duration) -> Result<Option<Outgoing>> {
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
    Ok(Outgoing {
        id: InvitationId(id),
        email,
        organisation,
        inviter,
        role: role.as_str().into(),
        expires_at,
        attempt: attempt.try_into().unwrap_or(1),
    })
}

/// Says that a mail server took the mail with this token.
pub async fn sent(db: &Db, id: InvitationId, token: &TokenHash) -> Result<()> {
    finish(db, id, token, None, true).await
}

/// Says that the mail with this token could not be sent for now, and when to try again.
pub async fn delay(db: &Db, id: InvitationId, token: &TokenHash, pause: Duration) -> Result<()> {
    finish(db, id, token, Some(pause), false).await
}

/// Says that the mail with this token cannot be sent at all.
pub async fn give_up(db: &Db, id: InvitationId, token: &TokenHash) -> Result<()> {
    finish(db, id, token, None, false).await
}

/// Only while the token is still this one: a mail that was asked for again meanwhile stays due.
async fn finish(db: &Db, id: InvitationId, token: &TokenHash, again: Option<Duration>, sent: bool) -> Result<()> {
    let one = invitations::table
        .filter(invitations::id.eq(id.0))
        .filter(invitations::token_hash.eq(token.as_slice()))
        .filter(invitations::mail_attempts.gt(0));
    db.run(async |conn| match (again, sent) {
        (Some(pause), _) => diesel::update(one).set(invitations::mail_due_at.eq((now() + length(pause)).nullable())).execute(conn).await,
        (None, true) => {
            let done = (invitations::mail_due_at.eq(None::<DateTime<Utc>>), invitations::mail_sent_at.eq(now().nullable()));
            diesel::update(one).set(done).execute(conn).await
        }
        (None, false) => diesel::update(one).set(invitations::mail_due_at.eq(None::<DateTime<Utc>>)).execute(conn).await,
    })
    .await
    .map(drop)
}

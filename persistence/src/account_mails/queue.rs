//! The mails to accounts that are due, and what became of them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::Purpose;
use crate::{
    Db, Result,
    mail::{After, Letter, Outgoing},
    schema::{account_mails, users},
    sessions::TokenHash,
    time::{length, now},
    users::lower,
};

/// What a look at the queue gave.
enum Taken {
    Nothing,
    /// There is nobody to send it to.
    Nobody,
    Mail(Outgoing),
}

/// Takes a mail that is due and that somebody is there for.
pub(crate) async fn take_due(db: &Db, token: &TokenHash, lease: Duration) -> Result<Option<Outgoing>> {
    loop {
        match db.run(async |conn| conn.transaction(async |conn| take(conn, token, lease).await).await).await? {
            Taken::Nothing => return Ok(None),
            Taken::Nobody => {}
            Taken::Mail(mail) => return Ok(Some(mail)),
        }
    }
}

async fn take(conn: &mut AsyncPgConnection, token: &TokenHash, lease: Duration) -> QueryResult<Taken> {
    let due: Option<(Uuid, String, String, DateTime<Utc>)> = account_mails::table
        .filter(account_mails::due_at.le(now().nullable()))
        .filter(account_mails::expires_at.gt(now()))
        .order(account_mails::due_at)
        .for_update()
        .skip_locked()
        .select((account_mails::id, account_mails::purpose, account_mails::email, account_mails::expires_at))
        .first(conn)
        .await
        .optional()?;
    let Some((id, purpose, email, expires_at)) = due else { return Ok(Taken::Nothing) };
    let one = account_mails::table.find(id);
    let Some((to, letter)) = address(conn, Purpose::named(&purpose), email).await? else {
        // The row stays until it expires: asking again writes the same as for an address that has an account.
        diesel::update(one).set(account_mails::due_at.eq(None::<DateTime<Utc>>)).execute(conn).await?;
        return Ok(Taken::Nobody);
    };
    let attempt: i32 = diesel::update(one)
        .set((
            account_mails::token_hash.eq(token.as_slice()),
            account_mails::due_at.eq((now() + length(lease)).nullable()),
            account_mails::attempts.eq(account_mails::attempts + 1),
        ))
        .returning(account_mails::attempts)
        .get_result(conn)
        .await?;
    Ok(Taken::Mail(Outgoing { id, to, letter, expires_at, attempt: attempt.try_into().unwrap_or(1) }))
}

/// Where a mail goes: to the address as the account has it, never as whoever asked wrote it. Nowhere when nobody has it, they are banned, or
/// have verified it by now.
async fn address(conn: &mut AsyncPgConnection, purpose: Purpose, email: String) -> QueryResult<Option<(String, Letter)>> {
    if purpose == Purpose::PasswordChanged {
        return Ok(Some((email, Letter::PasswordChanged)));
    }
    let account: Option<(String, bool)> = users::table
        .filter(lower(users::email).eq(lower(email)))
        .filter(users::banned_at.is_null())
        .select((users::email, users::email_verified_at.is_not_null()))
        .first(conn)
        .await
        .optional()?;
    Ok(account.and_then(|(to, verified)| match purpose {
        Purpose::ResetPassword => Some((to, Letter::Reset)),
        _ => (!verified).then_some((to, Letter::Verification)),
    }))
}

/// Only while the token is still this one: a mail that was asked for again meanwhile stays due.
pub(crate) async fn finish(db: &Db, id: Uuid, token: &TokenHash, after: After) -> Result<()> {
    let one = account_mails::table.find(id).filter(account_mails::token_hash.eq(token.as_slice()));
    let nothing = account_mails::due_at.eq(None::<DateTime<Utc>>);
    db.run(async |conn| match after {
        After::Sent => diesel::update(one).set((nothing, account_mails::sent_at.eq(now().nullable()))).execute(conn).await,
        After::GivenUp => diesel::update(one).set(nothing).execute(conn).await,
        After::Again(pause) => diesel::update(one).set(account_mails::due_at.eq((now() + length(pause)).nullable())).execute(conn).await,
    })
    .await
    .map(drop)
}

//! Queries on `account_mails`: what is mailed to the address of an account, and the tokens in those mails.

mod queue;

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, dsl,
    expression::SqlLiteral,
    sql_types::{Nullable, Text, Timestamptz},
    upsert::excluded,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{UserId, audit::Actor};
use uuid::Uuid;

use crate::{
    Db, Result,
    revocations::Subject,
    schema::{account_mails, api_keys, sessions, users},
    sessions::{TokenHash, forget},
    time::{length, now},
    users::lower,
};
pub(crate) use queue::{finish, take_due};

/// What an account is mailed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To prove that the address is theirs.
    VerifyEmail,
    /// To set a password without knowing the one so far.
    ResetPassword,
    /// To tell that there is another password; triggers see to it.
    PasswordChanged,
}

impl Purpose {
    /// The name, in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::PasswordChanged => "password_changed",
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "verify_email" => Self::VerifyEmail,
            "reset_password" => Self::ResetPassword,
            _ => Self::PasswordChanged,
        }
    }
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The account.
    pub user: UserId,
    /// Its address.
    pub email: String,
    /// Its name.
    pub name: String,
}

/// Makes a mail to this address due, to be sent within `lifetime`, which is how long its token lives as well. It replaces an earlier one of
/// the same purpose, whose token ends at once. The same statement writes the same row whether there is such an account or not: that is
/// looked at when the mail is sent, so that nobody learns it from the time this takes.
pub async fn ask(db: &Db, purpose: Purpose, email: &str, lifetime: Duration) -> Result<()> {
    db.run(async |conn| ask_on(conn, purpose, email, lifetime).await).await
}

pub(crate) async fn ask_on(conn: &mut AsyncPgConnection, purpose: Purpose, email: &str, lifetime: Duration) -> QueryResult<()> {
    diesel::insert_into(account_mails::table)
        .values((
            account_mails::id.eq(Uuid::now_v7()),
            account_mails::purpose.eq(purpose.as_str()),
            account_mails::email.eq(email),
            account_mails::expires_at.eq(now() + length(lifetime)),
            account_mails::due_at.eq(now().nullable()),
        ))
        .on_conflict(dsl::sql::<(Text, Text)>("(lower(email), purpose)"))
        .do_update()
        .set((
            account_mails::email.eq(excluded(account_mails::email)),
            account_mails::token_hash.eq(None::<Vec<u8>>),
            account_mails::created_at.eq(now()),
            account_mails::expires_at.eq(excluded(account_mails::expires_at)),
            account_mails::due_at.eq(excluded(account_mails::due_at)),
            account_mails::sent_at.eq(None::<DateTime<Utc>>),
            account_mails::attempts.eq(0),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Whose a token of this purpose is, while it can be used.
pub async fn holder(db: &Db, purpose: Purpose, token: &TokenHash) -> Result<Option<Holder>> {
    let row: Option<(Uuid, String, String)> = db
        .read(async |mut conn| {
            account_mails::table
                .inner_join(users::table.on(lower(users::email).eq(lower(account_mails::email))))
                .filter(account_mails::token_hash.eq(token.as_slice()))
                .filter(account_mails::purpose.eq(purpose.as_str()))
                .filter(account_mails::expires_at.gt(now()))
                .filter(users::banned_at.is_null())
                .select((users::id, users::email, users::name))
                .first(&mut conn)
                .await
                .optional()
        })
        .await?;
    Ok(row.map(|(id, email, name)| Holder { user: UserId(id), email, name }))
}

/// Uses a token up to verify the address of its account; false when it cannot be used any more. Of several at once, one does.
pub async fn verify(db: &Db, actor: &Actor, user: UserId, token: &TokenHash) -> Result<bool> {
    let done = db
        .change(actor, async |conn| {
            if !use_up(conn, Purpose::VerifyEmail, user, token).await? {
                return Ok(false);
            }
            diesel::update(users::table.find(user.0)).set(users::email_verified_at.eq(verified())).execute(conn).await?;
            Ok(true)
        })
        .await?;
    db.revocations().revoke(Subject::User(user.0));
    Ok(done)
}

/// Uses a token up to give its account another password, and ends all its sessions; false when it cannot be used any more. Of several at
/// once, one does. That the token came back proves the address, too. Whoever had the account until then without proving it may have been
/// somebody else, so their API keys end as well.
pub async fn reset(db: &Db, actor: &Actor, user: UserId, token: &TokenHash, password_hash: &str) -> Result<bool> {
    let ended: Option<Vec<Vec<u8>>> = db
        .change(actor, async |conn| {
            if !use_up(conn, Purpose::ResetPassword, user, token).await? {
                return Ok(None);
            }
            let unproved = users::table.find(user.0).filter(users::email_verified_at.is_null()).select(users::id);
            diesel::delete(api_keys::table.filter(api_keys::user_id.eq_any(unproved))).execute(conn).await?;
            diesel::update(users::table.find(user.0))
                .set((users::password_hash.eq(password_hash), users::email_verified_at.eq(verified())))
                .execute(conn)
                .await?;
            let all = sessions::table.filter(sessions::user_id.eq(user.0));
            diesel::delete(all).returning(sessions::token_hash).get_results(conn).await.map(Some)
        })
        .await?;
    db.revocations().revoke(Subject::User(user.0));
    Ok(ended.map(|ended| forget(db, ended)).is_some())
}

/// Since when the address is verified, from now on.
pub(crate) fn verified() -> SqlLiteral<Nullable<Timestamptz>> {
    dsl::sql("coalesce(email_verified_at, now())")
}

/// Takes the account first and the token second, as whatever ends tokens does: a ban or another address either comes first and is seen
/// here, or waits.
async fn use_up(conn: &mut AsyncPgConnection, purpose: Purpose, user: UserId, token: &TokenHash) -> QueryResult<bool> {
    let account = users::table.find(user.0).filter(users::banned_at.is_null());
    let there: Option<Uuid> = account.for_update().select(users::id).first(conn).await.optional()?;
    if there.is_none() {
        return Ok(false);
    }
    let open = account_mails::token_hash.eq(token.as_slice()).and(account_mails::purpose.eq(purpose.as_str()));
    let one = account_mails::table.filter(account_mails::expires_at.gt(now())).filter(open.assume_not_null());
    Ok(diesel::delete(one).execute(conn).await? > 0)
}

/// Removes what has expired, at most `batch`, and says how many.
pub async fn sweep(db: &Db, batch: usize) -> Result<usize> {
    let old = diesel::alias!(account_mails as old);
    let some = old
        .filter(old.field(account_mails::expires_at).le(now()))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(account_mails::id));
    db.run(async |conn| diesel::delete(account_mails::table.filter(account_mails::id.eq_any(some))).execute(conn).await).await
}

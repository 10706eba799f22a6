//! Queries on `sessions`. What is expired is decided by the database's clock alone, so that replicas agree.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable,
    SelectableHelper, dsl,
    sql_types::{Double, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{Role, SessionId, UserId, audit::Actor, user::User};
use uuid::Uuid;

use crate::{
    Db, Result, Tx,
    revocations::Subject,
    schema::{sessions, users as accounts},
    time::{self, length, now},
    users::{self, NewAccount},
};

diesel::define_sql_function! {
    /// The earlier of two times.
    fn least(a: Timestamptz, b: Timestamptz) -> Timestamptz;
}

/// How many sessions an account can have; a log-in beyond it ends the oldest.
pub const PER_USER_MAX: i64 = 50;

/// The SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// Without use.
    pub idle: Duration,
    /// In all.
    pub max: Duration,
    /// The least time between two writes of its use.
    pub renew: Duration,
}

/// A session to be stored.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Whose it is.
    pub user: UserId,
    /// The hash of its token.
    pub token_hash: TokenHash,
    /// The password, in PHC form, that was found right.
    pub password_hash: String,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// The hash of the token the client came with: that session ends.
    pub replaces: Option<TokenHash>,
}

/// A live session and who it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// The session.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// What they may do, as of now.
    pub role: Role,
    /// Whether they proved that their address is theirs.
    pub verified: bool,
    /// How long it still lives.
    pub left: Duration,
    /// Whether its use is due to be written.
    pub stale: bool,
}

/// Begins a session, unless the account has another password by now; ends the one it replaces, the account's expired ones, and its oldest beyond [`PER_USER_MAX`].
///
/// # Errors
/// `Refused` (`sessions_user_id_fkey`) when the account is gone.
pub async fn begin(db: &Db, actor: &Actor, new: &NewSession, lifetime: Lifetime) -> Result<Option<SessionId>> {
    let begun = db
        .change(actor, async |conn| {
            // Held until the session is there: a change of password either sees it and ends it, or comes first and is seen.
            let account = accounts::table.find(new.user.0).filter(accounts::password_hash.eq(&new.password_hash));
            if account.for_share().select(accounts::id).first::<Uuid>(conn).await.optional()?.is_none() {
                return Ok(None);
            }
            let id = insert(conn, new.user, &new.token_hash, new.user_agent.as_deref(), lifetime).await?;
            let kept = diesel::alias!(sessions as kept);
            let oldest = kept
                .filter(kept.field(sessions::user_id).eq(new.user.0))
                .order(kept.field(sessions::id).desc())
                .offset(PER_USER_MAX)
                .select(kept.field(sessions::id));
            let own = sessions::user_id.eq(new.user.0);
            let over = own.and(sessions::expires_at.le(now()).or(sessions::id.eq_any(oldest)));
            let replaced = new.replaces.as_ref().map(<[u8; 32]>::as_slice);
            let ended: Vec<Vec<u8>> =
                diesel::delete(sessions::table.filter(over.or(sessions::token_hash.nullable().eq(replaced).assume_not_null())))
                    .returning(sessions::token_hash)
                    .get_results(conn)
                    .await?;
            Ok(Some((id, ended)))
        })
        .await?;
    Ok(begun.map(|(id, ended)| {
        forget(db, ended);
        id
    }))
}

/// What this process remembers of these sessions does not hold any more.
pub(crate) fn forget(db: &Db, hashes: Vec<Vec<u8>>) {
    for hash in hashes.into_iter().filter_map(|hash| hash.try_into().ok()) {
        db.revocations().revoke(Subject::Token(hash));
    }
}

/// Adds an account and begins its first session, both or neither.
///
/// # Errors
/// `Taken` (`users_email_key`) when the address has an account already.
pub async fn register(
    tx: &mut Tx<'_>,
    account: &NewAccount,
    token_hash: &TokenHash,
    user_agent: Option<&str>,
    lifetime: Lifetime,
) -> Result<User> {
    let user = users::insert(tx, account).await?;
    insert(tx.conn, user.id, token_hash, user_agent, lifetime).await?;
    Ok(user)
}

async fn insert(
    conn: &mut AsyncPgConnection,
    user: UserId,
    token_hash: &TokenHash,
    user_agent: Option<&str>,
    lifetime: Lifetime,
) -> QueryResult<SessionId> {
    let id = SessionId::new();
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(id.0),
            sessions::user_id.eq(user.0),
            sessions::token_hash.eq(token_hash.as_slice()),
            sessions::user_agent.eq(user_agent),
            sessions::expires_at.eq(now() + length(lifetime.idle.min(lifetime.max))),
        ))
        .execute(conn)
        .await?;
    Ok(id)
}

/// The live session of this token hash.
pub async fn find(db: &Db, hash: &TokenHash, lifetime: Lifetime) -> Result<Option<Live>> {
    let due = now() - length(lifetime.renew);
    let row: Option<(Uuid, Uuid, String, bool, f64, bool)> = db
        .read(async |mut conn| {
            sessions::table
                .inner_join(accounts::table)
                .filter(sessions::token_hash.eq(hash.as_slice()).and(sessions::expires_at.gt(now())))
                .filter(accounts::banned_at.is_null())
                .select((
                    sessions::id,
                    sessions::user_id,
                    accounts::role,
                    accounts::email_verified_at.is_not_null(),
                    dsl::sql::<Double>("extract(epoch FROM sessions.expires_at - now())::float8"),
                    sessions::renewed_at.lt(due),
                ))
                .first(&mut conn)
                .await
                .optional()
        })
        .await?;
    Ok(row.map(|(id, user, role, verified, left, stale)| Live {
        id: SessionId(id),
        user: UserId(user),
        role: role.as_str().into(),
        verified,
        left: time::seconds(left),
        stale,
    }))
}

/// Writes that a session is in use and puts off its end, never beyond its longest life. Of several at once, one writes.
pub async fn renew(db: &Db, id: SessionId, lifetime: Lifetime) -> Result<()> {
    let due = now() - length(lifetime.renew);
    let idle_end = now() + length(lifetime.idle);
    let last_end = sessions::created_at + length(lifetime.max);
    db.run(async |conn| {
        diesel::update(sessions::table.filter(sessions::id.eq(id.0).and(sessions::renewed_at.lt(due))))
            .set((sessions::renewed_at.eq(now()), sessions::expires_at.eq(least(idle_end, last_end))))
            .execute(conn)
            .await
    })
    .await
    .map(drop)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: Uuid,
    created_at: DateTime<Utc>,
    renewed_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    user_agent: Option<String>,
}

/// The live sessions of an account, newest first; `current` is the asking one.
pub async fn list(db: &Db, user: UserId, current: SessionId) -> Result<Vec<domain::session::Session>> {
    let rows: Vec<SessionRow> = db
        .read(async |mut conn| {
            sessions::table
                .filter(sessions::user_id.eq(user.0).and(sessions::expires_at.gt(now())))
                .order(sessions::id.desc())
                .limit(PER_USER_MAX)
                .select(SessionRow::as_select())
                .load(&mut conn)
                .await
        })
        .await?;
    let session = |row: SessionRow| domain::session::Session {
        id: SessionId(row.id),
        created_at: row.created_at,
        last_used_at: row.renewed_at,
        expires_at: row.expires_at,
        user_agent: row.user_agent,
        current: row.id == current.0,
    };
    Ok(rows.into_iter().map(session).collect())
}

/// Ends one session of an account; false when it has no such session.
pub async fn end(db: &Db, user: UserId, id: SessionId) -> Result<bool> {
    let one = sessions::table.filter(sessions::id.eq(id.0).and(sessions::user_id.eq(user.0)));
    let ended: Vec<Vec<u8>> = db.run(async |conn| diesel::delete(one).returning(sessions::token_hash).get_results(conn).await).await?;
    let found = !ended.is_empty();
    forget(db, ended);
    Ok(found)
}

/// Ends all sessions of an account but one, and says how many.
pub async fn end_others(db: &Db, user: UserId, kept: SessionId) -> Result<usize> {
    let others = sessions::table.filter(sessions::user_id.eq(user.0).and(sessions::id.ne(kept.0)));
    let ended: Vec<Vec<u8>> = db.run(async |conn| diesel::delete(others).returning(sessions::token_hash).get_results(conn).await).await?;
    let count = ended.len();
    forget(db, ended);
    Ok(count)
}

/// Replaces the password `old` of an account and ends all its sessions but one, in one transaction; false when it is another by now.
pub async fn change_password(db: &Db, actor: &Actor, user: UserId, old: &str, new: &str, kept: SessionId) -> Result<bool> {
    let ended: Option<Vec<Vec<u8>>> = db
        .change(actor, async |conn| {
            let account = accounts::table.find(user.0).filter(accounts::password_hash.eq(old));
            if diesel::update(account).set(accounts::password_hash.eq(new)).execute(conn).await? == 0 {
                return Ok(None);
            }
            let others = sessions::table.filter(sessions::user_id.eq(user.0).and(sessions::id.ne(kept.0)));
            diesel::delete(others).returning(sessions::token_hash).get_results(conn).await.map(Some)
        })
        .await?;
    Ok(ended.map(|ended| forget(db, ended)).is_some())
}

/// Removes what expired, at most `batch` at a time, and says how many: call again while it is `batch`.
pub async fn sweep(db: &Db, batch: usize) -> Result<usize> {
    let batch = i64::try_from(batch).unwrap_or(i64::MAX);
    let expired = diesel::alias!(sessions as expired);
    let some = expired.filter(expired.field(sessions::expires_at).le(now())).limit(batch).select(expired.field(sessions::id));
    db.run(async |conn| diesel::delete(sessions::table.filter(sessions::id.eq_any(some))).execute(conn).await).await
}

//! Queries on `users`.

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable,
    SelectableHelper, define_sql_function, dsl,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    Role, UserId,
    audit::Actor,
    page::{Cursor, Page, Window},
    user::{User, UserPatch},
};
use std::time::Duration;
use uuid::Uuid;

use crate::{
    Change, Db, Expected, Result, Tx,
    account_mails::{self, Purpose},
    pages::{self, Reach},
    revocations::Subject,
    schema::{sessions, users},
    time::now,
};

define_sql_function! {
    /// Lower case, as the unique index on e-mail addresses has it.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    banned_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    email_verified_at: Option<DateTime<Utc>>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId(row.id),
            email: row.email,
            email_verified: row.email_verified_at.is_some(),
            name: row.name,
            role: row.role.as_str().into(),
            banned: row.banned_at.is_some(),
            created_at: row.created_at,
        }
    }
}

/// A new account, its password already hashed.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The address to log in with.
    pub email: String,
    /// The name to show.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The hash in PHC form; without one the account cannot log in.
    pub password_hash: Option<String>,
    /// Whose the address is.
    pub ownership: Ownership,
}

/// What is known of whether the address of a new account is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// They say so.
    Claimed,
    /// They say so, and are sent a mail to prove it, whose token lives so long.
    Asked(Duration),
    /// Whoever runs the server vouches for it.
    Proved,
}

/// What a log-in needs to know of an account.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account.
    pub user: User,
    /// The hash in PHC form.
    pub password_hash: Option<String>,
}

/// Adds an account.
///
/// # Errors
/// `Taken` (`users_email_key`) when the address has one already.
pub async fn insert(tx: &mut Tx<'_>, new: &NewAccount) -> Result<User> {
    Ok(insert_on(tx.conn, new).await?.into())
}

pub(crate) async fn insert_on(conn: &mut AsyncPgConnection, new: &NewAccount) -> QueryResult<UserRow> {
    let row = diesel::insert_into(users::table)
        .values((
            users::id.eq(UserId::new().0),
            users::email.eq(&new.email),
            users::name.eq(&new.name),
            users::role.eq(new.role.as_str()),
            users::password_hash.eq(new.password_hash.as_deref()),
            (new.ownership == Ownership::Proved).then(|| users::email_verified_at.eq(now().nullable())),
        ))
        .returning(UserRow::as_returning())
        .get_result(conn)
        .await?;
    if let Ownership::Asked(lifetime) = new.ownership {
        account_mails::ask_on(conn, Purpose::VerifyEmail, &new.email, lifetime).await?;
    }
    Ok(row)
}

/// The account of this address, without regard to case.
pub async fn account(db: &Db, email: &str) -> Result<Option<Account>> {
    let row: Option<(UserRow, Option<String>)> = db
        .read(async |mut conn| {
            users::table
                .filter(lower(users::email).eq(lower(email)))
                .select((UserRow::as_select(), users::password_hash))
                .first(&mut conn)
                .await
                .optional()
        })
        .await?;
    Ok(row.map(|(user, password_hash)| Account { user: user.into(), password_hash }))
}

/// The account of this id, with its password.
pub async fn account_of(db: &Db, id: UserId) -> Result<Option<Account>> {
    let row: Option<(UserRow, Option<String>)> = db
        .read(async |mut conn| {
            users::table.find(id.0).select((UserRow::as_select(), users::password_hash)).first(&mut conn).await.optional()
        })
        .await?;
    Ok(row.map(|(user, password_hash)| Account { user: user.into(), password_hash }))
}

/// The account of this id.
pub async fn find(db: &Db, id: UserId) -> Result<Option<User>> {
    let row: Option<UserRow> =
        db.read(async |mut conn| users::table.find(id.0).select(UserRow::as_select()).first(&mut conn).await.optional()).await?;
    Ok(row.map(Into::into))
}

/// A page of accounts, newest first.
pub async fn list(db: &Db, window: &Window) -> Result<Page<User>> {
    let rows = async |reach: Reach| {
        db.read(async |mut conn| {
            let mut query = users::table.order(users::id.desc()).limit(reach.limit).offset(reach.offset).into_boxed();
            if let Some(after) = reach.after {
                query = query.filter(users::id.lt(after.id));
            }
            query.select(UserRow::as_select()).load(&mut conn).await
        })
        .await
    };
    let count = async || db.read(async |mut conn| users::table.count().get_result(&mut conn).await).await;
    let page = pages::read(db, window, "users", rows, count, |row: &UserRow| Cursor { id: row.id, at: None }).await?;
    Ok(page.map(Into::into))
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
struct UserChange<'a> {
    name: Option<&'a str>,
    role: Option<&'a str>,
}

/// An account, which stays as it is until the transaction ends.
async fn hold(conn: &mut AsyncPgConnection, id: UserId) -> QueryResult<Option<User>> {
    let row: Option<UserRow> = users::table.find(id.0).for_no_key_update().select(UserRow::as_select()).first(conn).await.optional()?;
    Ok(row.map(Into::into))
}

/// Changes an account. A ban ends its sessions.
///
/// # Errors
/// `Refused` (`users_last_admin`) when it would demote or ban the last administrator.
pub async fn update(db: &Db, actor: &Actor, id: UserId, patch: &UserPatch, expected: Expected<'_, User>) -> Result<Change<User>> {
    let change = UserChange { name: patch.name.as_deref(), role: patch.role.map(Role::as_str) };
    let one = users::table.find(id.0);
    let change = db
        .change(actor, async |conn| {
            if let Some(no) = Change::against(hold(conn, id).await?.as_ref(), expected) {
                return Ok(no);
            }
            if change.name.is_some() || change.role.is_some() {
                diesel::update(one).set(&change).execute(conn).await?;
            }
            match patch.banned {
                Some(true) => {
                    let unbanned = one.filter(users::banned_at.is_null());
                    diesel::update(unbanned).set(users::banned_at.eq(now().nullable())).execute(conn).await?;
                    diesel::delete(sessions::table.filter(sessions::user_id.eq(id.0))).execute(conn).await?;
                }
                Some(false) => {
                    diesel::update(one).set(users::banned_at.eq(None::<DateTime<Utc>>)).execute(conn).await?;
                }
                None => {}
            }
            let row: Option<UserRow> = one.select(UserRow::as_select()).first(conn).await.optional()?;
            Ok(Change::found(row.map(Into::into)))
        })
        .await?;
    db.revocations().revoke(Subject::User(id.0));
    Ok(change)
}

/// Deletes an account with its posts, sessions, keys and memberships.
///
/// # Errors
/// `Refused`: `users_last_admin` when it is the last administrator's, `memberships_last_owner` when it is the last owner's of an
/// organisation.
pub async fn delete(db: &Db, actor: &Actor, id: UserId, expected: Expected<'_, User>) -> Result<Change<()>> {
    let change = db
        .change(actor, async |conn| {
            if let Some(no) = Change::against(hold(conn, id).await?.as_ref(), expected) {
                return Ok(no);
            }
            diesel::delete(users::table.find(id.0)).execute(conn).await?;
            Ok(Change::Made(()))
        })
        .await?;
    db.revocations().revoke(Subject::User(id.0));
    Ok(change)
}

/// Whether there is an administrator.
pub async fn has_admin(db: &Db) -> Result<bool> {
    let admins = users::table.filter(users::role.eq(Role::Admin.as_str()));
    db.read(async |mut conn| diesel::select(dsl::exists(admins)).get_result(&mut conn).await).await
}

/// Replaces the password of the account of this address and makes it an administrator, or makes the account; ends its
/// sessions. The address counts as verified.
pub async fn upsert_admin(db: &Db, new: &NewAccount) -> Result<User> {
    use diesel_async::AsyncConnection;
    let row = db
        .run(async |conn| {
            conn.transaction(async |conn| {
                let existing: Option<Uuid> = users::table
                    .filter(lower(users::email).eq(lower(&new.email)))
                    .select(users::id)
                    .for_update()
                    .first(conn)
                    .await
                    .optional()?;
                let Some(id) = existing else { return insert_on(conn, new).await };
                diesel::delete(sessions::table.filter(sessions::user_id.eq(id))).execute(conn).await?;
                diesel::update(users::table.find(id))
                    .set((
                        users::role.eq(Role::Admin.as_str()),
                        users::password_hash.eq(new.password_hash.as_deref()),
                        users::email_verified_at.eq(account_mails::verified()),
                    ))
                    .returning(UserRow::as_returning())
                    .get_result(conn)
                    .await
            })
            .await
        })
        .await?;
    Ok(row.into())
}

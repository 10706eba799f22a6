//! Queries on `api_keys`.

mod lookup;

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper, pg::Pg,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    ApiKeyId, Code, OrgId, UserId,
    api_key::{ApiKey, NewApiKey, Scope},
    audit::Actor,
    page::{Cursor, Page, Window},
};
use uuid::Uuid;

use crate::{
    Change, Db, Result, Tx,
    orgs::{self, Admin},
    pages::{self, Reach},
    revocations::Subject,
    schema::{api_keys, organisations, users},
    sessions::TokenHash,
    time::{self, length, now},
};
pub use lookup::{Live, find, touch};

/// How many keys a user, or an organisation, can have.
pub const PER_HOLDER_MAX: i64 = 100;
/// What to tell who has so many.
const TOO_MANY: &str = "There are too many keys already; revoke some first";

/// Whose keys.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// The personal ones of a user.
    User(UserId),
    /// Those of an organisation.
    Organisation(&'a Admin),
}

impl Holder<'_> {
    fn org(&self) -> Option<OrgId> {
        match self {
            Self::User(_) => None,
            Self::Organisation(admin) => Some(admin.member().org()),
        }
    }

    /// Who makes a key, and whom it acts for.
    fn user(&self) -> UserId {
        match self {
            Self::User(user) => *user,
            Self::Organisation(admin) => admin.member().user(),
        }
    }

    fn keys(&self) -> api_keys::BoxedQuery<'static, Pg> {
        let query = api_keys::table.filter(api_keys::expires_at.gt(now())).into_boxed();
        match self {
            Self::User(user) => query.filter(api_keys::user_id.eq(user.0).and(api_keys::org_id.is_null())),
            Self::Organisation(admin) => query.filter(api_keys::org_id.eq(admin.member().org().0)),
        }
    }
}

/// What is stored of a key's secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// How the key begins.
    pub prefix: String,
    /// The SHA-256 of the key.
    pub hash: TokenHash,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
struct KeyRow {
    id: Uuid,
    user_id: Uuid,
    org_id: Option<Uuid>,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: ApiKeyId(row.id),
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes.iter().filter_map(|name| Scope::named(name)).collect(),
            user_id: UserId(row.user_id),
            org_id: row.org_id.map(OrgId),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// A page of live keys, newest first.
pub async fn list(db: &Db, holder: Holder<'_>, window: &Window) -> Result<Page<ApiKey>> {
    let rows = async |reach: Reach| {
        db.read(async |mut conn| {
            let mut query = holder.keys().order(api_keys::id.desc()).limit(reach.limit).offset(reach.offset);
            if let Some(after) = reach.after {
                query = query.filter(api_keys::id.lt(after.id));
            }
            query.select(KeyRow::as_select()).load(&mut conn).await
        })
        .await
    };
    let count = async || db.read(async |mut conn| holder.keys().count().get_result(&mut conn).await).await;
    let cursor = |row: &KeyRow| Cursor { id: row.id, at: None };
    let key = format!("keys {:?} {}", holder.org(), holder.user());
    let page = pages::read(db, window, &key, rows, count, cursor).await?;
    Ok(page.map(Into::into))
}

/// Whether the holder may have one more key. Of several that are made at once, each sees those before it.
async fn has_room(conn: &mut AsyncPgConnection, holder: Holder<'_>) -> QueryResult<bool> {
    // Who is gone by now has no keys either: the foreign key refuses the new one.
    match holder.org() {
        Some(org) => organisations::table.find(org.0).for_no_key_update().select(organisations::id).execute(conn).await?,
        None => users::table.find(holder.user().0).for_no_key_update().select(users::id).execute(conn).await?,
    };
    Ok(holder.keys().count().get_result::<i64>(conn).await? < PER_HOLDER_MAX)
}

/// Adds a key.
pub async fn insert(tx: &mut Tx<'_>, holder: Holder<'_>, new: &NewApiKey, secret: &Secret) -> Result<Change<ApiKey>> {
    let scopes: Vec<&str> = Scope::ALL.into_iter().filter(|scope| new.scopes.contains(scope)).map(Scope::as_str).collect();
    let conn = &mut *tx.conn;
    if let Holder::Organisation(admin) = holder
        && orgs::hold(conn, admin.member().org(), admin.member().user()).await?.is_none_or(|role| role < domain::OrgRole::Admin)
    {
        return Ok(Change::Forbidden);
    }
    if !has_room(conn, holder).await? {
        return Ok(Change::Refused(Code::Conflict, TOO_MANY));
    }
    let row: KeyRow = diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(ApiKeyId::new().0),
            api_keys::user_id.eq(holder.user().0),
            api_keys::org_id.eq(holder.org().map(|org| org.0)),
            api_keys::name.eq(&new.name),
            api_keys::prefix.eq(&secret.prefix),
            api_keys::key_hash.eq(secret.hash.as_slice()),
            api_keys::scopes.eq(scopes),
            api_keys::expires_at.eq(now() + length(Duration::from_secs(86_400) * u32::from(new.expires_in_days))),
        ))
        .returning(KeyRow::as_returning())
        .get_result(conn)
        .await?;
    Ok(Change::Made(row.into()))
}

/// Gives a key a successor with the same name, scopes and length of life. The old one works on for `overlap`, but never longer than it
/// would have. The successor acts for whoever asked for it: nobody gets a secret that acts for somebody else.
pub async fn rotate(tx: &mut Tx<'_>, holder: Holder<'_>, id: ApiKeyId, overlap: Duration, secret: &Secret) -> Result<Change<ApiKey>> {
    let conn = &mut *tx.conn;
    // Locked first: of two who rotate it at once, the second finds it ending.
    let locked = api_keys::table.find(id.0).for_update().select(api_keys::id);
    locked.first::<Uuid>(conn).await.optional()?;
    let one = holder.keys().filter(api_keys::id.eq(id.0)).select((KeyRow::as_select(), api_keys::key_hash));
    let old: Option<(KeyRow, Vec<u8>)> = one.first(conn).await.optional()?;
    let Some((old, old_hash)) = old else { return Ok(Change::Absent) };
    // One that ends at once makes the room itself.
    if !overlap.is_zero() && !has_room(conn, holder).await? {
        return Ok(Change::Refused(Code::Conflict, TOO_MANY));
    }
    let life = (old.expires_at - old.created_at).to_std().unwrap_or_default();
    let row: KeyRow = diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(ApiKeyId::new().0),
            api_keys::user_id.eq(holder.user().0),
            api_keys::org_id.eq(old.org_id),
            api_keys::name.eq(&old.name),
            api_keys::prefix.eq(&secret.prefix),
            api_keys::key_hash.eq(secret.hash.as_slice()),
            api_keys::scopes.eq(&old.scopes),
            api_keys::expires_at.eq(now() + length(life)),
        ))
        .returning(KeyRow::as_returning())
        .get_result(conn)
        .await?;
    diesel::update(api_keys::table.filter(api_keys::id.eq(id.0).and(api_keys::expires_at.gt(now() + length(overlap)))))
        .set(api_keys::expires_at.eq(now() + length(overlap)))
        .execute(conn)
        .await?;
    tx.revoked.extend(subject(old_hash));
    Ok(Change::Made(row.into()))
}

/// Revokes a key; false when the holder has no such key.
pub async fn delete(db: &Db, actor: &Actor, holder: Holder<'_>, id: ApiKeyId) -> Result<bool> {
    let hash: Option<Vec<u8>> = db
        .change(actor, async |conn| {
            let one = holder.keys().filter(api_keys::id.eq(id.0)).select(api_keys::id);
            let Some(id) = one.first::<Uuid>(conn).await.optional()? else { return Ok(None) };
            diesel::delete(api_keys::table.find(id)).returning(api_keys::key_hash).get_result(conn).await.optional()
        })
        .await?;
    let found = hash.is_some();
    if let Some(subject) = hash.and_then(subject) {
        db.revocations().revoke(subject);
    }
    Ok(found)
}

fn subject(hash: Vec<u8>) -> Option<Subject> {
    hash.try_into().ok().map(Subject::Token)
}

/// Removes keys that ended a month ago, at most `batch`, and says how many.
pub async fn sweep(db: &Db, batch: usize) -> Result<usize> {
    let old = diesel::alias!(api_keys as old);
    let some = old
        .filter(old.field(api_keys::expires_at).le(time::restorable()))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(api_keys::id));
    db.run(async |conn| diesel::delete(api_keys::table.filter(api_keys::id.eq_any(some))).execute(conn).await).await
}

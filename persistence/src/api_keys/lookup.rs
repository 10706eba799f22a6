//! Who a key acts for: asked with every request that is not remembered.

use std::time::Duration;

use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, dsl, sql_types::Double};
use diesel_async::RunQueryDsl;
use domain::{
    ApiKeyId, OrgId, Role, UserId,
    api_key::{Scope, Scopes},
};
use uuid::Uuid;

use crate::{
    Db, Result,
    schema::{api_keys, organisations, users},
    sessions::TokenHash,
    time::{self, length, now},
};

/// How often the use of a key is written.
const USE_WRITTEN_EVERY: Duration = Duration::from_secs(60);

/// A live key and whom it acts for.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// The key.
    pub id: ApiKeyId,
    /// Whom it acts for.
    pub user: UserId,
    /// What they may do, as of now.
    pub role: Role,
    /// Whether they proved that their address is theirs.
    pub verified: bool,
    /// The one organisation it reaches, if it is an organisation's.
    pub org: Option<OrgId>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// How long it still lives.
    pub left: Duration,
    /// Whether its use is due to be written.
    pub stale: bool,
}

/// The live key of this hash, whose user is not banned and whose organisation is there.
pub async fn find(db: &Db, hash: &TokenHash) -> Result<Option<Live>> {
    type Row = (Uuid, Uuid, String, bool, Option<Uuid>, Vec<String>, f64, bool);
    let written = now() - length(USE_WRITTEN_EVERY);
    let row: Option<Row> = db
        .read(async |mut conn| {
            api_keys::table
                .inner_join(users::table)
                .filter(api_keys::key_hash.eq(hash.as_slice()))
                .filter(api_keys::expires_at.gt(now()))
                .filter(users::banned_at.is_null())
                .filter(
                    api_keys::org_id.is_null().or(dsl::exists(
                        organisations::table
                            .filter(organisations::id.nullable().eq(api_keys::org_id))
                            .filter(organisations::deleted_at.is_null()),
                    )),
                )
                .select((
                    api_keys::id,
                    api_keys::user_id,
                    users::role,
                    users::email_verified_at.is_not_null(),
                    api_keys::org_id,
                    api_keys::scopes,
                    dsl::sql::<Double>("extract(epoch FROM api_keys.expires_at - now())::float8"),
                    api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(written.nullable()).assume_not_null()),
                ))
                .first(&mut conn)
                .await
                .optional()
        })
        .await?;
    Ok(row.map(|(id, user, role, verified, org, scopes, left, stale)| Live {
        id: ApiKeyId(id),
        user: UserId(user),
        role: role.as_str().into(),
        verified,
        org: org.map(OrgId),
        scopes: scopes.iter().filter_map(|name| Scope::named(name)).collect(),
        left: time::seconds(left),
        stale,
    }))
}

/// Writes that a key is in use, at most once a minute.
pub async fn touch(db: &Db, id: ApiKeyId) -> Result<()> {
    let written = now() - length(USE_WRITTEN_EVERY);
    let due = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(written.nullable()).assume_not_null());
    db.run(async |conn| {
        diesel::update(api_keys::table.filter(api_keys::id.eq(id.0).and(due)))
            .set(api_keys::last_used_at.eq(now().nullable()))
            .execute(conn)
            .await
    })
    .await
    .map(drop)
}

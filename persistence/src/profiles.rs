//! Queries on what users tell about themselves, which is kept in `users`.

use chrono::{DateTime, Utc};
use diesel::{AsChangeset, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    UserId,
    audit::Actor,
    user::{Profile, ProfileUpdate},
};
use uuid::Uuid;

use crate::{Change, Db, Expected, Result, schema::users};

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct ProfileRow {
    id: Uuid,
    email: String,
    email_verified_at: Option<DateTime<Utc>>,
    role: String,
    name: String,
    bio: String,
    avatar_url: Option<String>,
    locale: String,
    timezone: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<ProfileRow> for Profile {
    fn from(row: ProfileRow) -> Self {
        Self {
            id: UserId(row.id),
            email: row.email,
            email_verified: row.email_verified_at.is_some(),
            role: row.role.as_str().into(),
            name: row.name,
            bio: row.bio,
            avatar_url: row.avatar_url,
            locale: row.locale,
            timezone: row.timezone,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The profile of an account.
pub async fn find(db: &Db, id: UserId) -> Result<Option<Profile>> {
    let row: Option<ProfileRow> =
        db.read(async |mut conn| users::table.find(id.0).select(ProfileRow::as_select()).first(&mut conn).await.optional()).await?;
    Ok(row.map(Into::into))
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
#[expect(clippy::option_option, reason = "absent, null and value are three things")]
struct ProfileChange<'a> {
    name: Option<&'a str>,
    bio: Option<&'a str>,
    avatar_url: Option<Option<String>>,
    locale: Option<&'a str>,
    timezone: Option<&'a str>,
}

/// Changes a profile, only in what the update names.
pub async fn update(db: &Db, id: UserId, update: &ProfileUpdate, expected: Expected<'_, Profile>) -> Result<Change<Profile>> {
    let change = ProfileChange {
        name: update.name.as_deref(),
        bio: update.bio.as_deref(),
        avatar_url: update.avatar_url.clone(),
        locale: update.locale.as_deref(),
        timezone: update.timezone.as_deref(),
    };
    if expected.is_none() {
        return Ok(Change::found(db.run(async |conn| write(conn, id, &change).await).await?));
    }
    db.change(&Actor::default(), async |conn| {
        let row: Option<ProfileRow> =
            users::table.find(id.0).for_no_key_update().select(ProfileRow::as_select()).first(conn).await.optional()?;
        if let Some(no) = Change::against(row.map(Into::into).as_ref(), expected) {
            return Ok(no);
        }
        Ok(Change::found(write(conn, id, &change).await?))
    })
    .await
}

async fn write(conn: &mut AsyncPgConnection, id: UserId, change: &ProfileChange<'_>) -> QueryResult<Option<Profile>> {
    let one = users::table.find(id.0);
    let nothing = change.name.or(change.bio).or(change.locale).or(change.timezone).is_none() && change.avatar_url.is_none();
    let row: Option<ProfileRow> = if nothing {
        one.select(ProfileRow::as_select()).first(conn).await.optional()?
    } else {
        diesel::update(one).set(change).returning(ProfileRow::as_returning()).get_result(conn).await.optional()?
    };
    Ok(row.map(Into::into))
}

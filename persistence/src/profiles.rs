//! Queries on what users tell about themselves, which is kept in `users`.

use chrono::{DateTime, Utc};
use diesel::{AsChangeset, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use domain::{
    UserId,
    user::{Profile, ProfileUpdate},
};
use uuid::Uuid;

use crate::{Db, Result, schema::users};

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

/// Changes a profile, only in what the update names; `None` when the account is gone.
pub async fn update(db: &Db, id: UserId, update: &ProfileUpdate) -> Result<Option<Profile>> {
    let change = ProfileChange {
        name: update.name.as_deref(),
        bio: update.bio.as_deref(),
        avatar_url: update.avatar_url.clone(),
        locale: update.locale.as_deref(),
        timezone: update.timezone.as_deref(),
    };
    if change.name.or(change.bio).or(change.locale).or(change.timezone).is_none() && change.avatar_url.is_none() {
        return find(db, id).await;
    }
    let row: Option<ProfileRow> = db
        .run(async |conn| {
            diesel::update(users::table.find(id.0)).set(&change).returning(ProfileRow::as_returning()).get_result(conn).await.optional()
        })
        .await?;
    Ok(row.map(Into::into))
}

//! Queries on `organisations`, and the proofs of membership that every query on something of an organisation asks for.
//!
//! Only [`membership`] makes a proof, so a handler that forgot to ask who is calling cannot call such a query. With a proof at hand it can:
//!
//! ```
//! use persistence::{Db, orgs::Member, projects};
//! async fn handler(db: &Db, member: &Member, id: domain::ProjectId) {
//!     let _ = projects::find(db, member, id).await;
//! }
//! ```
//!
//! Without one it does not compile, neither with the organisation's id in its place …
//!
//! ```compile_fail,E0308
//! use persistence::{Db, projects};
//! async fn handler(db: &Db, org: domain::OrgId, id: domain::ProjectId) {
//!     let _ = projects::find(db, &org, id).await;
//! }
//! ```
//!
//! … nor with a proof of one's own making …
//!
//! ```compile_fail,E0451
//! use persistence::{Db, orgs::Member, projects};
//! async fn handler(db: &Db, org: domain::OrgId, user: domain::UserId, id: domain::ProjectId) {
//!     let member = Member { org, user, role: domain::OrgRole::Owner };
//!     let _ = projects::find(db, &member, id).await;
//! }
//! ```
//!
//! … nor, where an administrator is asked for, with a proof of less.
//!
//! ```compile_fail,E0308
//! use persistence::{Db, orgs::Member, projects};
//! async fn handler(db: &Db, member: &Member, actor: &domain::audit::Actor, id: domain::ProjectId) {
//!     let _ = projects::delete(db, actor, member, id).await;
//! }
//! ```

mod proof;

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    OrgId, OrgRole, UserId,
    audit::Actor,
    org::{NewOrganisation, Organisation, OrganisationPatch},
    page::{Cursor, Page, Window},
};
use uuid::Uuid;

use crate::{
    Change, Db, Expected, Result, Tx,
    pages::{self, Reach},
    revocations::Subject,
    schema::{memberships, organisations},
    slugs,
    time::{self, now},
};
pub(crate) use proof::hold;
pub use proof::{Admin, Member, Owner, Proof, membership};

#[derive(Queryable, Selectable)]
#[diesel(table_name = organisations)]
struct OrganisationRow {
    id: Uuid,
    name: String,
    slug: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl OrganisationRow {
    fn seen_by(self, role: OrgRole) -> Organisation {
        Organisation {
            id: OrgId(self.id),
            name: self.name,
            slug: self.slug,
            role,
            created_at: self.created_at,
            updated_at: self.updated_at,
            deleted_at: self.deleted_at,
        }
    }
}

/// A page of the organisations a user belongs to, newest first; of the deleted ones, those they own and can restore.
pub async fn list(db: &Db, user: UserId, deleted: bool, window: &Window) -> Result<Page<Organisation>> {
    let own = || {
        let mut query =
            memberships::table.inner_join(organisations::table).filter(memberships::user_id.eq(user.0)).into_boxed::<diesel::pg::Pg>();
        query = if deleted {
            query.filter(organisations::deleted_at.gt(time::restorable().nullable())).filter(memberships::role.eq(OrgRole::Owner.as_str()))
        } else {
            query.filter(organisations::deleted_at.is_null())
        };
        query
    };
    let rows = async |reach: Reach| {
        db.read(async |mut conn| {
            let mut query = own().order(organisations::id.desc()).limit(reach.limit).offset(reach.offset);
            if let Some(after) = reach.after {
                query = query.filter(organisations::id.lt(after.id));
            }
            query.select((OrganisationRow::as_select(), memberships::role)).load::<(OrganisationRow, String)>(&mut conn).await
        })
        .await
    };
    let count = async || db.read(async |mut conn| own().count().get_result(&mut conn).await).await;
    let cursor = |row: &(OrganisationRow, String)| Cursor { id: row.0.id, at: None };
    let page = pages::read(db, window, &format!("orgs {user} {deleted}"), rows, count, cursor).await?;
    Ok(page.map(|(row, role)| row.seen_by(role.as_str().into())))
}

/// Makes an organisation, whose owner its maker becomes.
///
/// # Errors
/// `Taken` (`organisations_slug_key`) when the slug that was asked for is taken.
pub async fn insert(tx: &mut Tx<'_>, owner: UserId, new: &NewOrganisation) -> Result<Organisation> {
    let id = OrgId::new().0;
    let insert = async |tx: &mut Tx<'_>, slug: &str| {
        diesel::insert_into(organisations::table)
            .values((organisations::id.eq(id), organisations::name.eq(&new.name), organisations::slug.eq(slug)))
            .on_conflict_do_nothing()
            .returning(OrganisationRow::as_returning())
            .get_result(tx.conn)
            .await
            .optional()
    };
    let row: OrganisationRow = slugs::insert(tx, new.slug.as_deref(), &new.name, "org", "organisations_slug_key", insert).await?;
    diesel::insert_into(memberships::table)
        .values((memberships::org_id.eq(id), memberships::user_id.eq(owner.0), memberships::role.eq(OrgRole::Owner.as_str())))
        .execute(tx.conn)
        .await?;
    Ok(row.seen_by(OrgRole::Owner))
}

/// The organisation of a membership; `None` when it went away since.
pub async fn find(db: &Db, member: &Member) -> Result<Option<Organisation>> {
    let row: Option<OrganisationRow> = db
        .read(async |mut conn| {
            let live = organisations::table.find(member.org().0).filter(organisations::deleted_at.is_null());
            live.select(OrganisationRow::as_select()).first(&mut conn).await.optional()
        })
        .await?;
    Ok(row.map(|row| row.seen_by(member.role())))
}

#[derive(AsChangeset)]
#[diesel(table_name = organisations)]
struct OrganisationChange<'a> {
    name: Option<&'a str>,
    slug: Option<&'a str>,
}

/// The organisation of a membership, which stays as it is until the transaction ends.
async fn held(conn: &mut AsyncPgConnection, member: &Member) -> QueryResult<Option<Organisation>> {
    let live = organisations::table.find(member.org().0).filter(organisations::deleted_at.is_null());
    let row: Option<OrganisationRow> = live.for_no_key_update().select(OrganisationRow::as_select()).first(conn).await.optional()?;
    Ok(row.map(|row| row.seen_by(member.role())))
}

/// Changes an organisation.
///
/// # Errors
/// `Taken` (`organisations_slug_key`) when the slug is taken.
pub async fn update(
    db: &Db,
    actor: &Actor,
    admin: &Admin,
    patch: &OrganisationPatch,
    expected: Expected<'_, Organisation>,
) -> Result<Change<Organisation>> {
    let member = admin.member();
    let change = OrganisationChange { name: patch.name.as_deref(), slug: patch.slug.as_deref() };
    let nothing = change.name.is_none() && change.slug.is_none();
    db.change(actor, async |conn| {
        let held = held(conn, member).await?;
        if let Some(no) = Change::against(held.as_ref(), expected) {
            return Ok(no);
        }
        if nothing {
            return Ok(Change::found(held));
        }
        let one = organisations::table.find(member.org().0);
        let row: OrganisationRow = diesel::update(one).set(&change).returning(OrganisationRow::as_returning()).get_result(conn).await?;
        Ok(Change::Made(row.seen_by(member.role())))
    })
    .await
}

/// Deletes an organisation: nothing of it can be reached any more, and for [`crate::RESTORABLE_DAYS`] all of it can be restored.
pub async fn delete(db: &Db, actor: &Actor, owner: &Owner, expected: Expected<'_, Organisation>) -> Result<Change<()>> {
    let member = owner.member();
    let change = db
        .change(actor, async |conn| {
            if hold(conn, member.org(), member.user()).await? != Some(OrgRole::Owner) {
                return Ok(Change::Forbidden);
            }
            if let Some(no) = Change::against(held(conn, member).await?.as_ref(), expected) {
                return Ok(no);
            }
            let one = organisations::table.find(member.org().0);
            diesel::update(one).set(organisations::deleted_at.eq(now().nullable())).execute(conn).await?;
            Ok(Change::Made(()))
        })
        .await?;
    db.revocations().revoke(Subject::Organisation(member.org().0));
    Ok(change)
}

/// Restores a deleted organisation of which the user is an owner; `None` when there is none, or when it was too long ago.
pub async fn restore(db: &Db, actor: &Actor, org: OrgId, owner: UserId) -> Result<Option<Organisation>> {
    let deleted = organisations::table.find(org.0).filter(organisations::deleted_at.gt(time::restorable().nullable()));
    let row: Option<OrganisationRow> = db
        .change(actor, async |conn| {
            // Held, so that the account cannot be deleted meanwhile: what lives has an owner.
            if hold(conn, org, owner).await? != Some(OrgRole::Owner) {
                return Ok(None);
            }
            diesel::update(deleted)
                .set(organisations::deleted_at.eq(None::<DateTime<Utc>>))
                .returning(OrganisationRow::as_returning())
                .get_result(conn)
                .await
                .optional()
        })
        .await?;
    Ok(row.map(|row| row.seen_by(OrgRole::Owner)))
}

/// Purges organisations that can no longer be restored, with everything in them, at most `batch`, and says how many.
pub async fn purge(db: &Db, batch: usize) -> Result<usize> {
    let old = diesel::alias!(organisations as old);
    let some = old
        .filter(old.field(organisations::deleted_at).le(time::restorable().nullable()))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(organisations::id));
    db.run(async |conn| diesel::delete(organisations::table.filter(organisations::id.eq_any(some))).execute(conn).await).await
}

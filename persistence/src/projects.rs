//! Queries on `projects`.

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable,
    Selectable, SelectableHelper, pg::Pg,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    OrgId, ProjectId,
    audit::Actor,
    page::{Cursor, Page, Window},
    project::{NewProject, Project, ProjectPatch},
};
use uuid::Uuid;

use crate::{
    Change, Db, Expected, Result, Tx,
    orgs::{Admin, Member},
    pages::{self, Reach},
    schema::projects,
    slugs,
    time::{self, now},
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = projects)]
struct ProjectRow {
    id: Uuid,
    org_id: Uuid,
    name: String,
    slug: String,
    description: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl From<ProjectRow> for Project {
    fn from(row: ProjectRow) -> Self {
        Self {
            id: ProjectId(row.id),
            org_id: OrgId(row.org_id),
            name: row.name,
            slug: row.slug,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        }
    }
}

/// A page of an organisation's projects, newest first; or of those that were deleted and can be restored.
pub async fn list(db: &Db, member: &Member, deleted: bool, window: &Window) -> Result<Page<Project>> {
    let org = member.org();
    let rows = async |reach: Reach| {
        db.read(async |mut conn| {
            let mut query = matching(org, deleted).order(projects::id.desc()).limit(reach.limit).offset(reach.offset);
            if let Some(after) = reach.after {
                query = query.filter(projects::id.lt(after.id));
            }
            query.select(ProjectRow::as_select()).load(&mut conn).await
        })
        .await
    };
    let count = async || db.read(async |mut conn| matching(org, deleted).count().get_result(&mut conn).await).await;
    let cursor = |row: &ProjectRow| Cursor { id: row.id, at: None };
    let page = pages::read(db, window, &format!("projects {org} {deleted}"), rows, count, cursor).await?;
    Ok(page.map(Into::into))
}

fn matching(org: OrgId, deleted: bool) -> projects::BoxedQuery<'static, Pg> {
    let query = projects::table.filter(projects::org_id.eq(org.0)).into_boxed();
    if deleted {
        query.filter(projects::deleted_at.gt(time::restorable().nullable()))
    } else {
        query.filter(projects::deleted_at.is_null())
    }
}

/// The project of this id, if it is the organisation's.
pub async fn find(db: &Db, member: &Member, id: ProjectId) -> Result<Option<Project>> {
    let row: Option<ProjectRow> = db
        .read(async |mut conn| {
            projects::table
                .filter(projects::id.eq(id.0))
                .filter(projects::org_id.eq(member.org().0))
                .filter(projects::deleted_at.is_null())
                .select(ProjectRow::as_select())
                .first(&mut conn)
                .await
                .optional()
        })
        .await?;
    Ok(row.map(Into::into))
}

/// Makes a project.
///
/// # Errors
/// `Taken` (`projects_slug_key`) when the slug that was asked for is taken.
pub async fn insert(tx: &mut Tx<'_>, admin: &Admin, new: &NewProject) -> Result<Project> {
    let insert = async |tx: &mut Tx<'_>, slug: &str| {
        diesel::insert_into(projects::table)
            .values((
                projects::id.eq(ProjectId::new().0),
                projects::org_id.eq(admin.member().org().0),
                projects::name.eq(&new.name),
                projects::slug.eq(slug),
                projects::description.eq(&new.description),
            ))
            .on_conflict_do_nothing()
            .returning(ProjectRow::as_returning())
            .get_result(tx.conn)
            .await
            .optional()
    };
    let row: ProjectRow = slugs::insert(tx, new.slug.as_deref(), &new.name, "project", "projects_slug_key", insert).await?;
    Ok(row.into())
}

#[derive(AsChangeset)]
#[diesel(table_name = projects)]
struct ProjectChange<'a> {
    name: Option<&'a str>,
    slug: Option<&'a str>,
    description: Option<&'a str>,
}

/// A project, which stays as it is until the transaction ends.
async fn hold(conn: &mut AsyncPgConnection, org: OrgId, id: ProjectId) -> QueryResult<Option<Project>> {
    let here = projects::org_id.eq(org.0).and(projects::deleted_at.is_null());
    let row: Option<ProjectRow> =
        projects::table.find(id.0).filter(here).for_no_key_update().select(ProjectRow::as_select()).first(conn).await.optional()?;
    Ok(row.map(Into::into))
}

/// Changes a project.
///
/// # Errors
/// `Taken` (`projects_slug_key`) when the slug is taken.
pub async fn update(
    db: &Db,
    actor: &Actor,
    admin: &Admin,
    id: ProjectId,
    patch: &ProjectPatch,
    expected: Expected<'_, Project>,
) -> Result<Change<Project>> {
    let change = ProjectChange { name: patch.name.as_deref(), slug: patch.slug.as_deref(), description: patch.description.as_deref() };
    let nothing = change.name.is_none() && change.slug.is_none() && change.description.is_none();
    db.change(actor, async |conn| {
        let held = hold(conn, admin.member().org(), id).await?;
        if let Some(no) = Change::against(held.as_ref(), expected) {
            return Ok(no);
        }
        if nothing {
            return Ok(Change::found(held));
        }
        let row: ProjectRow =
            diesel::update(projects::table.find(id.0)).set(&change).returning(ProjectRow::as_returning()).get_result(conn).await?;
        Ok(Change::Made(row.into()))
    })
    .await
}

/// Deletes a project, which can be restored for a while.
pub async fn delete(db: &Db, actor: &Actor, admin: &Admin, id: ProjectId, expected: Expected<'_, Project>) -> Result<Change<()>> {
    db.change(actor, async |conn| {
        if let Some(no) = Change::against(hold(conn, admin.member().org(), id).await?.as_ref(), expected) {
            return Ok(no);
        }
        diesel::update(projects::table.find(id.0)).set(projects::deleted_at.eq(now().nullable())).execute(conn).await?;
        Ok(Change::Made(()))
    })
    .await
}

/// Restores a deleted project; `None` when there is none, or when it was too long ago.
pub async fn restore(db: &Db, actor: &Actor, admin: &Admin, id: ProjectId) -> Result<Option<Project>> {
    let one = projects::table
        .filter(projects::id.eq(id.0))
        .filter(projects::org_id.eq(admin.member().org().0))
        .filter(projects::deleted_at.gt(time::restorable().nullable()));
    let row: Option<ProjectRow> = db
        .change(actor, async |conn| {
            diesel::update(one)
                .set(projects::deleted_at.eq(None::<DateTime<Utc>>))
                .returning(ProjectRow::as_returning())
                .get_result(conn)
                .await
                .optional()
        })
        .await?;
    Ok(row.map(Into::into))
}

/// Purges projects that can no longer be restored, at most `batch`, and says how many.
pub async fn purge(db: &Db, batch: usize) -> Result<usize> {
    let old = diesel::alias!(projects as old);
    let some = old
        .filter(old.field(projects::deleted_at).le(time::restorable().nullable()))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(projects::id));
    db.run(async |conn| diesel::delete(projects::table.filter(projects::id.eq_any(some))).execute(conn).await).await
}

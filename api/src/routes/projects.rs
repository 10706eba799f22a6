//! Projects of an organisation.

use actix_web::web::Data;
use auth::{Org, scope};
use domain::{
    Error, ProjectId, Result,
    project::{NewProject, Project, ProjectPatch},
};
use persistence::{
    Db, Tx,
    orgs::{Admin, Member},
    projects,
};

use super::orgs::Which;
use crate::{
    conditional::IfMatch,
    extract::{Body, List, Path},
    once::{Answered, Once},
    respond::{Created, DONE, Done, Json, Listed, Resource},
};

/// Lists the projects.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn list(org: Org<Member, scope::ReadProjects>, List(which, window): List<Which>, db: Data<Db>) -> Result<Listed<Project>> {
    let page = projects::list(&db, &org.proof, which.deleted, &window).await?;
    Ok(Listed { page, window })
}

/// Makes a project.
///
/// # Errors
/// `SLUG_TAKEN`.
pub async fn create(
    org: Org<Admin, scope::WriteProjects>,
    db: Data<Db>,
    Body(new): Body<NewProject>,
    once: Once,
) -> Result<Answered<Created<Project>>> {
    let effect = async |tx: &mut Tx<'_>| Ok(projects::insert(tx, &org.proof, &new).await?);
    let location = |project: &Project| format!("/api/orgs/{}/projects/{}", project.org_id, project.id);
    once.run(&db, &org.actor, effect, |project| Created { location: location(&project), body: project }).await
}

/// Shows a project.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn show(org: Org<Member, scope::ReadProjects>, Path(id): Path<ProjectId>, db: Data<Db>) -> Result<Resource<Project>> {
    projects::find(&db, &org.proof, id).await?.map(Resource).ok_or_else(absent)
}

/// Changes a project.
///
/// # Errors
/// `NOT_FOUND`, `SLUG_TAKEN`.
pub async fn update(
    org: Org<Admin, scope::WriteProjects>,
    Path(id): Path<ProjectId>,
    db: Data<Db>,
    if_match: IfMatch,
    Body(patch): Body<ProjectPatch>,
) -> Result<Resource<Project>> {
    let fits = |project: &Project| if_match.fits(project);
    projects::update(&db, &org.actor, &org.proof, id, &patch, if_match.expected(&fits)).await?.made("Project").map(Resource)
}

/// Deletes a project; it can be restored for 30 days.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn delete(
    org: Org<Admin, scope::WriteProjects>,
    Path(id): Path<ProjectId>,
    db: Data<Db>,
    if_match: IfMatch,
) -> Result<Json<Done>> {
    let fits = |project: &Project| if_match.fits(project);
    projects::delete(&db, &org.actor, &org.proof, id, if_match.expected(&fits)).await?.made("Project").map(|()| DONE)
}

/// Restores a deleted project.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn restore(org: Org<Admin, scope::WriteProjects>, Path(id): Path<ProjectId>, db: Data<Db>) -> Result<Json<Project>> {
    projects::restore(&db, &org.actor, &org.proof, id).await?.map(Json).ok_or_else(absent)
}

fn absent() -> Error {
    Error::not_found("Project")
}

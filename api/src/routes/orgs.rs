//! Organisations.

use actix_web::web::Data;
use auth::{Caller, Org, Session, scope};
use domain::{
    Error, OrgId, Result,
    org::{NewOrganisation, Organisation, OrganisationPatch, Transfer},
};
use garde::Validate;
use persistence::{
    Db, Tx, members,
    orgs::{self, Admin, Member, Owner},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    conditional::IfMatch,
    extract::{Body, List, Path},
    once::{Answered, Once},
    respond::{Created, DONE, Done, Json, Listed, Resource},
};

/// What of a list that has deleted things in it to show.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Those that were deleted and can be restored, instead of those that are there.
    #[serde(default)]
    #[garde(skip)]
    pub deleted: bool,
}

/// Lists the organisations the caller belongs to; of the deleted ones, those they own.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn list(caller: Caller<scope::ReadOrgs>, List(which, window): List<Which>, db: Data<Db>) -> Result<Listed<Organisation>> {
    let page = orgs::list(&db, caller.user, which.deleted, &window).await?;
    Ok(Listed { page, window })
}

/// Makes an organisation, whose owner the caller becomes.
///
/// # Errors
/// `SLUG_TAKEN`.
pub async fn create(
    caller: Caller<scope::WriteOrgs>,
    db: Data<Db>,
    Body(new): Body<NewOrganisation>,
    once: Once,
) -> Result<Answered<Created<Organisation>>> {
    let effect = async |tx: &mut Tx<'_>| Ok(orgs::insert(tx, caller.user, &new).await?);
    once.run(&db, &caller.actor, effect, |org| Created { location: format!("/api/orgs/{}", org.id), body: org }).await
}

/// Shows an organisation.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn show(org: Org<Member, scope::ReadOrgs>, db: Data<Db>) -> Result<Resource<Organisation>> {
    orgs::find(&db, &org.proof).await?.map(Resource).ok_or_else(absent)
}

/// Changes an organisation.
///
/// # Errors
/// `NOT_FOUND`, `SLUG_TAKEN`.
pub async fn update(
    org: Org<Admin, scope::WriteOrgs>,
    db: Data<Db>,
    if_match: IfMatch,
    Body(patch): Body<OrganisationPatch>,
) -> Result<Resource<Organisation>> {
    let fits = |shown: &Organisation| if_match.fits(shown);
    orgs::update(&db, &org.actor, &org.proof, &patch, if_match.expected(&fits)).await?.made("Organisation").map(Resource)
}

/// Deletes an organisation; it can be restored for 30 days.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn delete(org: Org<Owner>, db: Data<Db>, if_match: IfMatch) -> Result<Json<Done>> {
    let fits = |shown: &Organisation| if_match.fits(shown);
    orgs::delete(&db, &org.actor, &org.proof, if_match.expected(&fits)).await?.made("Organisation").map(|()| DONE)
}

/// Restores a deleted organisation of the caller's, with everything in it.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn restore(session: Session, Path(id): Path<OrgId>, db: Data<Db>) -> Result<Json<Organisation>> {
    orgs::restore(&db, &session.actor, id, session.user).await?.map(Json).ok_or_else(absent)
}

/// Hands an organisation over: another member becomes an owner, the caller an administrator.
///
/// # Errors
/// `NOT_FOUND` when they are no member.
pub async fn transfer(org: Org<Owner>, db: Data<Db>, Body(to): Body<Transfer>) -> Result<Json<Done>> {
    members::transfer(&db, &org.actor, &org.proof, to.user_id).await?.made("Member").map(|()| DONE)
}

fn absent() -> Error {
    Error::not_found("Organisation")
}

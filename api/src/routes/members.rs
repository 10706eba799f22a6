//! Who belongs to an organisation.

use actix_web::web::Data;
use auth::{Org, scope};
use domain::{
    Result, UserId,
    org::{self, MemberPatch},
};
use persistence::{
    Db, members,
    orgs::{Admin, Member},
};

use crate::{
    extract::{Body, Everything, List, Path},
    respond::{DONE, Done, Json, Listed},
};

/// Lists the members.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn list(org: Org<Member, scope::ReadOrgs>, List(_, window): List<Everything>, db: Data<Db>) -> Result<Listed<org::Member>> {
    let page = members::list(&db, &org.proof, &window).await?;
    Ok(Listed { page, window })
}

/// Gives a member another role. Only owners make and unmake owners.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `LAST_OWNER`.
pub async fn update(
    org: Org<Admin, scope::WriteOrgs>,
    Path(user): Path<UserId>,
    db: Data<Db>,
    Body(patch): Body<MemberPatch>,
) -> Result<Json<org::Member>> {
    members::update(&db, &org.actor, &org.proof, user, patch.role).await?.made("Member").map(Json)
}

/// Removes a member, or leaves. Only owners remove owners.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`, `LAST_OWNER`.
pub async fn delete(org: Org<Member, scope::WriteOrgs>, Path(user): Path<UserId>, db: Data<Db>) -> Result<Json<Done>> {
    members::delete(&db, &org.actor, &org.proof, user).await?.made("Member").map(|()| DONE)
}

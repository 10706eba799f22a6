//! Users, as others and administrators see and change them.

use actix_web::web::Data;
use auth::{Admin, MaybeSession, Passwords, Require, Settings, accounts};
use domain::{
    Error, Result, Role, UserId,
    user::{NewUser, User, UserPatch, UserView},
};
use persistence::{Db, Tx, users};

use crate::{
    conditional::IfMatch,
    extract::{Body, Everything, List, Path},
    once::{Answered, Once},
    respond::{Created, DONE, Done, Json, Listed, Resource},
};

/// Lists users; administrators see more of each.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn list(viewer: MaybeSession, List(_, window): List<Everything>, db: Data<Db>) -> Result<Listed<UserView>> {
    let page = users::list(&db, &window).await?;
    Ok(Listed { page: page.map(|user| user.seen_by(viewer.role())), window })
}

/// Shows a user.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn show(viewer: MaybeSession, Path(id): Path<UserId>, db: Data<Db>) -> Result<Resource<UserView>> {
    let user = users::find(&db, id).await?.ok_or_else(absent)?;
    Ok(Resource(user.seen_by(viewer.role())))
}

/// Makes an account for somebody.
///
/// # Errors
/// `EMAIL_TAKEN`, `VALIDATION_ERROR`.
pub async fn create(
    admin: Require<Admin>,
    db: Data<Db>,
    passwords: Data<Passwords>,
    settings: Data<Settings>,
    Body(new): Body<NewUser>,
    once: Once,
) -> Result<Answered<Created<User>>> {
    if let Some(answered) = once.before(&db).await? {
        return Ok(answered);
    }
    let account = accounts::prepare(&passwords, &settings, new).await?;
    let effect = async |tx: &mut Tx<'_>| Ok(users::insert(tx, &account).await?);
    once.run(&db, &admin.actor, effect, |user| Created { location: format!("/api/users/{}", user.id), body: user }).await
}

/// Changes a user's name or role, or bans them.
///
/// # Errors
/// `NOT_FOUND`, `LAST_ADMIN`.
pub async fn update(
    admin: Require<Admin>,
    Path(id): Path<UserId>,
    db: Data<Db>,
    if_match: IfMatch,
    Body(patch): Body<UserPatch>,
) -> Result<Resource<UserView>> {
    let fits = |user: &User| if_match.fits(&shown(user.clone()));
    let user = users::update(&db, &admin.actor, id, &patch, if_match.expected(&fits)).await?.made("User")?;
    Ok(Resource(shown(user)))
}

/// Deletes a user with their posts and sessions.
///
/// # Errors
/// `NOT_FOUND`, `LAST_ADMIN`, `LAST_OWNER`.
pub async fn delete(admin: Require<Admin>, Path(id): Path<UserId>, db: Data<Db>, if_match: IfMatch) -> Result<Json<Done>> {
    let fits = |user: &User| if_match.fits(&shown(user.clone()));
    users::delete(&db, &admin.actor, id, if_match.expected(&fits)).await?.made("User").map(|()| DONE)
}

/// An account as administrators see it.
fn shown(user: User) -> UserView {
    user.seen_by(Some(Role::Admin))
}

fn absent() -> Error {
    Error::not_found("User")
}

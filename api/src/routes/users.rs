//! Users, as others and administrators see and change them.

use actix_web::web::Data;
use auth::{Admin, MaybeSession, Passwords, Require, Settings, accounts};
use domain::{
    Error, Result, UserId,
    user::{NewUser, User, UserPatch, UserView},
};
use persistence::{Db, users};

use crate::{
    extract::{Body, Everything, List, Path},
    respond::{Created, DONE, Done, Json, Listed},
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
pub async fn show(viewer: MaybeSession, Path(id): Path<UserId>, db: Data<Db>) -> Result<Json<UserView>> {
    let user = users::find(&db, id).await?.ok_or_else(absent)?;
    Ok(Json(user.seen_by(viewer.role())))
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
) -> Result<Created<User>> {
    let user = accounts::create(&db, &admin.actor, &passwords, &settings, new).await?;
    Ok(Created { location: format!("/api/users/{}", user.id), body: user })
}

/// Changes a user's name or role, or bans them.
///
/// # Errors
/// `NOT_FOUND`, `LAST_ADMIN`.
pub async fn update(admin: Require<Admin>, Path(id): Path<UserId>, db: Data<Db>, Body(patch): Body<UserPatch>) -> Result<Json<User>> {
    users::update(&db, &admin.actor, id, &patch).await?.map(Json).ok_or_else(absent)
}

/// Deletes a user with their posts and sessions.
///
/// # Errors
/// `NOT_FOUND`, `LAST_ADMIN`, `LAST_OWNER`.
pub async fn delete(admin: Require<Admin>, Path(id): Path<UserId>, db: Data<Db>) -> Result<Json<Done>> {
    if users::delete(&db, &admin.actor, id).await? { Ok(DONE) } else { Err(absent()) }
}

fn absent() -> Error {
    Error::not_found("User")
}

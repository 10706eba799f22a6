//! The caller's own profile.

use actix_web::web::Data;
use auth::{Caller, scope};
use domain::{
    Error, Result,
    user::{Profile, ProfileUpdate},
};
use persistence::{Db, profiles};

use crate::{extract::Body, respond::Json};

/// Shows the caller's profile.
///
/// # Errors
/// `UNAUTHORIZED`.
pub async fn show(caller: Caller<scope::ReadProfile>, db: Data<Db>) -> Result<Json<Profile>> {
    profiles::find(&db, caller.user).await?.map(Json).ok_or_else(Error::unauthorized)
}

/// Changes the caller's profile; what is absent stays.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn update(caller: Caller<scope::WriteProfile>, db: Data<Db>, Body(update): Body<ProfileUpdate>) -> Result<Json<Profile>> {
    profiles::update(&db, caller.user, &update).await?.map(Json).ok_or_else(Error::unauthorized)
}

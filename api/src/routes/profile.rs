//! The caller's own profile.

use actix_web::web::Data;
use auth::Session;
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
pub async fn show(session: Session, db: Data<Db>) -> Result<Json<Profile>> {
    profiles::find(&db, session.user).await?.map(Json).ok_or_else(Error::unauthorized)
}

/// Changes the caller's profile; what is absent stays.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn update(session: Session, db: Data<Db>, Body(update): Body<ProfileUpdate>) -> Result<Json<Profile>> {
    profiles::update(&db, session.user, &update).await?.map(Json).ok_or_else(Error::unauthorized)
}

//! The caller's own profile.

use actix_web::web::Data;
use auth::{Caller, scope};
use domain::{
    Error, Result,
    user::{Profile, ProfileUpdate},
};
use persistence::{Change, Db, profiles};

use crate::{conditional::IfMatch, extract::Body, respond::Resource};

/// Shows the caller's profile.
///
/// # Errors
/// `UNAUTHORIZED`.
pub async fn show(caller: Caller<scope::ReadProfile>, db: Data<Db>) -> Result<Resource<Profile>> {
    profiles::find(&db, caller.user).await?.map(Resource).ok_or_else(Error::unauthorized)
}

/// Changes the caller's profile; what is absent stays.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn update(
    caller: Caller<scope::WriteProfile>,
    db: Data<Db>,
    if_match: IfMatch,
    Body(update): Body<ProfileUpdate>,
) -> Result<Resource<Profile>> {
    let fits = |profile: &Profile| if_match.fits(profile);
    match profiles::update(&db, caller.user, &update, if_match.expected(&fits)).await? {
        Change::Absent => Err(Error::unauthorized()),
        change => change.made("Profile").map(Resource),
    }
}

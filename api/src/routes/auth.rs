//! Accounts and sessions of the caller.

use actix_web::web::Data;
use auth::{
    Limiter, Passwords, Session, Settings, Throttle,
    accounts::{self, Client, Joining},
    cookie, limits,
};
use domain::{
    Error, Result, SessionId,
    session::SignedIn,
    user::{Credentials, PasswordChange, Registration},
};
use persistence::{Db, sessions};

use crate::{
    extract::{Body, Path},
    once::{Answered, Once},
    respond::{Created, DONE, Done, Json, WithCookie},
};

/// Makes an account and signs it in.
///
/// # Errors
/// `EMAIL_TAKEN`, `VALIDATION_ERROR`.
pub async fn register(
    _: Throttle<limits::Register>,
    db: Data<Db>,
    passwords: Data<Passwords>,
    settings: Data<Settings>,
    client: Client,
    Body(new): Body<Registration>,
    once: Once,
) -> Result<Answered<WithCookie<Created<SignedIn>>>> {
    if let Some(answered) = once.before(&db).await? {
        return Ok(answered);
    }
    let joining = Joining::prepare(&passwords, &settings, new).await?;
    once.run(
        &db,
        client.actor(),
        async |tx| joining.join(tx, &settings, &client).await,
        |signed_in| {
            let cookie = cookie::issue(&settings, &signed_in.token);
            let location = format!("/api/users/{}", signed_in.user.id);
            WithCookie(Created { location, body: signed_in }, cookie)
        },
    )
    .await
}

/// Signs in. The session the request came with, if any, ends.
///
/// # Errors
/// `UNAUTHORIZED`.
pub async fn login(
    _: Throttle<limits::Login>,
    db: Data<Db>,
    passwords: Data<Passwords>,
    settings: Data<Settings>,
    limiter: Data<Limiter>,
    client: Client,
    Body(credentials): Body<Credentials>,
) -> Result<WithCookie<Json<SignedIn>>> {
    let signed_in = accounts::login(&db, &passwords, &settings, &limiter, &credentials, client).await?;
    let cookie = cookie::issue(&settings, &signed_in.token);
    Ok(WithCookie(Json(signed_in), cookie))
}

/// Signs out: the session is gone, not only the cookie.
///
/// # Errors
/// `UNAUTHORIZED`.
pub async fn logout(session: Session, db: Data<Db>, settings: Data<Settings>) -> Result<WithCookie<Json<Done>>> {
    sessions::end(&db, session.user, session.id).await?;
    Ok(WithCookie(DONE, cookie::clear(&settings)))
}

/// Lists the caller's sessions.
///
/// # Errors
/// `UNAUTHORIZED`.
pub async fn list(session: Session, db: Data<Db>) -> Result<Json<Vec<domain::session::Session>>> {
    Ok(Json(sessions::list(&db, session.user, session.id).await?))
}

/// Ends one of the caller's sessions.
///
/// # Errors
/// `NOT_FOUND`, also for somebody else's.
pub async fn delete(session: Session, Path(id): Path<SessionId>, db: Data<Db>) -> Result<Json<Done>> {
    if sessions::end(&db, session.user, id).await? { Ok(DONE) } else { Err(Error::not_found("Session")) }
}

/// Ends all of the caller's sessions but this one.
///
/// # Errors
/// `UNAUTHORIZED`.
pub async fn delete_others(session: Session, db: Data<Db>) -> Result<Json<Done>> {
    sessions::end_others(&db, session.user, session.id).await?;
    Ok(DONE)
}

/// Changes the caller's password and ends all their other sessions.
///
/// # Errors
/// `VALIDATION_ERROR`, `RATE_LIMITED`.
pub async fn change_password(
    session: Session,
    db: Data<Db>,
    passwords: Data<Passwords>,
    limiter: Data<Limiter>,
    Body(change): Body<PasswordChange>,
) -> Result<Json<Done>> {
    accounts::change_password(&db, &passwords, &limiter, &session, &change).await?;
    Ok(DONE)
}

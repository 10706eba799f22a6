//! What goes by mail: verifying an address, and setting a password in place of a forgotten one.

use actix_web::{HttpRequest, web::Data};
use auth::{Limiter, Passwords, Session, Settings, Throttle, limits, recovery};
use domain::{
    Result,
    recovery::{EmailVerification, ForgottenPassword, PasswordReset},
};
use persistence::Db;

use crate::{
    extract::Body,
    respond::{DONE, Done, Json},
};

/// Has a link mailed to set a password. The answer is the same whether the address has an account or not.
///
/// # Errors
/// `NOT_CONFIGURED`.
pub async fn forgot(
    _: Throttle<limits::Forgot>,
    db: Data<Db>,
    settings: Data<Settings>,
    limiter: Data<Limiter>,
    Body(given): Body<ForgottenPassword>,
) -> Result<Json<Done>> {
    recovery::forgot(&db, &settings, &limiter, &given).await?;
    Ok(DONE)
}

/// Sets a password by a mailed token. All sessions of the account end; the next step is to log in.
///
/// # Errors
/// `INVALID_TOKEN`, `VALIDATION_ERROR`.
pub async fn reset(
    _: Throttle<limits::MailedToken>,
    db: Data<Db>,
    passwords: Data<Passwords>,
    limiter: Data<Limiter>,
    request: HttpRequest,
    Body(given): Body<PasswordReset>,
) -> Result<Json<Done>> {
    recovery::reset(&db, &passwords, &limiter, &request, &given).await?;
    Ok(DONE)
}

/// Has a link mailed to the caller to verify their address; an earlier one ends.
///
/// # Errors
/// `CONFLICT` when it is verified already, `RATE_LIMITED`, `NOT_CONFIGURED`.
pub async fn ask_to_verify(session: Session, db: Data<Db>, settings: Data<Settings>, limiter: Data<Limiter>) -> Result<Json<Done>> {
    recovery::ask_to_verify(&db, &settings, &limiter, &session).await?;
    Ok(DONE)
}

/// Verifies an address by a mailed token.
///
/// # Errors
/// `INVALID_TOKEN`.
pub async fn verify(
    _: Throttle<limits::MailedToken>,
    db: Data<Db>,
    limiter: Data<Limiter>,
    request: HttpRequest,
    Body(given): Body<EmailVerification>,
) -> Result<Json<Done>> {
    recovery::verify(&db, &limiter, &request, &given).await?;
    Ok(DONE)
}

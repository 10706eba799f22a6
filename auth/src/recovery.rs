//! What goes by mail: proving that an address is one's own, and setting a password in place of a forgotten one.

use actix_web::HttpRequest;
use domain::{
    Code, Error, Result,
    audit::Actor,
    recovery::{EmailVerification, ForgottenPassword, PasswordReset},
};
use persistence::{
    Db,
    account_mails::{self, Holder, Purpose},
    users,
};

use crate::{Limiter, MailedTokens, Passwords, Session, Settings, Token, identity};

/// Has a link mailed to the account of this address, if there is one that is not banned. What this does and answers does not depend on
/// that: the same statements write the same row, and whoever sends the mail looks. Beyond the limit of the address nothing is done, which
/// is not told either.
///
/// # Errors
/// `NOT_CONFIGURED`, `UNAVAILABLE`.
pub async fn forgot(db: &Db, settings: &Settings, limiter: &Limiter, given: &ForgottenPassword) -> Result<()> {
    let lifetime = mailed(settings)?.reset;
    match limiter.admit_mail(db, Purpose::ResetPassword.as_str(), &given.email).await {
        Ok(()) => Ok(account_mails::ask(db, Purpose::ResetPassword, &given.email, lifetime).await?),
        Err(refusal) if refusal.code() == Code::RateLimited => Ok(()),
        Err(error) => Err(error),
    }
}

/// Sets a password by a mailed token and ends all sessions of the account. The password is looked at only when the token is worth something.
///
/// # Errors
/// `INVALID_TOKEN`, `VALIDATION_ERROR` for a password that is too easy (the token can be used again), `RATE_LIMITED`, `UNAVAILABLE`.
pub async fn reset(db: &Db, passwords: &Passwords, limiter: &Limiter, request: &HttpRequest, given: &PasswordReset) -> Result<()> {
    let (token, holder) = open(db, limiter, request, Purpose::ResetPassword, &given.token).await?;
    let hash = passwords.hash("password", &given.password, &[&holder.email, &holder.name]).await?;
    let actor = Actor { user: Some(holder.user), ..identity::actor(request, None) };
    if account_mails::reset(db, &actor, holder.user, &token.hash(), &hash).await? { Ok(()) } else { Err(worthless()) }
}

/// Has a link mailed to the caller by which they prove that their address is theirs.
///
/// # Errors
/// `NOT_CONFIGURED`, `CONFLICT` when they have, `RATE_LIMITED`, `UNAVAILABLE`.
pub async fn ask_to_verify(db: &Db, settings: &Settings, limiter: &Limiter, session: &Session) -> Result<()> {
    let lifetime = mailed(settings)?.verification;
    let user = users::find(db, session.user).await?.ok_or_else(Error::unauthorized)?;
    if user.email_verified {
        return Err(Error::new(Code::Conflict, "This address is verified already"));
    }
    limiter.admit_mail(db, Purpose::VerifyEmail.as_str(), &user.email).await?;
    Ok(account_mails::ask(db, Purpose::VerifyEmail, &user.email, lifetime).await?)
}

/// Verifies an address by a mailed token. It takes no session: the link may be opened elsewhere.
///
/// # Errors
/// `INVALID_TOKEN`, `RATE_LIMITED`, `UNAVAILABLE`.
pub async fn verify(db: &Db, limiter: &Limiter, request: &HttpRequest, given: &EmailVerification) -> Result<()> {
    let (token, holder) = open(db, limiter, request, Purpose::VerifyEmail, &given.token).await?;
    let actor = Actor { user: Some(holder.user), ..identity::actor(request, None) };
    if account_mails::verify(db, &actor, holder.user, &token.hash()).await? { Ok(()) } else { Err(worthless()) }
}

fn mailed(settings: &Settings) -> Result<MailedTokens> {
    settings.mailed.ok_or_else(|| Error::new(Code::NotConfigured, "Mail is not configured"))
}

/// Whose a token is. Worthless ones count like other worthless credentials.
async fn open(db: &Db, limiter: &Limiter, request: &HttpRequest, purpose: Purpose, text: &str) -> Result<(Token, Holder)> {
    let token = Token::parse(text).ok_or_else(worthless)?;
    limiter.admit_credentials(request)?;
    if let Some(holder) = account_mails::holder(db, purpose, &token.hash()).await? {
        return Ok((token, holder));
    }
    limiter.count_bad_credentials(db, request).await?;
    Err(worthless())
}

fn worthless() -> Error {
    Error::new(Code::InvalidToken, "This link does not work: it was used, replaced by a newer one, or has expired")
}

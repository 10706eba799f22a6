//! The extractors that say who is calling. A handler that takes one cannot run without it.

use std::{future::Future, marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::Data};
use domain::{Error, Result, Role, SessionId, UserId};
use persistence::{Db, sessions};

use crate::{Limiter, Settings, Subject, Token, cookie, csrf};

/// A signed-in caller.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// The caller.
    pub user: UserId,
    /// What they may do, as of this request.
    pub role: Role,
}

/// A caller who may be signed in.
#[derive(Debug, Clone, Copy)]
pub struct MaybeSession(pub Option<Session>);

impl MaybeSession {
    /// The caller's role; `None` is anonymous.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.0.map(|session| session.role)
    }
}

/// A signed-in caller whose role passes a rule.
#[derive(Debug, Clone, Copy)]
pub struct Require<R> {
    /// The caller.
    pub session: Session,
    rule: PhantomData<R>,
}

/// What a role must be.
pub trait Rule: 'static {
    /// Whether this role passes.
    fn allows(role: Role) -> bool;
    /// The rule, for the documentation.
    const NAME: &'static str;
}

/// Administrators only.
#[derive(Debug, Clone, Copy)]
pub struct Admin;

impl Rule for Admin {
    const NAME: &'static str = "admin";

    fn allows(role: Role) -> bool {
        role == Role::Admin
    }
}

type Found<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

impl FromRequest for MaybeSession {
    type Error = Error;
    type Future = Found<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { find(&request).await.map(Self) })
    }
}

impl FromRequest for Session {
    type Error = Error;
    type Future = Found<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { find(&request).await?.ok_or_else(Error::unauthorized) })
    }
}

impl<R: Rule> FromRequest for Require<R> {
    type Error = Error;
    type Future = Found<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let session = find(&request).await?.ok_or_else(Error::unauthorized)?;
            if R::allows(session.role) { Ok(Self { session, rule: PhantomData }) } else { Err(Error::forbidden()) }
        })
    }
}

/// The caller's session. `None` without credentials, or with a cookie that is worth nothing any more; a bearer token that is worth
/// nothing is an error, as somebody sent it on purpose.
async fn find(request: &HttpRequest) -> Result<Option<Session>> {
    let (Some(db), Some(settings)) = (request.app_data::<Data<Db>>(), request.app_data::<Data<Settings>>()) else {
        return Err(Error::internal("the session extractor has no database or settings"));
    };
    let Some(limiter) = request.app_data::<Data<Limiter>>() else { return Err(Error::internal("the session extractor has no limiter")) };
    let (token, explicit) = match bearer(request) {
        Some(text) => (Token::parse(text).ok_or_else(Error::unauthorized)?, true),
        None => match cookie::token(request, settings) {
            Some(token) => (token, false),
            None => return Ok(None),
        },
    };
    if !explicit && !csrf::is_trusted(request, &settings.origins) {
        return Err(Error::forbidden());
    }
    limiter.admit_credentials(request)?;
    let Some(live) = sessions::find(db, &token.hash(), settings.lifetime).await? else {
        limiter.count_bad_credentials(db, request).await?;
        return if explicit { Err(Error::unauthorized()) } else { Ok(None) };
    };
    request.extensions_mut().insert(live.user);
    limiter.admit(db, request, Subject::Account(live.user)).await?;
    if live.stale
        && let Err(error) = sessions::renew(db, live.id, settings.lifetime).await
    {
        log::warn!("a session could not be renewed, the next request will try again: {error}");
    }
    Ok(Some(Session { id: live.id, user: live.user, role: live.role }))
}

/// The token text of an `Authorization: Bearer` header. Other schemes are not ours and count as absent.
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| std::str::from_utf8(token).unwrap_or_default().trim())
}

//! The extractors that say who is calling. A handler that takes one cannot run without it.

use std::{future::Future, marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use domain::{Code, Error, Result, Role, SessionId, UserId, api_key::Scope, audit::Actor};

use crate::{
    Settings,
    identity::{self, Identity, Via, identify},
    scope::{self, Needs},
};

/// Somebody signed in by a session. API keys do not pass.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// The caller.
    pub user: UserId,
    /// What they may do, as of this request.
    pub role: Role,
    /// The caller, for what they change.
    pub actor: Actor,
}

/// Somebody signed in, or a personal API key with a scope that acts for them.
#[derive(Debug, Clone, Copy)]
pub struct Caller<S> {
    /// The caller.
    pub user: UserId,
    /// What they may do, as of this request.
    pub role: Role,
    /// The caller, for what they change.
    pub actor: Actor,
    scope: PhantomData<S>,
}

/// The caller proved that their address is theirs, where that is asked for. Stands after the argument that says who calls.
#[derive(Debug, Clone, Copy)]
pub struct Verified;

/// A caller who may be signed in, for whom it is enough to look.
#[derive(Debug, Clone, Copy)]
pub struct MaybeSession(Option<Identity>);

impl MaybeSession {
    /// The caller's role; `None` is anonymous. An API key sees what administrators see only with the scope to.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.0.map(|identity| match identity.via {
            Via::Key { scopes, .. } if !scopes.contains(Scope::Admin) => Role::User,
            _ => identity.role,
        })
    }
}

/// A signed-in caller whose role passes a rule; API keys need the scope `admin` as well.
#[derive(Debug, Clone, Copy)]
pub struct Require<R> {
    /// The caller.
    pub user: UserId,
    /// The caller, for what they change.
    pub actor: Actor,
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

pub(crate) type Extracted<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// The caller, who must be signed in.
pub(crate) async fn present(request: &HttpRequest) -> Result<Identity> {
    identify(request).await?.ok_or_else(Error::unauthorized)
}

impl FromRequest for MaybeSession {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { identify(&request).await.map(Self) })
    }
}

impl FromRequest for Session {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let identity = present(&request).await?;
            match identity.via {
                Via::Session(id) => {
                    Ok(Self { id, user: identity.user, role: identity.role, actor: identity::actor(&request, Some(&identity)) })
                }
                Via::Key { .. } => Err(Error::forbidden()),
            }
        })
    }
}

impl<S: Needs> FromRequest for Caller<S> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let identity = present(&request).await?;
            scope::admit::<S>(&identity, None)?;
            let actor = identity::actor(&request, Some(&identity));
            Ok(Self { user: identity.user, role: identity.role, actor, scope: PhantomData })
        })
    }
}

impl FromRequest for Verified {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let asked = request.app_data::<Data<Settings>>().is_none_or(|settings| settings.require_verified);
            if present(&request).await?.verified || !asked {
                return Ok(Self);
            }
            Err(Error::new(Code::EmailNotVerified, "Verify your email address first"))
        })
    }
}

impl<R: Rule> FromRequest for Require<R> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let identity = present(&request).await?;
            scope::admit::<scope::Admin>(&identity, None)?;
            if !R::allows(identity.role) {
                return Err(Error::forbidden());
            }
            Ok(Self { user: identity.user, actor: identity::actor(&request, Some(&identity)), rule: PhantomData })
        })
    }
}

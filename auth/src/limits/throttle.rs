//! Strict limits as handlers' arguments.

use std::{future::Future, marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web::Data};
use domain::{Error, Result, UserId};
use persistence::Db;

use super::{Limiter, Rule, headers::keep};

/// A strict limit, as a handler's argument: those it refuses get no further. One by address comes first, so that nothing is looked up for
/// them; one by caller comes right after the session that says who that is.
pub struct Throttle<P>(PhantomData<P>);

/// Which limit.
pub trait Policy: 'static {
    /// Whose requests it counts.
    const BY: By;
    /// The limit; `None` when there is none.
    fn rule(limiter: &Limiter) -> Option<&Rule>;
}

/// Whose requests a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Those from one address; for IPv6 from one /64.
    Address,
    /// Those of one account.
    Caller,
}

/// Log-ins.
pub struct Login;

impl Policy for Login {
    const BY: By = By::Address;

    fn rule(limiter: &Limiter) -> Option<&Rule> {
        limiter.login.as_ref()
    }
}

/// Registrations.
pub struct Register;

impl Policy for Register {
    const BY: By = By::Address;

    fn rule(limiter: &Limiter) -> Option<&Rule> {
        limiter.register.as_ref()
    }
}

/// Forgotten passwords.
pub struct Forgot;

impl Policy for Forgot {
    const BY: By = By::Address;

    fn rule(limiter: &Limiter) -> Option<&Rule> {
        limiter.forgot.as_ref()
    }
}

/// Uses of mailed tokens.
pub struct MailedToken;

impl Policy for MailedToken {
    const BY: By = By::Address;

    fn rule(limiter: &Limiter) -> Option<&Rule> {
        limiter.mailed_token.as_ref()
    }
}

/// Invitations, and sending them again.
pub struct Invitations;

impl Policy for Invitations {
    const BY: By = By::Caller;

    fn rule(limiter: &Limiter) -> Option<&Rule> {
        limiter.invitations.as_ref()
    }
}

/// Questions to the model.
pub struct Chat;

impl Policy for Chat {
    const BY: By = By::Caller;

    fn rule(limiter: &Limiter) -> Option<&Rule> {
        limiter.chat.as_ref()
    }
}

impl<P: Policy> FromRequest for Throttle<P> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (Some(db), Some(limiter)) = (request.app_data::<Data<Db>>(), request.app_data::<Data<Limiter>>()) else {
                return Err(Error::internal("the throttle has no database or limiter"));
            };
            let subject = match P::BY {
                By::Address => limiter.household(&request).map(|address| address.to_string()),
                By::Caller => {
                    let caller = request.extensions().get::<UserId>().copied();
                    Some(caller.ok_or_else(|| Error::internal("a limit by caller stands before the session"))?.to_string())
                }
            };
            let (Some(rule), Some(subject)) = (P::rule(limiter), subject) else { return Ok(Self(PhantomData)) };
            let verdict = limiter.take(db, rule, &subject).await?;
            keep(&request, rule, verdict).map(|()| Self(PhantomData))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use actix_web::test::TestRequest;
    use domain::Code;
    use persistence::{Connector, Sizes, Timeouts, rate_limits::Quota};

    use super::*;
    use crate::{Quotas, Subject};

    /// A request to a server whose database is nowhere.
    fn request(quotas: &Quotas) -> HttpRequest {
        let second = Duration::from_secs(1);
        let timeouts = Timeouts { connect: second, statement: second, lock: second };
        let connector = Connector::new("postgres://nobody@127.0.0.1:1/nothing", timeouts).unwrap();
        let db = Db::new(Arc::new(connector), Sizes { pool: 2, pipelines: 1, pool_wait: second, read: second }, Arc::default());
        let peer = "192.0.2.1:1".parse().unwrap();
        let request = TestRequest::get().peer_addr(peer).app_data(Data::new(db));
        request.app_data(Data::new(Limiter::new(quotas, Vec::new()))).to_http_request()
    }

    async fn code<P: Policy>(request: &HttpRequest) -> Option<Code> {
        Throttle::<P>::extract(request).await.err().map(|error| error.code())
    }

    #[actix_web::test]
    async fn a_limit_by_caller_wants_to_know_who_that_is() {
        let without = request(&Quotas::default());
        assert_eq!(code::<Invitations>(&without).await, Some(Code::InternalError));
        without.extensions_mut().insert(UserId::new());
        assert_eq!(code::<Invitations>(&without).await, None);
    }

    #[actix_web::test]
    async fn without_the_database_strict_limits_refuse_and_general_ones_admit() {
        let quota = Some(Quota { count: 1, window: Duration::from_secs(60) });
        let request = request(&Quotas { invitations: quota, login: quota, key: quota, ..Quotas::default() });
        request.extensions_mut().insert(UserId::new());
        assert_eq!(code::<Invitations>(&request).await, Some(Code::Unavailable));
        assert_eq!(code::<Login>(&request).await, Some(Code::Unavailable));
        let (db, limiter) = (request.app_data::<Data<Db>>().unwrap(), request.app_data::<Data<Limiter>>().unwrap());
        for _ in 0..5 {
            limiter.admit(db, &request, Subject::Key(uuid::Uuid::nil())).await.unwrap();
        }
    }
}

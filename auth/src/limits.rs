//! Rate limits: the database counts, so that they hold over all replicas; who was refused is remembered here, so that a flood costs nothing.

use std::{
    collections::HashMap,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header::HeaderValue, web::Data};
use domain::{Error, Result};
use ipnet::IpNet;
use persistence::{
    Db,
    rate_limits::{self, Key, Quota, Taken},
};
use sha2::{Digest, Sha256};

use crate::address;

/// How many refusals are remembered; beyond it the database is asked again.
const REMEMBERED_MAX: usize = 100_000;

/// What is limited, and who was refused lately. Shared by all workers.
pub struct Limiter {
    /// Log-ins from one address.
    pub login: Option<Quota>,
    /// Failed log-ins to one account.
    pub login_account: Option<Quota>,
    /// Registrations from one address.
    pub register: Option<Quota>,
    /// The proxies that are believed.
    pub trusted_proxies: Vec<IpNet>,
    refused: Mutex<HashMap<Key, Instant>>,
}

impl Limiter {
    /// A limiter that has refused nobody yet.
    #[must_use]
    pub fn new(login: Option<Quota>, login_account: Option<Quota>, register: Option<Quota>, trusted_proxies: Vec<IpNet>) -> Self {
        Self { login, login_account, register, trusted_proxies, refused: Mutex::default() }
    }

    /// How much longer a refusal lasts, as far as it is remembered.
    fn still_refused(&self, key: &Key) -> Option<Duration> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(key).map(|until| until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    fn remember(&self, key: Key, wait: Duration) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= REMEMBERED_MAX {
            let now = Instant::now();
            refused.retain(|_, until| *until > now);
        }
        if refused.len() < REMEMBERED_MAX {
            refused.insert(key, Instant::now() + wait);
        }
    }

    /// Takes one of a quota.
    async fn take(&self, db: &Db, key: Key, quota: Quota) -> Result<Taken> {
        if let Some(retry_after) = self.still_refused(&key) {
            return Ok(Taken::Refused { retry_after });
        }
        let taken = rate_limits::take(db, &key, quota).await?;
        if let Taken::Refused { retry_after } = taken {
            self.remember(key, retry_after);
        }
        Ok(taken)
    }

    /// Refuses when too many log-ins to this account have failed. Takes nothing: the right password costs nothing.
    ///
    /// # Errors
    /// `RATE_LIMITED`, `UNAVAILABLE`.
    pub(crate) async fn admit_account(&self, db: &Db, email: &str) -> Result<()> {
        let Some(quota) = self.login_account else { return Ok(()) };
        let key = account_key(email);
        if let Some(wait) = self.still_refused(&key) {
            return Err(Error::rate_limited(seconds(wait)));
        }
        let Some(wait) = rate_limits::wait(db, &key, quota).await? else { return Ok(()) };
        self.remember(key, wait);
        Err(Error::rate_limited(seconds(wait)))
    }

    /// Counts a failed log-in to this account.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub(crate) async fn count_failure(&self, db: &Db, email: &str) -> Result<()> {
        let Some(quota) = self.login_account else { return Ok(()) };
        self.take(db, account_key(email), quota).await.map(drop)
    }
}

/// A limit by address, as a handler's argument. It comes first: nothing is looked up for those it refuses.
pub struct Throttle<P>(PhantomData<P>);

/// Which limit.
pub trait Policy: 'static {
    /// Its name in the headers.
    const NAME: &'static str;
    /// How much it allows.
    fn quota(limiter: &Limiter) -> Option<Quota>;
}

/// Log-ins.
pub struct Login;

impl Policy for Login {
    const NAME: &'static str = "login";

    fn quota(limiter: &Limiter) -> Option<Quota> {
        limiter.login
    }
}

/// Registrations.
pub struct Register;

impl Policy for Register {
    const NAME: &'static str = "register";

    fn quota(limiter: &Limiter) -> Option<Quota> {
        limiter.register
    }
}

/// The values of `RateLimit` and `RateLimit-Policy`, kept with the request until there is an answer to put them on.
#[derive(Clone)]
pub struct RateHeaders {
    /// What is left.
    pub limit: HeaderValue,
    /// The rule.
    pub policy: HeaderValue,
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
            let (Some(quota), Some(client)) = (P::quota(limiter), address::of_client(&request, &limiter.trusted_proxies)) else {
                return Ok(Self(PhantomData));
            };
            let key = key(P::NAME, &address::household(client).to_string());
            let taken = limiter.take(db, key, quota).await?;
            let (remaining, reset) = match taken {
                Taken::Admitted { remaining, reset } => (remaining, reset),
                Taken::Refused { retry_after } => (0, retry_after),
            };
            if let Some(headers) = headers(P::NAME, quota, remaining, reset) {
                request.extensions_mut().insert(headers);
            }
            match taken {
                Taken::Admitted { .. } => Ok(Self(PhantomData)),
                Taken::Refused { retry_after } => Err(Error::rate_limited(seconds(retry_after))),
            }
        })
    }
}

/// The headers of draft-ietf-httpapi-ratelimit-headers-10.
fn headers(name: &str, quota: Quota, remaining: u32, reset: Duration) -> Option<RateHeaders> {
    let limit = format!("\"{name}\";r={remaining};t={}", seconds(reset));
    let policy = format!("\"{name}\";q={};w={}", quota.count, quota.window.as_secs());
    Some(RateHeaders { limit: HeaderValue::from_str(&limit).ok()?, policy: HeaderValue::from_str(&policy).ok()? })
}

fn account_key(email: &str) -> Key {
    key("login-account", &email.to_lowercase())
}

fn key(policy: &str, subject: &str) -> Key {
    Sha256::new().chain_update(policy).chain_update([0]).chain_update(subject).finalize().into()
}

/// Whole seconds, rounded up: one who waits that long is let in.
fn seconds(length: Duration) -> u64 {
    length.as_secs() + u64::from(length.subsec_nanos() > 0)
}

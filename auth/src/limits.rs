//! Rate limits: the database counts, so that they hold over all replicas; what it said is remembered here, so that most requests and
//! every flood cost no query.
//!
//! *General* limits (by address, account and API key) are asked of nearly every request. They are served from [`leases`] and let everybody
//! in while the database does not answer. *Strict* ones (log-ins, registrations, invitations, questions to the model, worthless credentials) ask the database each
//! time, and nothing happens without its answer.

mod headers;
mod kept;
mod lease;
mod leases;
mod rule;
mod throttle;
mod trouble;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, web::Data};
use domain::{Error, Result, UserId};
use ipnet::IpNet;
use persistence::{
    Db,
    rate_limits::{self, Ask, Key, Quota},
};
use uuid::Uuid;

use crate::address;
pub use headers::RateHeaders;
use headers::keep;
use kept::Kept;
use leases::Leases;
pub use rule::Rule;
use rule::{Rank, Verdict, key};
pub use throttle::{By, Chat, Forgot, Invitations, Login, MailedToken, Policy, Register, Throttle};

/// How many refusals of strict limits are remembered; beyond it the database is asked again.
const REFUSALS_MAX: usize = 100_000;

/// How much is allowed; absent is unlimited.
#[derive(Debug, Clone, Default)]
pub struct Quotas {
    /// Log-ins from one address.
    pub login: Option<Quota>,
    /// Failed log-ins to one account.
    pub login_account: Option<Quota>,
    /// Registrations from one address.
    pub register: Option<Quota>,
    /// Invitations by one account, and sending them again.
    pub invitations: Option<Quota>,
    /// Questions to the model by one account.
    pub chat: Option<Quota>,
    /// Credentials from one address that turned out worthless.
    pub bad_credentials: Option<Quota>,
    /// Forgotten passwords from one address.
    pub forgot: Option<Quota>,
    /// Uses of mailed tokens from one address.
    pub mailed_token: Option<Quota>,
    /// Mails of one kind to one address.
    pub recipient: Option<Quota>,
    /// All requests from one address.
    pub address: Option<Quota>,
    /// All requests of one account.
    pub account: Option<Quota>,
    /// All requests with one API key.
    pub key: Option<Quota>,
}

/// Whose requests a general limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An address; for IPv6 the first one of its /64.
    Address(IpAddr),
    /// An account.
    Account(UserId),
    /// An API key, by its id.
    Key(Uuid),
}

/// What is limited, and what the database said lately. Shared by all workers.
pub struct Limiter {
    login: Option<Rule>,
    login_account: Option<Rule>,
    register: Option<Rule>,
    invitations: Option<Rule>,
    chat: Option<Rule>,
    bad_credentials: Option<Rule>,
    forgot: Option<Rule>,
    mailed_token: Option<Rule>,
    recipient: Option<Rule>,
    address: Option<Rule>,
    account: Option<Rule>,
    key: Option<Rule>,
    trusted_proxies: Vec<IpNet>,
    refused: Mutex<Kept<Key, Instant>>,
    /// Apart from the rest, as it is looked at for every request with credentials: by the address itself, which needs no hashing.
    distrusted: Mutex<Kept<IpAddr, Instant>>,
    leases: Arc<Leases>,
}

impl Limiter {
    /// A limiter that has refused nobody yet and believes these proxies.
    #[must_use]
    pub fn new(quotas: &Quotas, trusted_proxies: Vec<IpNet>) -> Self {
        let rule = |name, rank, quota: Option<Quota>| quota.map(|quota| Rule::new(name, rank, quota));
        Self {
            login: rule("login", Rank::Strict, quotas.login),
            login_account: rule("login-account", Rank::Strict, quotas.login_account),
            register: rule("register", Rank::Strict, quotas.register),
            invitations: rule("invitations", Rank::Strict, quotas.invitations),
            chat: rule("chat", Rank::Strict, quotas.chat),
            bad_credentials: rule("credentials", Rank::Strict, quotas.bad_credentials),
            forgot: rule("forgot", Rank::Strict, quotas.forgot),
            mailed_token: rule("mailed-token", Rank::Strict, quotas.mailed_token),
            recipient: rule("recipient", Rank::Strict, quotas.recipient),
            address: rule("address", Rank::Address, quotas.address),
            account: rule("account", Rank::Caller, quotas.account),
            key: rule("key", Rank::Caller, quotas.key),
            trusted_proxies,
            refused: Mutex::new(Kept::new(REFUSALS_MAX)),
            distrusted: Mutex::new(Kept::new(REFUSALS_MAX)),
            leases: Arc::default(),
        }
    }

    /// Counts a request against the limit of the address it comes from; counts nothing when that cannot be told.
    ///
    /// # Errors
    /// `RATE_LIMITED`; never because of the database.
    pub async fn admit_address(&self, db: &Data<Db>, request: &HttpRequest) -> Result<()> {
        if self.address.is_none() {
            return Ok(());
        }
        let Some(household) = self.household(request) else { return Ok(()) };
        self.admit(db, request, Subject::Address(household)).await
    }

    /// Counts a request against a general limit, and keeps the headers for its answer. Waits for the database only when what is known of
    /// the subject is used up, and then for a second at most: it is let in when there is no answer.
    ///
    /// # Errors
    /// `RATE_LIMITED`; never because of the database.
    pub async fn admit(&self, db: &Data<Db>, request: &HttpRequest, subject: Subject) -> Result<()> {
        let rule = match subject {
            Subject::Address(_) => &self.address,
            Subject::Account(_) => &self.account,
            Subject::Key(_) => &self.key,
        };
        let Some(rule) = rule else { return Ok(()) };
        match self.leases.admit(db, subject, rule).await {
            Some(verdict) => keep(request, rule, verdict),
            None => Ok(()),
        }
    }

    /// Refuses credentials, before they are looked up, from an address that sent too many worthless ones. Takes nothing and asks nobody.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn admit_credentials(&self, request: &HttpRequest) -> Result<()> {
        let Some(rule) = &self.bad_credentials else { return Ok(()) };
        let Some(household) = self.household(request) else { return Ok(()) };
        let Some(wait) = remembered(&self.distrusted, &household) else { return Ok(()) };
        keep(request, rule, Verdict::Refused(wait))
    }

    /// Counts credentials that turned out worthless.
    ///
    /// # Errors
    /// `RATE_LIMITED` when they are too many by now, `UNAVAILABLE`.
    pub async fn count_bad_credentials(&self, db: &Db, request: &HttpRequest) -> Result<()> {
        let Some(rule) = &self.bad_credentials else { return Ok(()) };
        let Some(household) = self.household(request) else { return Ok(()) };
        let taken = rate_limits::take(db, &key(rule.name, &household.to_string()), rule.quota, Ask::ONE).await?;
        match rule.verdict(taken) {
            Verdict::Admitted(_) => Ok(()),
            Verdict::Refused(wait) => {
                remember(&self.distrusted, household, wait);
                keep(request, rule, Verdict::Refused(wait))
            }
        }
    }

    /// Refuses when too many log-ins to this account have failed. Takes nothing: the right password costs nothing.
    ///
    /// # Errors
    /// `RATE_LIMITED`, `UNAVAILABLE`.
    pub(crate) async fn admit_account(&self, db: &Db, email: &str) -> Result<()> {
        let Some(rule) = &self.login_account else { return Ok(()) };
        let key = key(rule.name, &email.to_lowercase());
        if let Some(wait) = remembered(&self.refused, &key) {
            return Err(Error::rate_limited(seconds(wait)));
        }
        let wait = rule.wait(rate_limits::ahead(db, &key).await?);
        if wait.is_zero() {
            return Ok(());
        }
        remember(&self.refused, key, wait);
        Err(Error::rate_limited(seconds(wait)))
    }

    /// Counts a failed log-in to this account.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub(crate) async fn count_failure(&self, db: &Db, email: &str) -> Result<()> {
        let Some(rule) = &self.login_account else { return Ok(()) };
        self.take(db, rule, &email.to_lowercase()).await.map(drop)
    }

    /// Counts a mail of this kind to an address, whoever asked for it.
    ///
    /// # Errors
    /// `RATE_LIMITED`, `UNAVAILABLE`.
    pub(crate) async fn admit_mail(&self, db: &Db, kind: &str, email: &str) -> Result<()> {
        let Some(rule) = &self.recipient else { return Ok(()) };
        match self.take(db, rule, &format!("{kind} {}", email.to_lowercase())).await? {
            Verdict::Admitted(_) => Ok(()),
            Verdict::Refused(wait) => Err(Error::rate_limited(seconds(wait))),
        }
    }

    /// Takes one of a strict limit.
    async fn take(&self, db: &Db, rule: &Rule, subject: &str) -> Result<Verdict> {
        let key = key(rule.name, subject);
        if let Some(wait) = remembered(&self.refused, &key) {
            return Ok(Verdict::Refused(wait));
        }
        let verdict = rule.verdict(rate_limits::take(db, &key, rule.quota, Ask::ONE).await?);
        if let Verdict::Refused(wait) = verdict {
            remember(&self.refused, key, wait);
        }
        Ok(verdict)
    }

    /// Where a request comes from, as far as that can be believed.
    pub(crate) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        address::of_client(request, &self.trusted_proxies)
    }

    /// Where a request comes from, as limits count it.
    fn household(&self, request: &HttpRequest) -> Option<IpAddr> {
        self.client(request).map(address::household)
    }
}

/// How much longer a refusal lasts, as far as it is remembered.
fn remembered<K: Copy + Eq + std::hash::Hash>(refused: &Mutex<Kept<K, Instant>>, key: &K) -> Option<Duration> {
    let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
    let left = refused.with(key, |until| until.saturating_duration_since(Instant::now()))?;
    (!left.is_zero()).then_some(left)
}

fn remember<K: Copy + Eq + std::hash::Hash>(refused: &Mutex<Kept<K, Instant>>, key: K, wait: Duration) {
    refused.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Instant::now() + wait);
}

/// Whole seconds, rounded up: one who waits that long is let in.
fn seconds(length: Duration) -> u64 {
    length.as_secs() + u64::from(length.subsec_nanos() > 0)
}

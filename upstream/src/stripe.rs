//! Stripe's API: the few calls that billing needs. What comes back is handed on as Stripe wrote it, for a parser that does no I/O.
//!
//! Source: <https://docs.stripe.com/api>.

mod attempt;
mod calls;
mod error;
mod form;
mod list;
mod object;
mod retry;
mod settings;

use std::fmt;

use reqwest::{
    Client, Method,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use tokio::time::Instant;
use url::Url;

use self::{attempt::Attempt, form::Form};
use crate::http;

pub use crate::http::Unusable;
pub use calls::{CheckoutSession, NewCheckout, NewCustomer};
pub use error::Error;
pub use list::{EventFilter, List, Page};
pub use object::Object;
pub use settings::Settings;

/// The version of the API that is asked for, so that answers keep their shape whatever the account's default is. Webhooks come in the
/// version of their endpoint.
pub const API_VERSION: &str = "2026-02-25.clover";
/// An answer larger than this is not read on: a page of a hundred subscriptions has less than 1 MiB.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most characters of an idempotency key, Stripe's bound.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

const IDLE_CONNECTIONS_MAX: usize = 8;

/// Stripe's API with one key; cheap to clone, and its clones share their connections. To be used within a Tokio runtime.
///
/// Every call is tried again, a bounded number of times and within one deadline, where that may help and cannot do harm: when nothing
/// could be connected, in time or at all, and when Stripe says that it is busy or broken. A `POST` is repeated under its idempotency
/// key, so that it takes effect once. Dropping a call's future at any point is safe; the call may have taken effect.
#[derive(Clone)]
pub struct Stripe {
    http: Client,
    base: Url,
    settings: Settings,
}

impl Stripe {
    /// A client with these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// `Unusable` when a setting is wrong; its text does not repeat the key.
    pub fn new(settings: Settings) -> Result<Self, Unusable> {
        let base = settings.checked()?;
        let bearer = http::bearer(&settings.secret_key).ok_or(Unusable("the secret key has characters that no key has"))?;
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (HeaderName::from_static("stripe-version"), HeaderValue::from_static(API_VERSION)),
        ]);
        let builder = http::builder()?.default_headers(headers).timeout(settings.timeout).pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
        let http = http::build(builder)?;
        Ok(Self { http, base, settings })
    }

    /// Asks for something.
    async fn get(&self, path: &[&str], query: Form) -> Result<Vec<u8>, Error> {
        self.call(&Attempt { method: Method::GET, url: self.url(path, Some(query))?, idempotency_key: None, body: String::new() }).await
    }

    /// Makes something, once per key.
    async fn post(&self, path: &[&str], idempotency_key: &str, form: Form) -> Result<Vec<u8>, Error> {
        let wrong = || Error::Invalid("the idempotency key is not 1 to 255 printable ASCII characters");
        if !(1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&idempotency_key.len()) {
            return Err(wrong());
        }
        let key = HeaderValue::from_str(idempotency_key).map_err(|_| wrong())?;
        let url = self.url(path, None)?;
        self.call(&Attempt { method: Method::POST, url, idempotency_key: Some(key), body: form.finish() }).await
    }

    fn url(&self, path: &[&str], query: Option<Form>) -> Result<Url, Error> {
        let mut url = self.base.clone();
        // Only fails for URLs without a host, which the settings refuse.
        url.path_segments_mut().map_err(|()| Error::Invalid("the API's address has no path"))?.pop_if_empty().push("v1").extend(path);
        url.set_query(query.map(Form::finish).filter(|query| !query.is_empty()).as_deref());
        Ok(url)
    }

    /// Tries until it works, trying again cannot help, or there is no time for it.
    async fn call(&self, attempt: &Attempt) -> Result<Vec<u8>, Error> {
        let deadline = Instant::now() + self.settings.deadline;
        for retries_done in 0..=self.settings.retries {
            let failure = match attempt.run(&self.http, deadline).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let wait = retry::wait(retries_done, failure.retry_after, rand::random());
            let in_time = Instant::now() + wait < deadline;
            if !failure.retry || retries_done == self.settings.retries || !in_time {
                return Err(failure.error.without(&self.settings.secret_key));
            }
            log::info!("Stripe, {} {}: {}; trying again in {wait:?}", attempt.method, attempt.url.path(), failure.kind());
            tokio::time::sleep(wait).await;
        }
        // The last round of the loop has returned.
        Err(Error::Timeout)
    }
}

/// Says where the API is, for the log. No key.
impl fmt::Display for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)
    }
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stripe({self})")
    }
}

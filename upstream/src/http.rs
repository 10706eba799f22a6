//! What all calls over HTTP have in common: how a client is set up, how an answer is read within bounds, and what went wrong on the way.

use std::time::Duration;

use reqwest::{
    Client, ClientBuilder, Response,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};

use crate::tls;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Services close connections that are idle for a minute; ours go before, so that none is used while it is being closed.
const IDLE_MAX: Duration = Duration::from_secs(45);
/// A longer wait is not believed: times are added to it.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A client cannot be made of what was given. The text repeats no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub(crate) &'static str);

/// A client as every call needs it, before what is special: two seconds to connect, no redirects, no proxies.
pub(crate) fn builder() -> Result<ClientBuilder, Unusable> {
    let tls = tls::config().map_err(|_| Unusable("TLS cannot be set up"))?;
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("Handrail/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_MAX)
        // A redirect would carry a secret to wherever it points.
        .redirect(Policy::none())
        // The environment is read in one place, which is not here.
        .no_proxy())
}

/// The client.
pub(crate) fn build(builder: ClientBuilder) -> Result<Client, Unusable> {
    builder.build().map_err(|_| Unusable("the HTTP client cannot be set up"))
}

/// The value of an `Authorization` header, which prints as `Sensitive`; `None` when no header can hold it.
pub(crate) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    bearer.set_sensitive(true);
    Some(bearer)
}

/// Why there is no answer, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It did not come in time.
    Timeout,
    /// There was no connection, or it broke.
    Unreachable,
    /// It is larger than what is read.
    TooLarge,
}

impl From<&reqwest::Error> for Failed {
    fn from(error: &reqwest::Error) -> Self {
        // No connection in time is no connection.
        if error.is_timeout() && !error.is_connect() { Self::Timeout } else { Self::Unreachable }
    }
}

/// The body of an answer, of so many bytes at most.
pub(crate) async fn read(mut answer: Response, bytes_max: usize) -> Result<Vec<u8>, Failed> {
    let announced = answer.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |bytes| bytes > bytes_max) {
        return Err(Failed::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Failed::from(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Failed::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The longest wait before a retry: this before the first, and each time twice as long.
pub(crate) fn doubled(first: Duration, retries_done: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(retries_done).unwrap_or(u32::MAX))
}

/// How long the service wants to be left alone, at most a day. A date in place of seconds is passed over.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

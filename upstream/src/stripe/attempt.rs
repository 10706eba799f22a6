//! One request over the wire, and what its answer means.

use std::time::Duration;

use reqwest::{
    Client, Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{ANSWER_BYTES_MAX, Error, error::fit_for_the_log, retry};
use crate::http::{self, Failed};

/// A request that can be sent again as it is.
pub(super) struct Attempt {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) idempotency_key: Option<HeaderValue>,
    pub(super) body: String,
}

/// Why an attempt failed, and what may be done about it.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether it may help to try again.
    pub(super) retry: bool,
    /// How long Stripe wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    /// The error in few words that come from here, not from the answer.
    pub(super) fn kind(&self) -> &'static str {
        match self.error {
            Error::Timeout => "no answer in time",
            Error::Unreachable => "no connection",
            _ => "busy",
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { retry: matches!(error, Error::Timeout | Error::Unreachable), error, retry_after: None }
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        Error::from(failed).into()
    }
}

/// `{"error": {…}}`; what is absent or of another type is passed over.
#[derive(Deserialize)]
struct Envelope {
    error: Told,
}

#[derive(Deserialize, Default)]
struct Told {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
    param: Option<String>,
}

impl Attempt {
    /// Sends the request once, and gives the body of a 2xx answer.
    pub(super) async fn run(&self, http: &Client, deadline: Instant) -> Result<Vec<u8>, Failure> {
        timeout_at(deadline, self.exchange(http)).await.unwrap_or(Err(Error::Timeout.into()))
    }

    async fn exchange(&self, http: &Client) -> Result<Vec<u8>, Failure> {
        let mut request = http.request(self.method.clone(), self.url.clone());
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            request = request.body(self.body.clone());
        }
        let answer = request.send().await.map_err(|error| Failed::from(&error))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        if (200..300).contains(&status) {
            return Ok(http::read(answer, ANSWER_BYTES_MAX).await?);
        }
        // What cannot be read tells nothing; the status does.
        let body = http::read(answer, ANSWER_BYTES_MAX).await.unwrap_or_default();
        Err(refused(status, &headers, &body))
    }
}

fn refused(status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after = http::retry_after(headers);
    let error = match status {
        409 | 429 | 500.. => Error::Busy { retry_after },
        401 | 403 => Error::Unauthorized,
        404 => Error::NotFound,
        400..500 => {
            let told = serde_json::from_slice::<Envelope>(body).map(|envelope| envelope.error).ok();
            let told = told.unwrap_or_default();
            let fit = |text: Option<String>| text.as_deref().map(fit_for_the_log);
            let request_id = fit(text("request-id").map(str::to_owned));
            let message = fit(told.message).unwrap_or_else(|| "no reason given".to_owned());
            Error::Rejected { status, code: fit(told.code.or(told.kind)), message, param: fit(told.param), request_id }
        }
        _ => Error::Garbage("it is no answer but a redirect or worse"),
    };
    Failure { error, retry: retry::helps(status, text("stripe-should-retry")), retry_after }
}

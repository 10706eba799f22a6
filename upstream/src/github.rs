//! GitHub's API: what became of a webhook's deliveries, and asking for one again, which GitHub does not do by itself.
//!
//! Source: <https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries>.

mod deliveries;
mod error;
mod settings;

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{
    Client, Method, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LINK},
    redirect::Policy,
};
use url::Url;

use crate::tls;

pub use deliveries::Delivery;
pub use error::{Error, Unusable};
pub use settings::Settings;

/// The version of the API that is asked for, so that answers keep their shape.
pub const API_VERSION: &str = "2022-11-28";
/// An answer larger than this is not read on: a page of a hundred deliveries has less than 100 KiB.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most pages of a hundred deliveries that are read at a time.
pub const PAGES_MAX: usize = 10;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// From connecting to the last byte of an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Calls come in bursts, an hour apart.
const IDLE_MAX: Duration = Duration::from_secs(45);

/// GitHub's API about one webhook; cheap to clone, and its clones share their connections. To be used within a Tokio runtime.
///
/// No call is tried again: whoever calls comes back later. Dropping a call's future at any point is safe; the call may have taken
/// effect.
#[derive(Clone)]
pub struct GitHub {
    http: Client,
    /// Where the webhook's deliveries are.
    deliveries: Url,
}

impl GitHub {
    /// A client with these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// `Unusable` when a setting is wrong; its text does not repeat the token.
    pub fn new(settings: &Settings) -> Result<Self, Unusable> {
        let deliveries = settings.checked()?;
        let bearer = format!("Bearer {}", settings.token);
        let mut bearer = HeaderValue::try_from(bearer).map_err(|_| Unusable("the token has characters that no token has"))?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(API_VERSION)),
        ]);
        let tls = tls::config().map_err(|_| Unusable("TLS cannot be set up"))?;
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(headers)
            .user_agent(concat!("Handrail/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE_MAX)
            // A redirect would carry the token to wherever it points.
            .redirect(Policy::none())
            // The environment is read in one place, which is not here.
            .no_proxy();
        let http = builder.build().map_err(|_| Unusable("the HTTP client cannot be set up"))?;
        Ok(Self { http, deliveries })
    }

    /// The events since then of which no delivery came through, oldest first, as far as the latest thousand deliveries tell.
    ///
    /// # Errors
    /// When GitHub does not answer, or not as it should.
    pub async fn failed_deliveries(&self, since: DateTime<Utc>) -> Result<Vec<Delivery>, Error> {
        let mut told = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let (page, next) = self.page(cursor.as_deref()).await?;
            // Newest first: what comes after one that is too old is older still.
            let too_old = page.iter().any(|attempt| attempt.delivered_at < since);
            told.extend(page.into_iter().filter(|attempt| attempt.delivered_at >= since));
            cursor = next;
            if cursor.is_none() || too_old {
                break;
            }
        }
        Ok(deliveries::failed(told))
    }

    /// Has GitHub make a delivery again: under the same guid, soon.
    ///
    /// # Errors
    /// `NotFound` when GitHub no longer has it, `Refused` when it will not; else when GitHub does not answer, or not as it should.
    pub async fn redeliver(&self, id: u64) -> Result<(), Error> {
        let mut url = self.deliveries.clone();
        // Only fails for URLs without a host, which the settings refuse.
        let mut path = url.path_segments_mut().map_err(|()| Error::Garbage("the API's address has no path"))?;
        path.push(&id.to_string()).push("attempts");
        drop(path);
        self.call(Method::POST, url).await.map(drop)
    }

    /// A page of deliveries, and where the next one begins.
    async fn page(&self, cursor: Option<&str>) -> Result<(Vec<deliveries::Attempt>, Option<String>), Error> {
        let mut url = self.deliveries.clone();
        url.query_pairs_mut().append_pair("per_page", &deliveries::PER_PAGE.to_string());
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let (headers, body) = self.call(Method::GET, url).await?;
        // The cursor alone is taken over: the token goes nowhere but to the API's address.
        let next = headers.get_all(LINK).iter().find_map(deliveries::next_link).map(|link| deliveries::cursor_of(&link)).transpose()?;
        let page = serde_json::from_slice(&body).map_err(|_| Error::Garbage("it is no list of deliveries"))?;
        Ok((page, next))
    }

    /// Calls once, and gives a 2xx answer.
    async fn call(&self, method: Method, url: Url) -> Result<(HeaderMap, Vec<u8>), Error> {
        let answer = self.http.request(method, url).send().await.map_err(|error| failed(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if status.is_success() {
            return Ok((headers, read(answer).await?));
        }
        // What cannot be read tells nothing; the status does.
        let body = if status == StatusCode::FORBIDDEN { read(answer).await.unwrap_or_default() } else { Vec::new() };
        Err(Error::of(status.as_u16(), &headers, &body))
    }
}

fn failed(error: &reqwest::Error) -> Error {
    // No connection in time is no connection.
    if error.is_timeout() && !error.is_connect() { Error::Timeout } else { Error::Unreachable }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Error::Garbage("it is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Says which webhook it is, for the log. No token.
impl fmt::Display for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deliveries.fmt(f)
    }
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHub({self})")
    }
}

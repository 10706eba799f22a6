//! GitHub's API: what became of a webhook's deliveries, and asking for one again, which GitHub does not do by itself.
//!
//! Source: <https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries>.

mod deliveries;
mod error;
mod settings;

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{
    Client, Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LINK},
};
use url::Url;

use crate::http::{self, Failed};

pub use crate::http::Unusable;
pub use deliveries::Delivery;
pub use error::Error;
pub use settings::Settings;

/// The version of the API that is asked for, so that answers keep their shape.
pub const API_VERSION: &str = "2022-11-28";
/// An answer larger than this is not read on: a page of a hundred deliveries has less than 100 KiB.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most pages of a hundred deliveries that are read at a time.
pub const PAGES_MAX: usize = 10;

/// From connecting to the last byte of an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

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
        let bearer = http::bearer(&settings.token).ok_or(Unusable("the token has characters that no token has"))?;
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(API_VERSION)),
        ]);
        let http = http::build(http::builder()?.default_headers(headers).timeout(TIMEOUT))?;
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
        let answer = self.http.request(method, url).send().await.map_err(|error| Failed::from(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if status.is_success() {
            return Ok((headers, http::read(answer, ANSWER_BYTES_MAX).await?));
        }
        // What cannot be read tells nothing; the status does.
        let body =
            if status == StatusCode::FORBIDDEN { http::read(answer, ANSWER_BYTES_MAX).await.unwrap_or_default() } else { Vec::new() };
        Err(Error::of(status.as_u16(), &headers, &body))
    }
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

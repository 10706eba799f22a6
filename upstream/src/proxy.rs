//! Services that our callers reach through us: where their calls may go, what they carry, how long they may take and how much they may
//! bring, and when a service is left alone.

mod body;
mod breaker;
mod error;
mod exchange;
mod guard;
mod headers;
mod health;
mod settings;
mod target;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use futures::future::FusedFuture;
use reqwest::{
    Client, Method, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue, LOCATION},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout_at},
};
use url::Url;

use self::{breaker::Breaker, guard::System, health::Counts};
use crate::http::{self, Unusable};

pub use body::{AnswerBody, Broken, Closed, Piece, Sender, Upload, upload};
pub use breaker::State;
pub use error::Failure;
pub use exchange::{Answer, Ask};
pub use guard::{Place, place};
pub use headers::Behalf;
pub use health::Health;
pub use settings::{Credential, Settings};

/// Before the first retry at most; each time twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// Most servers keep an idle connection for longer, Node's for 5 seconds: ours goes before, so that none is used while it is being closed.
const IDLE_MAX: Duration = Duration::from_secs(4);
const IDLE_CONNECTIONS_MAX: usize = 16;

/// A service behind the proxy. To be used within a Tokio runtime; dropping a call's future, or its answer, ends the call.
pub struct Proxy {
    http: Client,
    base: Url,
    credential: Option<(HeaderName, HeaderValue)>,
    user_header: Option<HeaderName>,
    places: Arc<Semaphore>,
    breaker: Breaker,
    counts: Counts,
    settings: Settings,
}

impl Proxy {
    /// A service with these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// `Unusable` when a setting is wrong; its text does not repeat the credential.
    pub fn new(settings: Settings) -> Result<Self, Unusable> {
        Self::with(settings, Arc::new(System))
    }

    fn with(settings: Settings, lookup: Arc<dyn guard::Lookup>) -> Result<Self, Unusable> {
        let base = settings.checked_base()?;
        let (credential, user_header) = (settings.checked_credential()?, settings.checked_user_header()?);
        let builder = http::builder()?
            .connect_timeout(settings.connect)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .referer(false)
            // Retries are ours to decide.
            .retry(reqwest::retry::never())
            .dns_resolver(guard::Guard::new(settings.place(), lookup));
        Ok(Self {
            http: http::build(builder)?,
            base,
            credential,
            user_header,
            places: Arc::new(Semaphore::new(settings.calls_max)),
            breaker: Breaker::new(settings.breaker_calls, settings.breaker_open, std::time::Instant::now()),
            counts: Counts::default(),
            settings,
        })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.counts.health(self.breaker.state(), self.settings.calls_max.saturating_sub(self.places.available_permits()))
    }

    /// Makes a call. `sending` puts the body in while it is polled; one that is not over when the answer comes is to be polled on.
    ///
    /// # Errors
    /// `Sending` when that fails; else when there is no answer, or none that can be passed on.
    pub async fn call<E>(
        &self,
        ask: Ask<'_>,
        upload: Option<Upload>,
        sending: Pin<&mut (impl FusedFuture<Output = Result<(), E>> + ?Sized)>,
    ) -> Result<Answer, Failure<E>> {
        let url = target::url(&self.base, ask.path, ask.query).map_err(Failure::Path)?;
        let refused = |failure| {
            Counts::count(&self.counts.refused);
            failure
        };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| refused(Failure::Busy))?;
        let permit = self.breaker.permit(std::time::Instant::now()).map_err(|wait| refused(Failure::Open(wait)))?;
        let deadline = Instant::now() + self.settings.total;
        let safe = matches!(ask.method, Method::GET | Method::HEAD) && upload.is_none();
        let headers = self.headers(ask.headers, &ask.behalf, ask.version);
        let outcome = self.head(&ask.method, &url, &headers, upload, sending, (safe, deadline)).await;
        let now = std::time::Instant::now();
        match &outcome {
            Ok(answer) if !is_away(answer.status()) => {
                Counts::count(&self.counts.answered);
                permit.succeeded(now);
            }
            // A caller's fault is none of the service's.
            Err(Failure::Sending(_)) => {}
            Ok(_) | Err(_) => {
                Counts::count(&self.counts.failed);
                permit.failed(now);
                if self.breaker.state() == State::Open {
                    log::warn!("{self} keeps failing and is left alone for a while");
                }
            }
        }
        self.answer(outcome?, &url, deadline, place, ask.method == Method::HEAD)
    }

    fn headers(&self, headers: HeaderMap, behalf: &Behalf, version: &str) -> HeaderMap {
        let mut headers = headers::of_request(headers, behalf, version);
        if let Some(name) = &self.user_header {
            headers.remove(name);
            if let Ok(user) = HeaderValue::try_from(&behalf.user) {
                headers.insert(name, user);
            }
        }
        if let Some((name, value)) = &self.credential {
            headers.insert(name, value.clone());
        }
        headers
    }

    /// The head of the answer, in time. What is safe is tried again.
    async fn head<E>(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        upload: Option<Upload>,
        mut sending: Pin<&mut (impl FusedFuture<Output = Result<(), E>> + ?Sized)>,
        (safe, deadline): (bool, Instant),
    ) -> Result<Response, Failure<E>> {
        let request = || self.http.request(method.clone(), url.clone()).headers(headers.clone());
        let Some(upload) = upload else {
            let deadline = deadline.min(Instant::now() + self.settings.head);
            let asking = self.tries(request, safe);
            return timeout_at(deadline, asking).await.map_err(|_| Failure::Timeout)?.map_err(Failure::from_reqwest);
        };
        let request = request();
        let request = match upload.length {
            Some(length) => request.header(CONTENT_LENGTH, length),
            None => request,
        };
        let mut asking = Box::pin(request.body(upload).send());
        // The service has its time from the end of the request on: what the caller takes is no fault of its.
        let early = tokio::select! {
            biased;
            answer = &mut asking => Some(answer),
            sent = &mut sending, if !sending.is_terminated() => match sent {
                Ok(()) => None,
                Err(error) => return Err(Failure::Sending(error)),
            },
            () = tokio::time::sleep_until(deadline) => return Err(Failure::Timeout),
        };
        let answer = match early {
            Some(answer) => answer,
            None => timeout_at(deadline.min(Instant::now() + self.settings.head), asking).await.map_err(|_| Failure::Timeout)?,
        };
        answer.map_err(Failure::from_reqwest)
    }

    /// Asks until there is an answer that is none of a service that is away, or trying again is of no use.
    async fn tries(&self, request: impl Fn() -> reqwest::RequestBuilder, safe: bool) -> reqwest::Result<Response> {
        let retries = if safe { self.settings.retries } else { 0 };
        for done in 0..retries {
            match request().send().await {
                // It knows better when to come back.
                Ok(answer) if !is_away(answer.status()) || http::retry_after(answer.headers()).is_some() => return Ok(answer),
                Err(error) if error.is_builder() || error.is_dns() => return Err(error),
                Ok(answer) => log::info!("{self}: {} for a safe request; trying again", answer.status()),
                Err(_) => log::info!("{self}: no answer to a safe request; trying again"),
            }
            sleep(http::doubled(RETRY_FIRST, done).mul_f64(rand::random())).await;
        }
        request().send().await
    }

    fn answer<E>(
        &self,
        answer: Response,
        url: &Url,
        deadline: Instant,
        place: OwnedSemaphorePermit,
        is_head: bool,
    ) -> Result<Answer, Failure<E>> {
        let status = answer.status();
        if status.is_informational() {
            return Err(Failure::Nonsense("it switched protocols unasked"));
        }
        if headers::size(answer.headers()) > self.settings.answer_head_bytes_max {
            return Err(Failure::Nonsense("the head of its answer is too large"));
        }
        let length = answer.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if !is_head && length.is_some_and(|length| length > self.settings.answer_bytes_max) {
            return Err(Failure::Nonsense("its answer is too large"));
        }
        let mut headers = headers::of_answer(answer.headers().clone());
        for name in [LOCATION, CONTENT_LOCATION] {
            let ours = headers.remove(&name).and_then(|value| {
                let ours = target::location(&self.base, url, &self.settings.mount, value.to_str().ok()?)?;
                HeaderValue::try_from(ours).ok()
            });
            if let Some(ours) = ours {
                headers.insert(name, ours);
            }
        }
        let body = AnswerBody::new(answer, self.settings.answer_bytes_max, self.settings.silence, deadline, place);
        Ok(Answer { status: status.as_u16(), length, body, headers })
    }
}

/// Whether a service, or what stands before it, says that it is not there for now.
fn is_away(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// Says which service it is, for the log. No credential.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.settings.name)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests;

//! A language model behind OpenAI's API for chat completions, whose words are read as they come.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat-streaming>; many other servers keep to it.

mod answer;
mod chunk;
mod error;
mod events;
mod settings;

use std::{fmt, sync::Arc};

use reqwest::{
    Client, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::http;

pub use crate::http::Unusable;
pub use answer::{Answer, End, Piece, Words};
pub use chunk::Usage;
pub use error::Error;
pub use settings::{Bounds, Settings};

/// An error's body larger than this is not read on.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;
const IDLE_CONNECTIONS_MAX: usize = 64;

/// A message of a conversation.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Message<'a> {
    /// Who says it: `system`, `user` or `assistant`.
    pub role: &'a str,
    /// What is said.
    pub content: &'a str,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Message<'a>],
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// The model; cheap to clone, and its clones share their connections. To be used within a Tokio runtime.
///
/// No call is tried again, as it may have cost something. Dropping a call's future, or its answer, breaks the connection off: that is
/// how the model is told to stop.
#[derive(Clone)]
pub struct Model {
    http: Client,
    url: Url,
    settings: Arc<Settings>,
}

impl Model {
    /// A client with these settings. Nothing is connected yet.
    ///
    /// # Errors
    /// `Unusable` when a setting is wrong; its text does not repeat the key.
    pub fn new(settings: Settings) -> Result<Self, Unusable> {
        let url = settings.checked()?;
        let http = client(&settings.key)?;
        Ok(Self { http, url, settings: Arc::new(settings) })
    }

    /// The same with connections of its own. A connection is driven by the runtime that opened it, so each runtime should have its own.
    ///
    /// # Errors
    /// `Unusable` when the system has not what a client needs.
    pub fn apart(&self) -> Result<Self, Unusable> {
        Ok(Self { http: client(&self.settings.key)?, ..self.clone() })
    }

    /// The model's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.model
    }

    /// Asks, and waits until there are words, or an end without any. What goes wrong after that, the answer tells.
    ///
    /// # Errors
    /// When the model does not answer, or not as it should.
    pub async fn ask(&self, messages: &[Message<'_>]) -> Result<Answer, Error> {
        let bounds = self.settings.bounds;
        let begun = Instant::now();
        let first = async {
            let response = self.send(messages).await?;
            let mut answer = Answer::new(response, bounds, begun + bounds.total);
            answer.wait_for_words().await?;
            Ok(answer)
        };
        timeout_at(begun + bounds.first_token, first).await.map_err(|_| Error::Timeout)?
    }

    async fn send(&self, messages: &[Message<'_>]) -> Result<Response, Error> {
        let stream_options = StreamOptions { include_usage: true };
        let request = Request { model: &self.settings.model, messages, stream: true, stream_options };
        let response = self.http.post(self.url.clone()).json(&request).send().await?;
        if response.status().is_success() {
            let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let is_stream = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"));
            return if is_stream { Ok(response) } else { Err(Error::Garbage("it is no stream of events")) };
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // What cannot be read tells nothing; the status does.
        let body = http::read(response, REFUSAL_BYTES_MAX).await.unwrap_or_default();
        Err(Error::of(status, &headers, &body))
    }
}

fn client(key: &str) -> Result<Client, Unusable> {
    let bearer = http::bearer(key).ok_or(Unusable("the key has characters that no key has"))?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer), (ACCEPT, HeaderValue::from_static("text/event-stream"))]);
    // No time-out for the whole: an answer may take as long as words keep coming.
    http::build(http::builder()?.default_headers(headers).pool_max_idle_per_host(IDLE_CONNECTIONS_MAX))
}

/// Says where the model is, for the log. No key.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.settings.model, self.url)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({self})")
    }
}

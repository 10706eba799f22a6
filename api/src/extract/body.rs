//! Reads request bodies: never more than so many bytes, never longer than so many seconds.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::header,
    web::{BytesMut, Data},
};
use domain::{Code, Details, Error, Result};
use futures::StreamExt;
use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::validate;
use crate::{
    describe::{Describe, Operation},
    once::BodyDigest,
};

/// The bounds of a request body.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest JSON or text body, in bytes.
    pub json_bytes_max: usize,
    /// The largest form, in bytes.
    pub form_bytes_max: usize,
    /// The longest it may take to arrive.
    pub timeout: Duration,
}

impl Limits {
    /// The bounds the server was started with.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self> {
        let limits = request.app_data::<Data<Self>>().ok_or_else(|| Error::internal("no body limits"))?;
        Ok(*limits.get_ref())
    }

    /// When a body that starts to arrive now must be complete.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }
}

/// The media type of a merge patch (RFC 7396): what is absent stays, what is null is taken away, what has a value gets it.
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// A JSON body that passed its rules.
pub struct Body<T>(pub T);

impl<T> FromRequest for Body<T>
where
    T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static,
{
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let json = |mime: &mime::Mime| mime.subtype() == mime::JSON || mime.suffix() == Some(mime::JSON);
            if !matches!(request.mime_type(), Ok(Some(mime)) if is_utf8(&mime) && json(&mime)) {
                return Err(Error::unsupported_media_type("application/json"));
            }
            let limits = Limits::of(&request)?;
            let bytes = read(&request, payload, limits.json_bytes_max, limits.deadline()).await?;
            validate::json(&bytes).map(Self).map_err(Error::invalid_body)
        })
    }
}

impl<T: JsonSchema> Describe for Body<T> {
    fn describe(operation: &mut Operation<'_>) {
        let schema = operation.input::<T>();
        operation.takes("application/json", &schema);
        if operation.is_patch() {
            operation.takes(MERGE_PATCH, &schema);
        }
    }
}

/// Refuses a body that says it is too large, or coded: it is never unpacked, so that a small one cannot become a huge one.
pub(crate) fn admit(request: &HttpRequest, limit: usize) -> Result<()> {
    let coding = request.headers().get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes);
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return Err(Error::unsupported_media_type("without a content coding"));
    }
    let allowed = u64::try_from(limit).unwrap_or(u64::MAX);
    if declared_length(request).is_some_and(|length| length > allowed) { Err(Error::too_large(limit)) } else { Ok(()) }
}

/// How many bytes a request says that its body has.
pub(crate) fn declared_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body of at most `limit` bytes that is complete by the deadline.
///
/// # Errors
/// 413, 415 for a coded one, 408 when it is late, 400 when it breaks off.
pub(super) async fn read(request: &HttpRequest, mut payload: Payload, limit: usize, deadline: Instant) -> Result<BytesMut> {
    admit(request, limit)?;
    let mut bytes = BytesMut::new();
    loop {
        match timeout_at(deadline, payload.next()).await {
            Err(_) => return Err(late()),
            Ok(None) => {
                BodyDigest::leave(request, [request.content_type().as_bytes(), &bytes]);
                return Ok(bytes);
            }
            Ok(Some(Err(_))) => return Err(broken_off()),
            Ok(Some(Ok(chunk))) if bytes.len().saturating_add(chunk.len()) > limit => return Err(Error::too_large(limit)),
            Ok(Some(Ok(chunk))) => bytes.extend_from_slice(&chunk),
        }
    }
}

/// Reads a body as UTF-8 text, without a byte order mark.
///
/// # Errors
/// As [`read`], and 400 when it is not UTF-8.
pub async fn text(request: &HttpRequest, payload: Payload, limit: usize, deadline: Instant) -> Result<String> {
    let bytes = read(request, payload, limit, deadline).await?;
    utf8(&bytes).map_err(|problem| Error::invalid_body(Details::form(problem)))
}

/// Whether a content type names UTF-8, or no character set at all.
pub(crate) fn is_utf8(mime: &mime::Mime) -> bool {
    mime.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8)
}

/// Bytes as UTF-8 text, without a byte order mark.
pub(crate) fn utf8(bytes: &[u8]) -> Result<String, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "Must be UTF-8 text")?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
}

pub(crate) fn broken_off() -> Error {
    Error::invalid_body(Details::form("The body broke off"))
}

pub(crate) fn late() -> Error {
    Error::new(Code::RequestTimeout, "The body did not arrive in time")
}

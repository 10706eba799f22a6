//! A request and its answer, in nobody's types: the server that passes them on has others than the client that makes the call.

use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use super::{AnswerBody, Behalf};

/// A request to be passed on.
#[derive(Debug)]
pub struct Ask<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) headers: HeaderMap,
    pub(super) version: &'a str,
    pub(super) behalf: Behalf,
}

impl<'a> Ask<'a> {
    /// `None` when a method or header is none. The path is the one of the request line, without a leading slash; the version is the one
    /// the request came in, such as `1.1`.
    pub fn new<'h>(
        method: &str,
        (path, query): (&'a str, Option<&'a str>),
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
        version: &'a str,
        behalf: Behalf,
    ) -> Option<Self> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.try_append(HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value).ok()?).ok()?;
        }
        Some(Self { method: Method::from_bytes(method.as_bytes()).ok()?, path, query, headers: map, version, behalf })
    }
}

/// What a service answered.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long the body is, or would be for a `HEAD`, where the service said it.
    pub length: Option<u64>,
    /// The body.
    pub body: AnswerBody,
    pub(super) headers: HeaderMap,
}

impl Answer {
    /// The headers that are passed on.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

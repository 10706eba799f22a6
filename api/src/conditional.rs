//! Conditional requests (RFC 9110, section 13): entity tags, and what asks for them.
//!
//! A tag is a hash of the very bytes that are answered. So it changes with everything a reader can see, be it by another's edit, their
//! own role or a new release, and with nothing else. Compression gives the same answer other bytes: the tag of such an answer names the
//! coding as well, and when one comes back the coding is passed over.

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::{self, ContentEncoding, EntityTag, Header, HeaderMap, HeaderValue, IfNoneMatch},
    web::Data,
};
use domain::{Code, Error, Result};
use persistence::Expected;
use ring::digest;
use serde::Serialize;
use serde_json::json;
use std::{
    fmt,
    future::{Ready, ready},
};

use crate::describe::{Describe, Operation};

/// The codings a tag may name.
const CODINGS: [&str; 4] = ["br", "gzip", "zstd", "deflate"];

/// A strong entity tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

/// Says that the `ETag` of an answer is ours to amend.
struct Tagged;

impl Tag {
    /// The tag of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let hash = digest::digest(&digest::SHA256, bytes);
        // Half of it tells more versions apart than there will ever be.
        let half = hash.as_ref().get(..16).unwrap_or_default();
        Self(base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, half))
    }

    /// A tag that is known already, of characters that need no quoting.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Whether a tag that a client sent is this one, under whatever coding it was sent to them.
    fn is(&self, sent: &EntityTag) -> bool {
        let tag = sent.tag();
        let bare = tag.rsplit_once('-').filter(|(_, coding)| CODINGS.contains(coding)).map_or(tag, |(bare, _)| bare);
        bare == self.0 || tag == self.0
    }

    /// Whether the client has this version already.
    #[must_use]
    pub fn is_known(&self, request: &HttpRequest) -> bool {
        if !request.headers().contains_key(header::IF_NONE_MATCH) {
            return false;
        }
        match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| self.is(tag)),
            Err(_) => false,
        }
    }

    /// As it stands in a header of an answer in this coding: other bytes have another tag.
    #[must_use]
    pub fn in_coding(&self, coding: ContentEncoding) -> String {
        match coding {
            ContentEncoding::Identity => self.to_string(),
            coding => format!("\"{}-{}\"", self.0, coding.as_str()),
        }
    }

    /// Puts the tag on an answer.
    pub fn put(&self, response: &mut HttpResponse) {
        if let Ok(value) = HeaderValue::try_from(self.to_string()) {
            response.headers_mut().insert(header::ETAG, value);
            response.extensions_mut().insert(Tagged);
        }
    }

    /// 304, with this tag.
    #[must_use]
    pub fn not_modified(&self) -> HttpResponse {
        let mut response = HttpResponse::NotModified().finish();
        self.put(&mut response);
        response
    }
}

/// As it stands in a header.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// Names the coding in the tag of an answer that was compressed since.
pub(crate) fn name_coding<B>(response: &mut HttpResponse<B>) {
    if response.extensions().get::<Tagged>().is_none() {
        return;
    }
    let headers = response.headers_mut();
    if let Some(tag) = coded(headers) {
        headers.insert(header::ETAG, tag);
    }
}

fn coded(headers: &HeaderMap) -> Option<HeaderValue> {
    let coding = headers.get(header::CONTENT_ENCODING)?.to_str().ok().filter(|coding| CODINGS.contains(coding))?;
    let tag = headers.get(header::ETAG)?.to_str().ok()?.trim_matches('"');
    HeaderValue::try_from(format!("\"{tag}-{coding}\"")).ok()
}

/// Whether changes are taken without `If-Match`.
#[derive(Debug, Clone, Copy)]
pub struct Careful(pub bool);

/// The version that a change was made from: of two editors of the same one, the second is told.
pub struct IfMatch(Option<Versions>);

enum Versions {
    Any,
    These(Vec<EntityTag>),
}

impl IfMatch {
    /// Whether what is stored, as this client is shown it, is the version it saw.
    pub fn fits<T: Serialize>(&self, shown: &T) -> bool {
        match &self.0 {
            None | Some(Versions::Any) => true,
            Some(Versions::These(_)) => serde_json::to_vec(shown).is_ok_and(|bytes| self.names(&Tag::of(&bytes))),
        }
    }

    /// Whether this is the tag of the version the client saw.
    #[must_use]
    pub fn names(&self, tag: &Tag) -> bool {
        match &self.0 {
            None | Some(Versions::Any) => true,
            // Only strong tags count here (RFC 9110, section 13.1.1).
            Some(Versions::These(tags)) => tags.iter().any(|sent| !sent.weak && tag.is(sent)),
        }
    }

    /// What to ask of the thing before it is changed: nothing when the client did not say.
    pub fn expected<'a, T>(&self, fits: &'a dyn Fn(&T) -> bool) -> Expected<'a, T> {
        self.0.is_some().then_some(fits)
    }
}

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if !request.headers().contains_key(header::IF_MATCH) {
            let careful = request.app_data::<Data<Careful>>().is_some_and(|careful| careful.0);
            let refused = || Error::new(Code::PreconditionRequired, "Say with If-Match which version you change");
            return ready(if careful { Err(refused()) } else { Ok(Self(None)) });
        }
        ready(Ok(Self(Some(match header::IfMatch::parse(request) {
            Ok(header::IfMatch::Any) => Versions::Any,
            Ok(header::IfMatch::Items(tags)) => Versions::These(tags),
            // What cannot be read is no version of anything.
            Err(_) => Versions::These(Vec::new()),
        }))))
    }
}

impl Describe for IfMatch {
    fn describe(operation: &mut Operation<'_>) {
        operation.parameters.push(json!({
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of the version you have: the change is refused when there is a newer one.",
            "schema": { "type": "string", "maxLength": 4096 },
        }));
        operation.fails(&[Code::PreconditionFailed, Code::PreconditionRequired]);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn if_match(value: &str) -> IfMatch {
        let request = TestRequest::put().insert_header((header::IF_MATCH, value)).to_http_request();
        IfMatch::from_request(&request, &mut Payload::None).into_inner().unwrap()
    }

    #[test]
    fn a_tag_is_known_under_any_coding_and_weakly_only_for_reading() {
        let tag = Tag::of(b"\"a\"");
        let plain = format!("\"{}\"", tag.0);
        let coded = format!("\"{}-br\"", tag.0);
        for (sent, known, fits) in [
            (plain.clone(), true, true),
            (coded.clone(), true, true),
            (format!("\"other\", {coded}"), true, true),
            (format!("W/{plain}"), true, false),
            ("*".to_owned(), true, true),
            ("\"other\"".to_owned(), false, false),
            (format!("\"{}-x\"", tag.0), false, false),
            ("nonsense".to_owned(), false, false),
            (String::new(), false, false),
        ] {
            let request = TestRequest::get().insert_header((header::IF_NONE_MATCH, sent.as_str())).to_http_request();
            assert_eq!((tag.is_known(&request), if_match(&sent).fits(&"a")), (known, fits), "{sent}");
        }
        assert!(!tag.is_known(&TestRequest::get().to_http_request()));
    }

    #[test]
    fn a_coding_is_named_only_in_tags_of_ours() {
        let mut response = Tag::of(b"a").not_modified();
        let before = response.headers().get(header::ETAG).cloned().unwrap();
        name_coding(&mut response);
        assert_eq!(response.headers().get(header::ETAG), Some(&before));
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        name_coding(&mut response);
        assert!(response.headers().get(header::ETAG).unwrap().to_str().unwrap().ends_with("-gzip\""));
        let mut foreign = HttpResponse::Ok().insert_header((header::ETAG, "\"a\"")).insert_header(("content-encoding", "gzip")).finish();
        name_coding(&mut foreign);
        assert_eq!(foreign.headers().get(header::ETAG).unwrap(), "\"a\"");
    }
}

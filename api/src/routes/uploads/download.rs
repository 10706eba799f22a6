//! A file's bytes as an answer: all of them, a range (RFC 9110, section 14), or the news that the client has them already.

use std::ops::Range;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::{BoxBody, SizedStream},
    http::{
        Method, StatusCode,
        header::{self, ByteRangeSpec, Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue, HeaderName},
    },
};
use domain::{Code, Error, Result, upload::Upload};
use futures::{TryStreamExt, stream};
use serde_json::json;
use upstream::storage::{self, Content};

use crate::{
    conditional::Tag,
    describe::{Describe, Operation},
    uploads::is_text,
};

/// Nothing in a file may run, whatever it is and however it is opened.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";
/// A browser may keep a file, but asks each time whether it may still show it.
const CACHING: &str = "private, no-cache";

/// What of a file was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it.
    Whole,
    /// What would be sent, without sending it.
    Head,
    /// Some of it.
    Part(Range<u64>),
    /// Nothing: the client has it.
    Nothing,
}

impl Asked {
    /// What a request asks for. Several ranges, and what cannot be understood, are answered with the whole.
    ///
    /// # Errors
    /// `RANGE_NOT_SATISFIABLE`.
    pub(super) fn of(request: &HttpRequest, upload: &Upload) -> Result<Self> {
        let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let tag = tag(upload);
        if tag.is_known(request) {
            return Ok(Self::Nothing);
        }
        if request.method() == Method::HEAD {
            return Ok(Self::Head);
        }
        let fresh = text(header::IF_RANGE).is_none_or(|known| known.trim() == tag.to_string());
        let Some(range) = text(header::RANGE).filter(|_| fresh).and_then(single) else { return Ok(Self::Whole) };
        let (first, last) = range.to_satisfiable_range(upload.size).ok_or_else(|| Error::range_not_satisfiable(upload.size))?;
        Ok(Self::Part(first..last.saturating_add(1)))
    }

    /// The bytes to send, if any.
    pub(super) fn range(&self, upload: &Upload) -> Option<Range<u64>> {
        match self {
            Self::Whole => Some(0..upload.size),
            Self::Part(range) => Some(range.clone()),
            Self::Head | Self::Nothing => None,
        }
    }
}

/// The tag of a file's bytes: their hash.
pub(super) fn tag(upload: &Upload) -> Tag {
    Tag::named(&upload.sha256)
}

/// The one range of bytes that a header asks for.
fn single(header: &str) -> Option<ByteRangeSpec> {
    let (unit, set) = header.split_once('=')?;
    let set = set.trim_matches([' ', '\t']);
    let plain = !set.is_empty() && set.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (unit.eq_ignore_ascii_case("bytes") && plain).then(|| set.parse().ok()).flatten()
}

/// A file's bytes.
pub struct Download {
    /// The file.
    pub(super) upload: Upload,
    /// What of it was asked for.
    pub(super) asked: Asked,
    /// The bytes, if any are sent.
    pub(super) content: Option<Content>,
}

impl Responder for Download {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let Self { upload, asked, content } = self;
        let mut response = HttpResponse::build(match asked {
            Asked::Whole | Asked::Head => StatusCode::OK,
            Asked::Part(_) => StatusCode::PARTIAL_CONTENT,
            Asked::Nothing => StatusCode::NOT_MODIFIED,
        });
        response.insert_header((header::ETAG, tag(&upload).to_string()));
        response.insert_header((header::CACHE_CONTROL, CACHING));
        if asked == Asked::Nothing {
            return response.finish();
        }
        let charset = if is_text(&upload.content_type) { "; charset=utf-8" } else { "" };
        response.insert_header((header::CONTENT_TYPE, format!("{}{charset}", upload.content_type)));
        response.insert_header(disposition(&upload.file_name));
        response.insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
        response.insert_header((header::ACCEPT_RANGES, "bytes"));
        // Keeps it from being compressed, which would make other bytes of it than its tag and its ranges name.
        response.insert_header((header::CONTENT_ENCODING, "identity"));
        let mut length = upload.size;
        if let Asked::Part(range) = asked {
            length = range.end.saturating_sub(range.start);
            let last = range.end.saturating_sub(1);
            response.insert_header((header::CONTENT_RANGE, format!("bytes {}-{last}/{}", range.start, upload.size)));
        }
        let id = upload.id;
        let told = move |error: &storage::Error| log::warn!("the download of {id} broke off: {error}");
        match content {
            Some(content) => response.body(SizedStream::new(length, content.inspect_err(told))),
            None => response.body(SizedStream::new(length, stream::empty::<std::result::Result<_, storage::Error>>())),
        }
    }
}

/// To be saved under this name, never shown: in plain letters for old clients, and in full (RFC 6266, RFC 8187).
fn disposition(file_name: &str) -> ContentDisposition {
    let plain = |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' };
    let full = ExtendedValue { charset: Charset::Ext("UTF-8".to_owned()), language_tag: None, value: file_name.as_bytes().to_vec() };
    ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(file_name.chars().map(plain).collect()), DispositionParam::FilenameExt(full)],
    }
}

impl Describe for Download {
    fn describe(operation: &mut Operation<'_>) {
        let bytes = json!({ "type": "string", "format": "binary" });
        operation.answers(200, "The file, of the type it was judged to be", None);
        operation.answers_as(200, "*/*", &bytes);
        operation.answers(206, "The bytes of the range", None);
        operation.answers_as(206, "*/*", &bytes);
        operation.header("Content-Disposition", "Always an attachment, with the file's name");
        operation.header("Accept-Ranges", "`bytes`");
        operation.answers(304, "The client has it: `If-None-Match` names its `ETag`", None);
        operation.header("ETag", "The SHA-256 of the file");
        operation.notes.push("One range of bytes may be asked for (`Range`, `If-Range`); several are answered with the whole.".to_owned());
        operation.fails(&[Code::RangeNotSatisfiable, Code::NotConfigured]);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use domain::UploadId;

    use super::*;

    fn upload(size: u64) -> Upload {
        Upload {
            id: UploadId::new(),
            name: None,
            file_name: "a".into(),
            size,
            content_type: "text/plain".into(),
            sha256: "ab".into(),
            created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn asked(headers: &[(&str, &str)]) -> Option<Asked> {
        let request = headers.iter().fold(TestRequest::get(), |request, header| request.append_header(*header)).to_http_request();
        Asked::of(&request, &upload(10)).ok()
    }

    #[test]
    fn ranges_are_what_the_rfc_says() {
        for (range, expected) in [
            ("bytes=0-0", Some(Asked::Part(0..1))),
            ("bytes=2-5", Some(Asked::Part(2..6))),
            ("Bytes= 2-5 ", Some(Asked::Part(2..6))),
            ("bytes=9-", Some(Asked::Part(9..10))),
            ("bytes=-3", Some(Asked::Part(7..10))),
            ("bytes=-99", Some(Asked::Part(0..10))),
            ("bytes=5-99999999999999999999", Some(Asked::Whole)),
            ("bytes=5-18446744073709551615", Some(Asked::Part(5..10))),
            ("bytes=10-", None),
            ("bytes=-0", None),
            ("bytes=0-1,3-4", Some(Asked::Whole)),
            ("bytes=5-2", Some(Asked::Whole)),
            ("bytes=+1-2", Some(Asked::Whole)),
            ("bytes=", Some(Asked::Whole)),
            ("bytes=-", Some(Asked::Whole)),
            ("bytes", Some(Asked::Whole)),
            ("lines=1-2", Some(Asked::Whole)),
        ] {
            assert_eq!(asked(&[("range", range)]), expected, "{range}");
        }
    }

    #[test]
    fn conditions_decide_before_ranges() {
        let range = ("range", "bytes=0-0");
        assert_eq!(asked(&[range, ("if-range", "\"ab\"")]), Some(Asked::Part(0..1)));
        for other in ["\"cd\"", "W/\"ab\"", "Thu, 01 Jan 2026 00:00:00 GMT", "ab"] {
            assert_eq!(asked(&[range, ("if-range", other)]), Some(Asked::Whole), "{other}");
        }
        for known in ["\"ab\"", "W/\"ab\"", "\"x\", \"ab\"", "*"] {
            assert_eq!(asked(&[range, ("if-none-match", known)]), Some(Asked::Nothing), "{known}");
        }
        assert_eq!(asked(&[("if-none-match", "\"x\"")]), Some(Asked::Whole));
    }

    #[test]
    fn names_survive_in_full_and_in_plain_letters() {
        let shown = |name| disposition(name).to_string();
        assert_eq!(shown("a.txt"), "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt");
        assert_eq!(shown("Ærø \"x\"%41.txt"), "attachment; filename=\"_r_ _x__41.txt\"; filename*=UTF-8''%C3%86r%C3%B8%20%22x%22%2541.txt");
    }
}

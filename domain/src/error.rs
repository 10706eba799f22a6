//! The one error a caller can meet, and the closed table of codes behind it.

#[cfg(feature = "actix")]
mod actix;
mod code;

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Serialize;

pub use code::{Catalogued, Code};

/// A failure with what may be told (code, message, details) and what may not (the source).
///
/// Made by constructors, boxed so that `Result<T>` stays as small as `T`.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: Cow<'static, str>,
    details: Option<Details>,
    header: Option<(&'static str, Cow<'static, str>)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The most problems that one answer tells, of the form and of fields each: a huge body full of mistakes must not get a huge answer.
const PROBLEMS_MAX: usize = 100;
/// The longest field name that is repeated, in characters.
const NAME_MAX: usize = 100;

/// What was wrong with which field: the shape of zod's `flatten()`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// Problems of the input as a whole.
    pub form_errors: Vec<String>,
    /// Problems by field; nested names are joined with dots.
    pub field_errors: BTreeMap<String, Vec<String>>,
}

impl Details {
    /// Details with one problem of one field.
    #[must_use]
    pub fn field(name: &str, problem: &str) -> Self {
        let mut details = Self::default();
        details.push(name, problem);
        details
    }

    /// Details with one problem of the input as a whole.
    #[must_use]
    pub fn form(problem: impl Into<String>) -> Self {
        Self { form_errors: vec![problem.into()], ..Self::default() }
    }

    /// Adds a problem; an empty name means the input as a whole. The same problem is not said twice, and no more than 100 are.
    pub fn push(&mut self, name: &str, problem: impl Into<String>) {
        let problem = problem.into();
        let list = if name.is_empty() {
            &mut self.form_errors
        } else {
            let name: String = name.chars().take(NAME_MAX).collect();
            if self.field_errors.len() >= PROBLEMS_MAX && !self.field_errors.contains_key(&name) {
                return;
            }
            self.field_errors.entry(name).or_default()
        };
        if list.len() < PROBLEMS_MAX && !list.contains(&problem) {
            list.push(problem);
        }
    }

    /// Adds the problems of another part of the input.
    pub fn merge(&mut self, more: Self) {
        for problem in more.form_errors {
            self.push("", problem);
        }
        for (name, problems) in more.field_errors {
            for problem in problems {
                self.push(&name, problem);
            }
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.form_errors.is_empty() && self.field_errors.is_empty()
    }
}

/// The JSON body of every error answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Error")]
pub struct ErrorBody<'a> {
    /// What happened, for people.
    pub error: &'a str,
    /// What happened, for programs.
    pub code: Code,
    /// Which fields were refused and why (`VALIDATION_ERROR`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<&'a Details>,
    /// The `X-Request-Id` of the request; the cause of a 5xx is logged under it.
    pub request_id: &'a str,
}

impl Error {
    /// An error of this code, with a text for people.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        let header = match code {
            Code::Unauthorized => Some(("www-authenticate", Cow::Borrowed("Bearer"))),
            Code::Unavailable | Code::NotConfigured | Code::IdempotencyKeyInUse => Some(("retry-after", Cow::Borrowed("1"))),
            _ => None,
        };
        Self(Box::new(Inner { code, message: message.into(), details: None, header, source: None }))
    }

    /// 400: a body that breaks its rules.
    #[must_use]
    pub fn invalid_body(details: Details) -> Self {
        Self::new(Code::ValidationError, "Validation failed").with_details(details)
    }

    /// 400: a body with one problem of one field; an empty name means the body as a whole.
    #[must_use]
    pub fn invalid_field(name: &str, problem: &str) -> Self {
        Self::invalid_body(Details::field(name, problem))
    }

    /// 400: query or path parameters that break their rules.
    #[must_use]
    pub fn invalid_parameters(details: Details) -> Self {
        Self::new(Code::ValidationError, "Invalid parameters").with_details(details)
    }

    /// 401: no session, an expired or a revoked one.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "Unauthorized")
    }

    /// 403: signed in, but not allowed.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(Code::Forbidden, "Forbidden")
    }

    /// 404: `<resource> not found`.
    #[must_use]
    pub fn not_found(resource: &str) -> Self {
        Self::new(Code::NotFound, format!("{resource} not found"))
    }

    /// 405: a known path, another method. `allow` is the value of the `Allow` header.
    #[must_use]
    pub fn method_not_allowed(allow: String) -> Self {
        let mut error = Self::new(Code::MethodNotAllowed, "Method not allowed");
        error.0.header = Some(("allow", Cow::Owned(allow)));
        error
    }

    /// 406: `Accept` names none of the media types that the route offers, which are these.
    #[must_use]
    pub fn not_acceptable(offered: &str) -> Self {
        Self::new(Code::NotAcceptable, format!("This can be had as {offered}"))
    }

    /// 413: more than `limit` bytes.
    #[must_use]
    pub fn too_large(limit: impl fmt::Display) -> Self {
        Self::new(Code::PayloadTooLarge, format!("The body is larger than {limit} bytes"))
    }

    /// 415: a content type this route does not take. `expected` names those it does.
    #[must_use]
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(Code::UnsupportedMediaType, format!("Expected the content type {expected}"))
    }

    /// 416: a range that begins behind the end of the `size` bytes there are.
    #[must_use]
    pub fn range_not_satisfiable(size: u64) -> Self {
        let mut error = Self::new(Code::RangeNotSatisfiable, "Range not satisfiable");
        error.0.header = Some(("content-range", Cow::Owned(format!("bytes */{size}"))));
        error
    }

    /// 429: too much in too little time; worth another try after `retry_after_s` seconds.
    #[must_use]
    pub fn rate_limited(retry_after_s: u64) -> Self {
        let mut error = Self::new(Code::RateLimited, "Too many requests");
        error.0.header = Some(("retry-after", Cow::Owned(retry_after_s.to_string())));
        error
    }

    /// The same error, in other words.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = message.into();
        self
    }

    /// 500: a fault of ours. The answer says nothing of it; the log says all.
    #[must_use]
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Code::InternalError, "Internal server error").with_source(source)
    }

    /// 503: something needed is away or full for now; the answer carries `Retry-After`.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Code::Unavailable, "Service unavailable").with_source(source)
    }

    /// 503: as [`unavailable`](Self::unavailable), but worth another try only after so many seconds.
    #[must_use]
    pub fn unavailable_for(retry_after_s: u64, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::unavailable(source);
        error.0.header = Some(("retry-after", Cow::Owned(retry_after_s.to_string())));
        error
    }

    /// The same error, saying which fields were refused.
    #[must_use]
    pub fn with_details(mut self, details: Details) -> Self {
        self.0.details = Some(details);
        self
    }

    /// The same error, with its cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The text for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The refused fields.
    #[must_use]
    pub fn details(&self) -> Option<&Details> {
        self.0.details.as_ref()
    }

    /// The header that goes with the status (`Allow`, `Content-Range`, `Retry-After`, `WWW-Authenticate`), if any.
    #[must_use]
    pub fn header(&self) -> Option<(&'static str, &str)> {
        self.0.header.as_ref().map(|(name, value)| (*name, value.as_ref()))
    }

    /// The answer's body.
    #[must_use]
    pub fn body<'a>(&'a self, request_id: &'a str) -> ErrorBody<'a> {
        ErrorBody { error: self.message(), code: self.code(), details: self.details(), request_id }
    }

    /// The causes, outermost first, joined by `: `; empty when there is none. For the log, never for the answer.
    #[must_use]
    pub fn causes(&self) -> String {
        let mut text = String::new();
        let mut next = self.0.source.as_deref().map(|source| -> &(dyn std::error::Error + 'static) { source });
        while let Some(source) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&source.to_string());
            next = source.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code())
            .field("message", &self.message())
            .field("details", &self.details())
            .field("causes", &self.causes())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| -> &(dyn std::error::Error + 'static) { source })
    }
}

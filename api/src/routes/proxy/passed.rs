//! A service's answer on its way to the client.

use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::{BodyStream, BoxBody, SizedStream},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use domain::Code;
use futures::{FutureExt, Stream, future::FusedFuture};
use upstream::proxy::{Answer, AnswerBody, Broken, Proxy};

use super::{Aside, upload::Sending};
use crate::describe::{Describe, Operation};

/// Nothing that comes from a service may run, load or send anything as if it were ours; the rest is what the boundary says everywhere.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/// An answer that is passed on as it comes. One that breaks off ends without the final chunk, or short of its length.
pub struct Passed {
    pub(super) answer: Answer,
    /// The rest of the request's body, which the service may answer before.
    pub(super) sending: Sending,
    /// Is over when the client leaves.
    pub(super) left: Aside<()>,
    pub(super) proxy: Arc<Proxy>,
}

impl Responder for Passed {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let Ok(status) = StatusCode::from_u16(self.answer.status) else {
            return HttpResponse::from_error(domain::Error::new(Code::UpstreamError, "The upstream failed"));
        };
        let mut response = HttpResponse::build(status).finish();
        let is_empty = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        set_headers(response.headers_mut(), &self.answer, is_empty);
        if is_empty {
            return response;
        }
        let length = self.answer.length;
        let body = Body { pieces: self.answer.body, sending: self.sending, left: self.left, proxy: self.proxy, end: End::Ahead };
        match length {
            Some(length) => response.set_body(BoxBody::new(SizedStream::new(length, body))),
            None => response.set_body(BoxBody::new(BodyStream::new(body))),
        }
    }
}

fn set_headers(headers: &mut HeaderMap, answer: &Answer, is_empty: bool) {
    for (name, value) in answer.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if is_empty {
        return;
    }
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    // Else a browser guesses what it is.
    default(header::CONTENT_TYPE, "application/octet-stream");
    // Else it would be compressed, and held back for it; the boundary takes it away.
    default(header::CONTENT_ENCODING, "identity");
}

/// The body on its way, with all that has to go on or end beside it.
struct Body {
    pieces: AnswerBody,
    sending: Sending,
    left: Aside<()>,
    proxy: Arc<Proxy>,
    end: End,
}

/// How far the end is: what breaks off is said one turn late, so that what came before it is sent.
enum End {
    Ahead,
    Broken(Broken),
    Passed,
}

impl Body {
    fn breaks(&mut self, error: Broken, context: &Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        self.end = End::Broken(error);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream for Body {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match mem::replace(&mut self.end, End::Passed) {
            End::Ahead => self.end = End::Ahead,
            End::Broken(error) => return Poll::Ready(Some(Err(error))),
            End::Passed => return Poll::Ready(None),
        }
        if !self.sending.is_terminated() {
            // What goes wrong here the service learns by a body that is cut off.
            let _ = self.sending.poll_unpin(context);
        }
        if self.left.poll_unpin(context).is_ready() {
            return self.breaks(Broken::GivenUp, context);
        }
        match Pin::new(&mut self.pieces).poll_next(context) {
            Poll::Ready(Some(Err(error))) => {
                log::warn!("the answer of {} broke off: {error}", self.proxy);
                self.breaks(error, context)
            }
            piece => piece,
        }
    }
}

impl Describe for Passed {
    fn describe(operation: &mut Operation<'_>) {
        operation.notes.push(
            "Request and answer are passed on as they are, without cookies, credentials and what concerns one connection only. An answer \
             with the header `Via` is the upstream's; one without is ours."
                .to_owned(),
        );
        operation.fails(&[Code::UpstreamError, Code::UpstreamTimeout]);
    }
}

//! A request's body on its way to a service: bounded in size and time, and never faster than the service takes it.

use std::{
    future::{Ready, ready},
    pin::Pin,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
};
use domain::{Code, Details, Error, Result};
use futures::{
    FutureExt, StreamExt,
    future::{FusedFuture, LocalBoxFuture},
};
use tokio::time::{Instant, timeout_at};
use upstream::proxy::{self, Sender, Settings};

use crate::{
    describe::{Describe, Operation},
    extract::{Limits, broken_off, declared_length, late},
};

/// Puts a body in while it is polled.
pub(super) type Sending = Pin<Box<dyn FusedFuture<Output = Result<()>>>>;

/// A request's body, unread.
pub struct Upload(Payload);

/// The bounds of a body on its way.
struct Bounds {
    bytes_max: u64,
    /// The longest that the client may leave us without a byte.
    client: Duration,
    /// The longest that the service may take none.
    service: Duration,
    deadline: Instant,
}

impl Upload {
    /// Begins to send, when there is something.
    pub(super) fn begin(self, request: &HttpRequest, settings: &Settings) -> Result<(Option<proxy::Upload>, Sending)> {
        let declared = declared_length(request);
        let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        if !chunked && declared.unwrap_or(0) == 0 {
            let nothing: LocalBoxFuture<'static, Result<()>> = std::future::pending().boxed_local();
            return Ok((None, Box::pin(nothing.fuse())));
        }
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Error::invalid_body(Details::form("A request by this method takes no body")));
        }
        let bytes_max = settings.request_bytes_max;
        if declared.is_some_and(|length| length > bytes_max) {
            return Err(Error::too_large(bytes_max));
        }
        let client = Limits::of(request)?.timeout;
        let bounds = Bounds { bytes_max, client, service: settings.silence, deadline: Instant::now() + settings.total };
        let (sender, upload) = proxy::upload(declared.filter(|_| !chunked));
        Ok((Some(upload), Box::pin(send(self.0, sender, bounds).fuse())))
    }
}

/// Reads and hands on, piece by piece. A service that takes no more has its answer ready, or will not have one: it is asked, not us.
async fn send(mut payload: Payload, sender: Sender, bounds: Bounds) -> Result<()> {
    let mut left = bounds.bytes_max;
    loop {
        let piece = match timeout_at(bounds.until(bounds.client), payload.next()).await {
            Err(_) => return Err(late()),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(broken_off()),
            Ok(Some(Ok(piece))) => piece,
        };
        let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        left = left.checked_sub(size).ok_or_else(|| Error::too_large(bounds.bytes_max))?;
        match timeout_at(bounds.until(bounds.service), sender.send(piece)).await {
            Err(_) => return Err(stuck()),
            Ok(Err(_)) => return Ok(()),
            Ok(Ok(())) => {}
        }
    }
    timeout_at(bounds.until(bounds.service), sender.finish()).await.map(|_| ()).map_err(|_| stuck())
}

impl Bounds {
    fn until(&self, wait: Duration) -> Instant {
        self.deadline.min(Instant::now() + wait)
    }
}

fn stuck() -> Error {
    Error::new(Code::UpstreamTimeout, "The upstream did not take the body in time")
}

impl FromRequest for Upload {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(payload.take())))
    }
}

impl Describe for Upload {
    fn describe(operation: &mut Operation<'_>) {
        operation.passes_on();
        operation.fails(&[Code::ValidationError, Code::RequestTimeout, Code::PayloadTooLarge]);
    }
}

//! `ANY /api/proxy/{upstream}/{path}`: services that our callers reach through us, with their session, and without knowing what lets us in.

mod passed;
mod proxies;
mod target;
mod upload;
mod watched;

use actix_web::{
    HttpRequest,
    http::{Version, header},
    web::Data,
};
use auth::{Caller, scope};
use domain::{Code, Details, Error, Result};
use futures::{FutureExt, future::LocalBoxFuture};
use upstream::proxy::{Ask, Behalf, Failure};

use crate::server::{Lifeline, PublicUrl};

pub use passed::Passed;
pub use proxies::Proxies;
pub use target::Target;
pub use upload::Upload;
pub use watched::Watched;

/// Passes a request on, and its answer back.
///
/// # Errors
/// `VALIDATION_ERROR` for a path that could be read as another one, a body where none belongs, and web sockets; `REQUEST_TIMEOUT` and
/// `PAYLOAD_TOO_LARGE` for the body; `UPSTREAM_ERROR`, `UPSTREAM_TIMEOUT`, `UNAVAILABLE`, `NOT_CONFIGURED`.
pub async fn forward(
    caller: Caller<scope::CallUpstreams>,
    target: Target,
    upload: Upload,
    request: HttpRequest,
    public: Data<PublicUrl>,
) -> Result<Passed> {
    refuse_websockets(&request)?;
    let (body, mut sending) = upload.begin(&request, target.proxy.settings())?;
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let query = request.uri().query();
    let behalf = behalf(&caller, &request, &public);
    let ask = Ask::new(request.method().as_str(), (&target.path, query), headers, version(&request), behalf);
    let ask = ask.ok_or_else(|| Error::invalid_parameters(Details::form("A header is not one")))?;
    let mut left = Lifeline::left(&request).boxed_local();
    let answer = tokio::select! {
        answer = target.proxy.call(ask, body, sending.as_mut()) => answer.map_err(|failure| failed(&target, failure))?,
        // Nobody sees this answer.
        () = &mut left => return Err(Error::new(Code::RequestTimeout, "The client left")),
    };
    Ok(Passed { answer, sending, left, proxy: target.proxy })
}

/// What waits beside an answer: nothing is done with its outcome.
type Aside<T> = LocalBoxFuture<'static, T>;

fn refuse_websockets(request: &HttpRequest) -> Result<()> {
    let asked = request.headers().get_all(header::UPGRADE).filter_map(|value| value.to_str().ok());
    let asked = asked.into_iter().any(|value| value.to_ascii_lowercase().contains("websocket"));
    if asked { Err(Error::new(Code::ValidationError, "WebSockets are not passed on")) } else { Ok(()) }
}

fn behalf(caller: &Caller<scope::CallUpstreams>, request: &HttpRequest, public: &PublicUrl) -> Behalf {
    let (scheme, host) = match public.0.as_deref().and_then(|url| url.split_once("://")) {
        Some((scheme, host)) => (if scheme == "https" { "https" } else { "http" }, Some(host.to_owned())),
        None => ("http", None),
    };
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    Behalf { address: caller.actor.address, user: caller.user.to_string(), request_id: id.to_owned(), scheme, host }
}

fn version(request: &HttpRequest) -> &'static str {
    match request.version() {
        Version::HTTP_2 => "2.0",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    }
}

fn failed(target: &Target, failure: Failure<Error>) -> Error {
    let name = &target.proxy;
    match failure {
        Failure::Path(refused) => Error::invalid_parameters(Details::field("path", refused.0)),
        Failure::Open(wait) => {
            Error::unavailable_for(wait.as_secs().saturating_add(1), format!("{name} keeps failing and is left alone for a while"))
        }
        Failure::Busy => Error::unavailable(format!("too many calls to {name} at the same time")),
        Failure::Timeout => Error::new(Code::UpstreamTimeout, "The upstream did not answer in time").with_source(name.to_string()),
        Failure::Unreachable(causes) => failure_of(name, &causes),
        Failure::Nonsense(what) => failure_of(name, what),
        Failure::Sending(error) => error,
    }
}

fn failure_of(name: &impl std::fmt::Display, cause: &str) -> Error {
    Error::new(Code::UpstreamError, "The upstream failed").with_source(format!("{name}: {cause}"))
}

//! The outermost layer: gives every request its id, every answer its headers, every error its body, and writes one log line.

mod log_line;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use actix_web::{
    HttpMessage, HttpResponse, ResponseError,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use auth::limits::RateHeaders;
use domain::{Code, Error, UserId};
use futures::FutureExt;

use self::log_line::log_line;
use super::request_id;
use crate::{
    conditional,
    server::{Lifeline, Readiness, Sending},
    table::Deprecations,
};

/// What the boundary needs to know.
pub(crate) struct Boundary {
    /// Whether every request gets a log line.
    pub(crate) access_log: bool,
    /// Whether answers tell browsers to stay on TLS.
    pub(crate) secure: bool,
    /// Whether the server is ready to answer at all.
    pub(crate) readiness: Arc<Readiness>,
    /// What is said of deprecated methods.
    pub(crate) deprecations: Deprecations,
}

/// What log line and headers need of a request that is gone by then.
struct Seen {
    started: Instant,
    method: Method,
    id: HeaderValue,
    deprecation: Vec<(HeaderName, HeaderValue)>,
}

/// The middleware.
pub(crate) async fn boundary<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Sending<EitherBody<B, BoxBody>>>, actix_web::Error> {
    let Some(settings) = request.app_data::<Data<Boundary>>().cloned() else {
        return Err(Error::internal("no boundary settings").into());
    };
    let seen = Seen {
        started: Instant::now(),
        method: request.method().clone(),
        id: request_id::of(&request),
        deprecation: settings.deprecations.of_request(&request),
    };
    // So that handlers know the request by the same id.
    request.headers_mut().insert(HeaderName::from_static(request_id::HEADER), seen.id.clone());
    let busy = Lifeline::busy(request.request());
    let served = if settings.readiness.is_started() || !request.path().starts_with("/api/") {
        AssertUnwindSafe(next.call(request)).catch_unwind().await
    } else {
        Ok(Err(Error::unavailable("the database is not ready yet").into()))
    };
    match served {
        Ok(Ok(response)) => Ok(finish(response, &settings, &seen).map_body(|_, body| Sending::new(body, busy))),
        Ok(Err(error)) => Err(with_ours(&error, |error| render_alone(error, &settings, &seen))),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
            let error = Error::internal(format!("panic: {}", text.unwrap_or_default()));
            Err(render_alone(&error, &settings, &seen))
        }
    }
}

fn finish<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    settings: &Boundary,
    seen: &Seen,
) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let user = response.request().extensions().get::<UserId>().copied();
    let rate = response.request().extensions_mut().remove::<RateHeaders>();
    let log = |error: Option<&Error>| log_line(settings, seen, Some(response.request()), user, response.status(), error);
    let error_body = match response.response().error() {
        None => {
            log(None);
            None
        }
        Some(error) => Some(with_ours(error, |error| {
            log(Some(error));
            body(error, seen)
        })),
    };
    let mut response = match error_body {
        None => response.map_into_left_body(),
        Some(bytes) => response.map_body(|head, _| {
            head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            EitherBody::right(BoxBody::new(bytes))
        }),
    };
    if let Some(rate) = rate {
        for (name, value) in rate.pairs() {
            response.headers_mut().insert(name, value);
        }
    }
    conditional::name_coding(response.response_mut());
    add_headers(response.headers_mut(), settings, seen);
    // It keeps an answer from being compressed; to a client it says nothing.
    if response.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        response.headers_mut().remove(header::CONTENT_ENCODING);
    }
    response
}

/// An answer for an error that has no request any more.
fn render_alone(error: &Error, settings: &Boundary, seen: &Seen) -> actix_web::Error {
    log_line(settings, seen, None, None, error.status_code(), Some(error));
    let mut response = HttpResponse::build(error.status_code());
    if let Some(header) = error.header() {
        response.insert_header(header);
    }
    let mut response = response.content_type("application/json").body(body(error, seen));
    add_headers(response.headers_mut(), settings, seen);
    InternalError::from_response(error.to_string(), response).into()
}

fn body(error: &Error, seen: &Seen) -> Vec<u8> {
    serde_json::to_vec(&error.body(seen.id.to_str().unwrap_or_default())).unwrap_or_default()
}

/// Our error, or what comes closest to one of actix's or of a middleware's.
fn with_ours<T>(error: &actix_web::Error, then: impl FnOnce(&Error) -> T) -> T {
    if let Some(ours) = error.as_error::<Error>() {
        return then(ours);
    }
    then(&match error.as_response_error().status_code() {
        StatusCode::NOT_FOUND => Error::new(Code::NotFound, "Not found"),
        StatusCode::PAYLOAD_TOO_LARGE => Error::new(Code::PayloadTooLarge, "The body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::new(Code::UnsupportedMediaType, "Unsupported media type"),
        status if status.is_client_error() => Error::new(Code::ValidationError, "Bad request"),
        _ => Error::internal(error.to_string()),
    })
}

fn add_headers(headers: &mut HeaderMap, settings: &Boundary, seen: &Seen) {
    headers.insert(HeaderName::from_static(request_id::HEADER), seen.id.clone());
    // Said to keep the compression away; to clients it means nothing (RFC 9110, 8.4).
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
    for (name, value) in &seen.deprecation {
        headers.append(name.clone(), value.clone());
    }
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::CACHE_CONTROL, "no-store");
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if settings.secure {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, body, middleware::from_fn, test, web};

    use super::*;

    async fn panics() -> HttpResponse {
        panic!("the secret cause")
    }

    /// What a handler that goes wrong in this way makes of a request.
    async fn answer(path: &str) -> (StatusCode, HeaderMap, serde_json::Value) {
        let readiness = Arc::new(Readiness::default());
        readiness.start();
        let settings = Data::new(Boundary { access_log: false, secure: false, readiness, deprecations: Deprecations::default() });
        let app = App::new()
            .app_data(settings)
            .route("/panic", web::get().to(panics))
            .route("/fault", web::get().to(|| async { Err::<HttpResponse, _>(Error::internal("the secret cause")) }))
            .route("/foreign", web::get().to(|| async { Err::<HttpResponse, _>(actix_web::error::ErrorImATeapot("the secret cause")) }))
            .wrap(from_fn(boundary));
        let app = test::init_service(app).await;
        let request = test::TestRequest::get().uri(path).insert_header(("x-request-id", "told")).to_request();
        let (status, headers, bytes) = match test::try_call_service(&app, request).await {
            Ok(response) => (response.status(), response.headers().clone(), body::to_bytes(response.into_body()).await.ok()),
            Err(error) => {
                let response = error.error_response();
                (response.status(), response.headers().clone(), body::to_bytes(response.into_body()).await.ok())
            }
        };
        (status, headers, serde_json::from_slice(&bytes.unwrap()).unwrap())
    }

    #[actix_web::test]
    async fn whatever_goes_wrong_is_told_in_one_shape_without_its_cause() {
        slog_scope::set_global_logger(slog::Logger::root(slog::Discard, slog::o!())).cancel_reset();
        for (path, status, code) in
            [("/panic", 500, "INTERNAL_ERROR"), ("/fault", 500, "INTERNAL_ERROR"), ("/foreign", 418, "VALIDATION_ERROR")]
        {
            let (seen, headers, body) = answer(path).await;
            assert_eq!((seen.as_u16(), body["code"].as_str(), body["requestId"].as_str()), (status, Some(code), Some("told")), "{path}");
            assert_eq!(headers.get("x-request-id").unwrap(), "told");
            assert_eq!(headers.get("content-type").unwrap(), "application/json");
            assert!(!body.to_string().contains("secret"), "{body}");
        }
    }
}

//! CORS from the list of allowed origins, and preflights that answer as every `OPTIONS` does: 204 with `Allow`.

use std::collections::HashMap;

use actix_cors::Cors;
use actix_web::{
    HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::Next,
    web::Data,
};
use domain::{Code, Error};

/// The value of `Allow` by path pattern.
pub(crate) struct Allows(pub(crate) HashMap<String, String>);

/// The CORS rules.
pub(crate) fn cors(origins: &[String]) -> Cors {
    let methods = vec![Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let headers = ["content-type", "authorization", "idempotency-key", "if-match", "if-none-match", "range", "if-range", "x-request-id"];
    let exposed = [
        "link",
        "x-total-count",
        "etag",
        "x-request-id",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "idempotency-replayed",
        "deprecation",
        "sunset",
        "content-range",
        "content-disposition",
    ];
    let rules = Cors::default()
        .allowed_methods(methods)
        .allowed_headers(headers)
        .expose_headers(exposed)
        .supports_credentials()
        .block_on_origin_mismatch(false)
        .max_age(86_400);
    origins.iter().fold(rules, |rules, origin| rules.allowed_origin(origin))
}

/// Lets the CORS layer judge a preflight, then answers it as any `OPTIONS`: the origin decides about the CORS headers, not the status.
pub(crate) async fn preflight<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let asks = *request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !asks {
        let mut response = next.call(request).await?.map_into_left_body();
        let headers = response.headers_mut();
        if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            // Said to every caller by the CORS layer; they mean nothing without the origin.
            headers.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
            headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        }
        return Ok(response);
    }
    let pattern = request.match_pattern();
    let allow = request.app_data::<Data<Allows>>().and_then(|allows| allows.0.get(pattern.as_deref()?).cloned());
    let Some(allow) = allow else { return Err(Error::new(Code::NotFound, "Not found").into()) };
    let (request, judged) = next.call(request).await?.into_parts();
    let mut answer = HttpResponse::NoContent();
    for (name, value) in judged.headers() {
        if name.as_str().starts_with("access-control-") || name == header::VARY {
            answer.append_header((name, value));
        }
    }
    let answer = answer.insert_header((header::ALLOW, allow)).finish();
    Ok(ServiceResponse::new(request, answer).map_into_right_body())
}

//! The limit by address, before anything is looked up or routed. It stands inside CORS, so that pages of allowed origins can read a refusal.

use actix_web::{
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use auth::Limiter;
use domain::Error;
use persistence::Db;

/// Whether requests to this path count against the limit by address. Those who send webhooks come from few addresses and try again when
/// they are refused; what they send is checked by its signature.
pub(crate) fn is_limited(path: &str) -> bool {
    path.starts_with("/api/") && !path.starts_with("/api/webhooks/")
}

/// The middleware.
pub(crate) async fn throttle<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    // The path as it will be routed: in the one of the request line, any letter may be written as %61.
    if is_limited(request.match_info().as_str()) {
        let (Some(db), Some(limiter)) = (request.app_data::<Data<Db>>(), request.app_data::<Data<Limiter>>()) else {
            return Err(Error::internal("the throttle has no database or limiter").into());
        };
        if let Err(refusal) = limiter.admit_address(db, request.request()).await {
            return Ok(request.error_response(refusal).map_into_right_body());
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}

//! Lets actix carry our `Error`; the api's boundary middleware writes the body, as only it knows the request id.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};

use super::Error;

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(header) = self.header() {
            response.insert_header(header);
        }
        response.finish()
    }
}

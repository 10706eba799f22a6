//! Answers as they are kept: status, headers and body.

use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use domain::{Error, Result};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// An answer, and the text by which it can be given again.
///
/// # Errors
/// When it is no text, or its body is still to come: such an answer cannot be kept.
pub(super) fn keep(response: HttpResponse) -> Result<(HttpResponse, Vec<u8>)> {
    let (head, body) = response.into_parts();
    let body = body.try_into_bytes().map_err(|_| Error::internal("the answer is a stream"))?;
    let headers = head.headers().iter().map(|(name, value)| {
        let value = value.to_str().map_err(Error::internal)?;
        Ok((name.as_str().to_owned(), value.to_owned()))
    });
    let headers = headers.collect::<Result<_>>()?;
    let text = std::str::from_utf8(&body).map_err(Error::internal)?.to_owned();
    let kept = Kept { status: head.status().as_u16(), headers, body: text };
    let text = serde_json::to_vec(&kept).map_err(Error::internal)?;
    Ok((head.set_body(BoxBody::new(body)), text))
}

/// The answer of this text.
///
/// # Errors
/// When it is none.
pub(super) fn again(text: &[u8]) -> Result<HttpResponse> {
    let kept: Kept = serde_json::from_slice(text).map_err(Error::internal)?;
    let status = StatusCode::from_u16(kept.status).map_err(Error::internal)?;
    let mut response = HttpResponse::with_body(status, BoxBody::new(kept.body));
    for (name, value) in kept.headers {
        let name = HeaderName::try_from(name).map_err(Error::internal)?;
        response.headers_mut().append(name, HeaderValue::try_from(value).map_err(Error::internal)?);
    }
    Ok(response)
}

//! What the client would like to get.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use domain::Error;

use crate::{
    describe::{Describe, Operation},
    respond::NDJSON,
};

/// The media types a client accepts, as far as a route has a choice.
#[derive(Debug, Clone, Copy)]
pub struct Accepts {
    /// Whether it names NDJSON.
    pub ndjson: bool,
}

impl FromRequest for Accepts {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let types = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let mut names = types.filter_map(|item| item.split(';').next()).map(str::trim);
        ready(Ok(Self { ndjson: names.any(|name| name.eq_ignore_ascii_case(NDJSON) || name.eq_ignore_ascii_case("application/ndjson")) }))
    }
}

impl Describe for Accepts {
    fn describe(_: &mut Operation<'_>) {}
}

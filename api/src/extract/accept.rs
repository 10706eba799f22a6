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
    /// Whether it names server-sent events.
    pub events: bool,
}

impl FromRequest for Accepts {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let types = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let mut accepts = Self { ndjson: false, events: false };
        for name in types.filter_map(wanted) {
            accepts.ndjson |= name.eq_ignore_ascii_case(NDJSON) || name.eq_ignore_ascii_case("application/ndjson");
            accepts.events |= name.eq_ignore_ascii_case("text/event-stream");
        }
        ready(Ok(accepts))
    }
}

/// The name of a media type, unless its weight says that it is not wanted.
fn wanted(item: &str) -> Option<&str> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let refused = weight.is_some_and(|(_, weight)| weight.trim().trim_matches(['0', '.']).is_empty());
    (!refused).then_some(name)
}

impl Describe for Accepts {
    fn describe(_: &mut Operation<'_>) {}
}

//! The session cookie.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};

use crate::{Settings, Token};

/// The cookie's name; in production the prefix makes browsers refuse it without TLS or from a sub-domain.
#[must_use]
pub fn name(settings: &Settings) -> &'static str {
    if settings.secure { "__Host-session" } else { "session" }
}

/// The cookie that signs a browser in. The server ends the session earlier when it is not used.
#[must_use]
pub fn issue(settings: &Settings, token: &str) -> Cookie<'static> {
    let seconds = settings.lifetime.max.as_secs().try_into().unwrap_or(i64::MAX);
    cookie(settings, token.to_owned(), Duration::seconds(seconds))
}

/// The cookie that signs a browser out.
#[must_use]
pub fn clear(settings: &Settings) -> Cookie<'static> {
    cookie(settings, String::new(), Duration::ZERO)
}

fn cookie(settings: &Settings, value: String, age: Duration) -> Cookie<'static> {
    Cookie::build(name(settings), value).path("/").http_only(true).secure(settings.secure).same_site(SameSite::Lax).max_age(age).finish()
}

/// The token of the request's cookie, if it is one.
pub(crate) fn token(request: &HttpRequest, settings: &Settings) -> Option<Token> {
    request.cookie(name(settings)).and_then(|cookie| Token::parse(cookie.value()))
}

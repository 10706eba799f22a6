//! The article's example of headers and cookies: a theme kept in the browser.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::header,
    web::Data,
};
use auth::Settings;
use domain::preference::{NewPreference, Preferences, Theme};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    extract::Body,
    respond::{Json, WithCookie},
};

const COOKIE: &str = "preference";

/// The theme that is remembered from now on.
#[derive(Serialize, JsonSchema)]
pub struct Remembered {
    /// Always true.
    success: bool,
    /// The theme.
    preference: Theme,
}

/// Says what the request's headers and cookies hold.
pub async fn show(request: HttpRequest, settings: Data<Settings>) -> Json<Preferences> {
    let user_agent = request.headers().get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Json(Preferences {
        preference: request.cookie(COOKIE).and_then(|cookie| Theme::named(cookie.value())),
        user_agent,
        has_auth: request.headers().contains_key(header::AUTHORIZATION),
        has_session: request.cookie(auth::cookie::name(&settings)).is_some(),
    })
}

/// Remembers a theme for 30 days.
pub async fn update(settings: Data<Settings>, Body(new): Body<NewPreference>) -> WithCookie<Json<Remembered>> {
    let cookie = Cookie::build(COOKIE, new.preference.as_str())
        .path("/")
        .http_only(true)
        .secure(settings.secure)
        .same_site(SameSite::Lax)
        .max_age(Duration::days(30))
        .finish();
    WithCookie(Json(Remembered { success: true, preference: new.preference }), cookie)
}

//! The API description and the page to try it, both from the binary alone.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::header::{self, HeaderValue},
};
use bytes::Bytes;
use domain::{Code, Error, Result};
use utoipa_swagger_ui::Config;

use crate::{
    cache::{Keep, Made},
    describe::{Describe, Operation},
    openapi,
};

static DESCRIPTION: LazyLock<Vec<u8>> = LazyLock::new(|| serde_json::to_vec(&openapi::document()).unwrap_or_default());

static UI: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    Arc::new(
        Config::from("/openapi.json")
            .try_it_out_enabled(true)
            .persist_authorization(true)
            .display_request_duration(true)
            .filter(true)
            .use_base_layout(),
    )
});

/// The page runs its own scripts and calls its own server; the interface sets styles inline and shows pictures as data.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The OpenAPI document as bytes, made once.
pub struct Description;

impl Keep for Description {
    fn keep(self) -> Result<Made> {
        Ok(Made { content_type: HeaderValue::from_static("application/json"), body: Bytes::from_static(&DESCRIPTION) })
    }
}

impl Describe for Description {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers(200, "OK", Some(&serde_json::json!({ "type": "object" })));
    }
}

/// A file of the page.
pub struct Asset {
    bytes: Vec<u8>,
    content_type: String,
}

impl Responder for Asset {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, self.content_type))
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .body(self.bytes)
    }
}

impl Describe for Asset {
    fn describe(_: &mut Operation<'_>) {}
}

/// The description.
pub async fn description() -> Description {
    Description
}

/// The page. It is served without a slash at its end, so that its files have to be named in full.
///
/// # Errors
/// `INTERNAL_ERROR`.
pub async fn page() -> Result<Asset> {
    let mut page = asset("index.html")?;
    let html = String::from_utf8_lossy(&page.bytes).replace("\"./", "\"/docs/").replace("href=\"index.css", "href=\"/docs/index.css");
    page.bytes = html.replace("<title>Swagger UI</title>", "<title>Handrail API</title>").into_bytes();
    Ok(page)
}

/// A file of the page.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn file(request: HttpRequest) -> Result<Asset> {
    asset(request.match_info().get("file").unwrap_or_default())
}

fn asset(name: &str) -> Result<Asset> {
    let file = utoipa_swagger_ui::serve(name, Arc::clone(&UI)).map_err(|error| Error::internal(error.to_string()))?;
    let file = file.ok_or_else(|| Error::new(Code::NotFound, "Not found"))?;
    Ok(Asset { bytes: file.bytes.into_owned(), content_type: file.content_type })
}

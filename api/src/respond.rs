//! What handlers return: each type is an answer's status, headers and body, and describes itself.

mod export;

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, cookie::Cookie, http::header, web::Data};
use domain::page::{PAGE_MAX, Page, Start, Window};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    conditional::Tag,
    describe::{Describe, Operation},
    server::PublicUrl,
};
pub use export::{Batch, CSV, Exported, Format, ListedOr, NDJSON, export_pages};

/// 200 with a JSON body.
pub struct Json<T>(pub T);

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self.0)
    }
}

impl<T: JsonSchema> Describe for Json<T> {
    fn describe(operation: &mut Operation<'_>) {
        let schema = operation.output::<T>();
        operation.answers(200, "OK", Some(&schema));
    }
}

/// 200 with a JSON body and its strong `ETag`; 304 for a reader who has it.
pub struct Resource<T>(pub T);

impl<T: Serialize> Responder for Resource<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let body = match serde_json::to_vec(&self.0) {
            Ok(body) => body,
            Err(error) => return HttpResponse::from_error(domain::Error::internal(error)),
        };
        let tag = Tag::of(&body);
        if request.method().is_safe() && tag.is_known(request) {
            return tag.not_modified();
        }
        let mut response = HttpResponse::Ok().content_type("application/json").body(body);
        tag.put(&mut response);
        response
    }
}

impl<T: JsonSchema> Describe for Resource<T> {
    fn describe(operation: &mut Operation<'_>) {
        Json::<T>::describe(operation);
        operation.header("ETag", "The version: for `If-None-Match`, and for `If-Match` when it is changed");
        if operation.is_read() {
            operation.answers(304, "What `If-None-Match` names is still so", None);
        }
    }
}

/// 201 with a JSON body and where the new thing is.
pub struct Created<T> {
    /// The path of the new thing.
    pub location: String,
    /// The new thing.
    pub body: T,
}

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Created().insert_header((header::LOCATION, self.location)).json(self.body)
    }
}

impl<T: JsonSchema> Describe for Created<T> {
    fn describe(operation: &mut Operation<'_>) {
        let schema = operation.output::<T>();
        operation.answers(201, "Created", Some(&schema));
        operation.header("Location", "The path of what was created");
    }
}

/// 200 with `{"success": true}`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Success")]
pub struct Done {
    /// Always true.
    success: bool,
}

/// It was done.
pub const DONE: Json<Done> = Json(Done { success: true });

/// An answer that sets a cookie.
pub struct WithCookie<R>(pub R, pub Cookie<'static>);

impl<R: Responder<Body = BoxBody>> Responder for WithCookie<R> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = self.0.respond_to(request);
        if let Err(error) = response.add_cookie(&self.1) {
            return HttpResponse::from_error(domain::Error::internal(error.to_string()));
        }
        response
    }
}

impl<R: Describe> Describe for WithCookie<R> {
    fn describe(operation: &mut Operation<'_>) {
        R::describe(operation);
        operation.header("Set-Cookie", "HttpOnly, SameSite=Lax; Secure in production");
    }
}

/// 200 with a bare array, paged by `Link` (RFC 8288) and `X-Total-Count`.
pub struct Listed<T> {
    /// The page.
    pub page: Page<T>,
    /// Where it begins.
    pub window: Window,
}

impl<T: Serialize> Responder for Listed<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        let links = Links::of(request).all(&self.page, &self.window);
        if !links.is_empty() {
            response.insert_header((header::LINK, links));
        }
        if let Some(total) = self.page.total {
            response.insert_header(("x-total-count", total.to_string()));
        }
        response.json(self.page.items)
    }
}

impl<T: JsonSchema> Describe for Listed<T> {
    fn describe(operation: &mut Operation<'_>) {
        let schema = operation.output::<Vec<T>>();
        operation.answers(200, "OK", Some(&schema));
        operation.header("Link", "RFC 8288: first, prev, next, last; by cursor: next");
        operation.header("X-Total-Count", "How many items all pages hold; beyond 1000 about a second old; absent by cursor");
    }
}

/// Builds the links from the request's own address, so that every filter stays in them.
struct Links {
    base: String,
    kept: Vec<(String, String)>,
}

impl Links {
    fn of(request: &HttpRequest) -> Self {
        let public = request.app_data::<Data<PublicUrl>>().and_then(|url| url.0.clone()).unwrap_or_default();
        let kept = url::form_urlencoded::parse(request.query_string().as_bytes())
            .filter(|(name, _)| name != "page" && name != "cursor")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { base: format!("{public}{}", request.path()), kept }
    }

    fn all<T>(&self, page: &Page<T>, window: &Window) -> String {
        let mut links: Vec<String> = Vec::new();
        match window.start {
            Start::Page(number) => {
                let pages = page.total.unwrap_or(0).div_ceil(u64::from(window.limit));
                let last = u32::try_from(pages).unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
                links.push(self.one("first", "page", "1"));
                if number > 1 {
                    links.push(self.one("prev", "page", &(number - 1).min(last).to_string()));
                }
                if number < last {
                    links.push(self.one("next", "page", &(number + 1).to_string()));
                }
                links.push(self.one("last", "page", &last.to_string()));
            }
            Start::After(_) => {
                if let Some(next) = &page.next {
                    links.push(self.one("next", "cursor", &next.encode()));
                }
            }
        }
        links.join(", ")
    }

    fn one(&self, relation: &str, name: &str, value: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.kept.iter()).append_pair(name, value).finish();
        format!("<{}?{query}>; rel=\"{relation}\"", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_filters_and_stay_within_the_pages() {
        let links = Links { base: "/api/posts".into(), kept: vec![("tag".into(), "a b".into()), ("limit".into(), "2".into())] };
        let page = Page::<u8> { items: vec![], total: Some(5), next: None };
        let text = links.all(&page, &Window { start: Start::Page(2), limit: 2 });
        assert!(text.contains("</api/posts?tag=a+b&limit=2&page=3>; rel=\"next\""), "{text}");
        assert!(text.contains("page=3>; rel=\"last\"") && text.contains("page=1>; rel=\"prev\""), "{text}");
        let beyond = links.all(&page, &Window { start: Start::Page(9), limit: 2 });
        assert!(!beyond.contains("next") && beyond.contains("page=3>; rel=\"prev\""), "{beyond}");
    }
}

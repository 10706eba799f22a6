//! Refuses writes that another site's page makes with our cookie (OWASP ASVS 5.0, 3.5; the rules are those of Go's
//! `net/http.CrossOriginProtection`): the browser says where a request comes from, and no page can forge that.

use actix_web::{
    HttpRequest,
    http::{Method, header},
};

/// Whether a cookie on this request may count.
pub(crate) fn is_trusted(request: &HttpRequest, origins: &[String]) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let mut given = request.headers().get_all(header::ORIGIN);
    let origin = given.next().map(|value| value.to_str().unwrap_or("null"));
    if given.next().is_some() {
        return false;
    }
    if origin.is_some_and(|origin| origins.iter().any(|listed| listed == origin)) {
        return true;
    }
    match (request.headers().get("sec-fetch-site").map(header::HeaderValue::as_bytes), origin) {
        (Some(site), _) => matches!(site, b"same-origin" | b"none"),
        // Neither header: no browser sent this, and what is no browser holds its cookies itself.
        (None, None) => true,
        (None, Some(origin)) => {
            let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some() && authority == host
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn trusted(headers: &[(&str, &str)]) -> bool {
        let request = headers
            .iter()
            .fold(TestRequest::post().insert_header(("host", "api.example.com")), |request, header| request.append_header(*header));
        is_trusted(&request.to_http_request(), &["https://app.example.com".to_owned()])
    }

    #[test]
    fn other_sites_are_refused() {
        for headers in [
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://blog.example.com")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://api.example.com.evil.example")],
            &[("origin", "https://app.example.com"), ("origin", "https://evil.example")],
            &[("origin", "https://APP.example.com")],
        ] {
            assert!(!trusted(headers), "{headers:?}");
        }
    }

    #[test]
    fn our_own_pages_listed_origins_and_programs_pass() {
        for headers in [
            &[][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://api.example.com")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://api.example.com")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://app.example.com")],
        ] {
            assert!(trusted(headers), "{headers:?}");
        }
    }
}

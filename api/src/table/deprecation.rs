//! How clients are told that something will go: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and links to what to do about it.

use std::{
    collections::HashMap,
    io,
    time::{Duration, UNIX_EPOCH},
};

use actix_web::{
    dev::ServiceRequest,
    http::{
        Method,
        header::{self, HeaderName, HeaderValue, HttpDate},
    },
};

use super::Row;

/// Since when a method of a path is deprecated, when it will be gone, and what to do about it.
#[derive(Debug, Clone, Copy)]
pub struct Deprecation {
    /// Since when; may lie ahead. In seconds since 1970.
    pub since_s: u64,
    /// When it stops to answer, in seconds since 1970; not before `since_s`.
    pub sunset_s: Option<u64>,
    /// The address of a page that tells what to do.
    pub link: Option<&'static str>,
    /// The address of what takes its place.
    pub successor: Option<&'static str>,
}

type Headers = Vec<(HeaderName, HeaderValue)>;

impl Deprecation {
    fn headers(&self) -> io::Result<Headers> {
        let wrong = |problem: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("{problem}: {self:?}"));
        let value = |text: String| HeaderValue::from_str(&text).map_err(|_| wrong("no header can say this"));
        let mut headers = vec![(HeaderName::from_static("deprecation"), value(format!("@{}", self.since_s))?)];
        if let Some(sunset_s) = self.sunset_s {
            if sunset_s < self.since_s {
                return Err(wrong("gone before it was deprecated"));
            }
            let date = UNIX_EPOCH.checked_add(Duration::from_secs(sunset_s)).ok_or_else(|| wrong("no such date"))?;
            headers.push((HeaderName::from_static("sunset"), value(HttpDate::from(date).to_string())?));
        }
        for (address, relation) in [(self.link, "deprecation"), (self.successor, "successor-version")] {
            if let Some(address) = address {
                headers.push((header::LINK, value(format!("<{address}>; rel=\"{relation}\""))?));
            }
        }
        Ok(headers)
    }
}

/// What every answer of a deprecated method says.
#[derive(Debug, Default)]
pub(crate) struct Deprecations(HashMap<&'static str, Vec<(Method, Headers)>>);

impl Deprecations {
    /// Those of a route table.
    ///
    /// # Errors
    /// When one cannot be said in headers.
    pub(crate) fn of(table: &[Row]) -> io::Result<Self> {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for row in table {
            for entry in row.entries() {
                if let Some(deprecation) = entry.deprecated {
                    all.entry(row.path()).or_default().push((entry.method.clone(), deprecation.headers()?));
                }
            }
        }
        Ok(Self(all))
    }

    /// What to say to a request. It is looked up before routing, so that those who refuse it earlier say it too.
    pub(crate) fn of_request(&self, request: &ServiceRequest) -> Headers {
        if self.0.is_empty() {
            return Headers::new();
        }
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let methods = request.match_pattern().and_then(|path| self.0.get(path.as_str()));
        methods.into_iter().flatten().find(|(deprecated, _)| deprecated == method).map(|(_, headers)| headers.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::{
        App,
        http::StatusCode,
        middleware::from_fn,
        test::{TestRequest, init_service, try_call_service},
        web::Data,
    };
    use domain::{Error, Result};

    use super::*;
    use crate::{
        middleware::{Boundary, boundary},
        respond::{DONE, Done, Json},
        server::Readiness,
        table::at,
    };

    const DEPRECATION: Deprecation = Deprecation { since_s: 1_688_169_599, sunset_s: None, link: None, successor: None };

    #[test]
    fn headers_are_as_the_standards_have_them() {
        let all = Deprecation {
            sunset_s: Some(1_719_791_999),
            link: Some("https://example.com/moving"),
            successor: Some("/api/articles"),
            ..DEPRECATION
        };
        let headers = all.headers().unwrap();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(
            headers,
            [
                ("deprecation", "@1688169599"),
                ("sunset", "Sun, 30 Jun 2024 23:59:59 GMT"),
                ("link", "<https://example.com/moving>; rel=\"deprecation\""),
                ("link", "</api/articles>; rel=\"successor-version\""),
            ]
        );
        assert_eq!(DEPRECATION.headers().unwrap().len(), 1);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        for wrong in [
            Deprecation { sunset_s: Some(DEPRECATION.since_s - 1), ..DEPRECATION },
            Deprecation { link: Some("https://example.com/\n"), ..DEPRECATION },
        ] {
            assert!(wrong.headers().is_err(), "{wrong:?}");
        }
    }

    async fn works() -> Json<Done> {
        DONE
    }

    async fn fails() -> Result<Json<Done>> {
        Err(Error::not_found("Thing"))
    }

    async fn panics() -> Json<Done> {
        panic!("a fault")
    }

    fn table() -> Vec<Row> {
        vec![
            at("/api/things").get("List things", works).deprecated(DEPRECATION).post("Make a thing", works),
            at("/api/things/{id}").get("Show a thing", fails).deprecated(DEPRECATION).delete("Delete a thing", works),
            at("/api/faults").get("Go wrong", panics).deprecated(DEPRECATION),
        ]
    }

    /// What a server with that table answers: the status, and what it says of being deprecated.
    async fn answer(started: bool, method: Method, path: &str) -> (StatusCode, Option<HeaderValue>) {
        let readiness = Arc::new(Readiness::default());
        if started {
            readiness.start();
        }
        let deprecations = Deprecations::of(&table()).unwrap();
        let rows = |app: &mut actix_web::web::ServiceConfig| table().into_iter().for_each(|row| row.register(app));
        let settings = Data::new(Boundary { access_log: false, secure: false, readiness, deprecations });
        let app = init_service(App::new().app_data(settings).configure(rows).wrap(from_fn(boundary))).await;
        let request = TestRequest::with_uri(path).method(method).to_request();
        let (status, headers) = match try_call_service(&app, request).await {
            Ok(response) => (response.status(), response.headers().clone()),
            Err(error) => {
                // It is given out once.
                let response = error.error_response();
                (response.status(), response.headers().clone())
            }
        };
        (status, headers.get("deprecation").cloned())
    }

    #[actix_web::test]
    async fn every_answer_of_a_deprecated_method_says_so_and_no_other() {
        let _log = slog_scope::set_global_logger(slog::Logger::root(slog::Discard, slog::o!()));
        for (started, method, path, status, says) in [
            (true, Method::GET, "/api/things", 200, true),
            (true, Method::HEAD, "/api/things?a=b", 200, true),
            (true, Method::GET, "/api/things/1", 404, true),
            (true, Method::GET, "/api/faults", 500, true),
            (false, Method::GET, "/api/things", 503, true),
            (true, Method::POST, "/api/things", 200, false),
            (true, Method::DELETE, "/api/things/1", 200, false),
            (true, Method::PUT, "/api/things", 405, false),
            (true, Method::OPTIONS, "/api/things", 204, false),
            (true, Method::GET, "/api/nothing", 404, false),
        ] {
            let (seen, header) = answer(started, method.clone(), path).await;
            let expected = says.then(|| HeaderValue::from_static("@1688169599"));
            assert_eq!((seen.as_u16(), header), (status, expected), "{method} {path}");
        }
    }
}

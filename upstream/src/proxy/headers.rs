//! Which headers are passed on. What concerns one connection stays on it (RFC 9110, 7.6.1); what says who somebody is comes from us
//! alone; and what a browser would hold against our whole origin no service may say.

use std::net::IpAddr;

use reqwest::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, VIA};

/// By which name we are known in `Via`.
const PSEUDONYM: &str = "handrail";

/// Both ways: of one connection, or of how a body is framed, which is done anew.
const HOP: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
    // For servers in front that obey a service's headers.
    "x-sendfile",
    "x-lighttpd-send-file",
];
const HOP_PREFIXES: [&str; 4] = ["proxy-", "x-accel-", "access-control-", "sec-"];

/// Of requests: our tokens and cookies, where they came from and by whom, and what makes another request of them.
const ASKED: [&str; 27] = [
    "authorization",
    "cookie",
    "cookie2",
    "host",
    "origin",
    "referer",
    "forwarded",
    "x-forwarded",
    "x-request-id",
    "x-real-ip",
    "x-client-ip",
    "client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "fastly-client-ip",
    "x-original-url",
    "x-original-host",
    "x-original-uri",
    "x-rewrite-url",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "remote-user",
    "x-remote-user",
    "x-authenticated-user",
    "x-csrf-token",
];
const ASKED_PREFIXES: [&str; 5] = ["x-forwarded-", "x-envoy-", "x-amzn-oidc-", "x-ms-client-principal", "cf-"];

/// Of answers: what holds for our origin, our callers' caches and their log-in with us, or tells of the service's inside.
const ANSWERED: [&str; 48] = [
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "authentication-info",
    "set-login",
    "clear-site-data",
    "strict-transport-security",
    "public-key-pins",
    "public-key-pins-report-only",
    "expect-ct",
    "content-security-policy",
    "content-security-policy-report-only",
    "x-content-security-policy",
    "x-webkit-csp",
    "x-frame-options",
    "x-content-type-options",
    "x-xss-protection",
    "x-permitted-cross-domain-policies",
    "x-download-options",
    "x-dns-prefetch-control",
    "referrer-policy",
    "permissions-policy",
    "feature-policy",
    "document-policy",
    "integrity-policy",
    "origin-agent-cluster",
    "origin-trial",
    "service-worker-allowed",
    "speculation-rules",
    "use-as-dictionary",
    "supports-loading-mode",
    "sourcemap",
    "x-sourcemap",
    "refresh",
    "accept-ch",
    "critical-ch",
    "alt-svc",
    "nel",
    "report-to",
    "reporting-endpoints",
    "timing-allow-origin",
    // Who may keep an answer depends on who asked, which no service knows.
    "cache-control",
    "expires",
    "pragma",
    "age",
    "server",
    "x-powered-by",
    "x-request-id",
];
const ANSWERED_PREFIXES: [&str; 6] = ["cross-origin-", "attribution-reporting-", "ratelimit", "surrogate-", "cdn-", "x-aspnet"];

/// On whose behalf a call is made.
#[derive(Debug, Clone, Default)]
pub struct Behalf {
    /// Where the caller is.
    pub address: Option<IpAddr>,
    /// The caller's id.
    pub user: String,
    /// The request's id.
    pub request_id: String,
    /// How the caller reached us: `http` or `https`.
    pub scheme: &'static str,
    /// By which name the caller reached us, where that is known for sure.
    pub host: Option<String>,
}

/// What a request carries on. `version` is the one it came in, such as `1.1`.
pub(super) fn of_request(mut headers: HeaderMap, behalf: &Behalf, version: &str) -> HeaderMap {
    // A name with an underscore is, for many a service, the one with a dash.
    strip(&mut headers, |name| ASKED.contains(&name) || begins(name, &ASKED_PREFIXES) || name.contains('_'));
    if let Ok(via) = HeaderValue::try_from(format!("{version} {PSEUDONYM}")) {
        headers.append(VIA, via);
    }
    let said = [
        ("x-request-id", Some(behalf.request_id.clone())),
        ("x-forwarded-for", behalf.address.map(|address| address.to_string())),
        ("x-forwarded-proto", Some(behalf.scheme.to_owned())),
        ("x-forwarded-host", behalf.host.clone()),
    ];
    for (name, value) in said {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// What an answer carries on, beside the headers that say where something is.
pub(super) fn of_answer(mut headers: HeaderMap) -> HeaderMap {
    strip(&mut headers, |name| ANSWERED.contains(&name) || begins(name, &ANSWERED_PREFIXES));
    headers.insert(VIA, HeaderValue::from_static("1.1 handrail"));
    headers
}

/// The size of a head, as it is counted.
pub(super) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

fn strip(headers: &mut HeaderMap, too: impl Fn(&str) -> bool) {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> = named.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    let of_connection = |name: &str| HOP.contains(&name) || begins(name, &HOP_PREFIXES) || named.iter().any(|other| other == name);
    let gone: Vec<HeaderName> = headers.keys().filter(|name| of_connection(name.as_str()) || too(name.as_str())).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

fn begins(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_says_who_somebody_is_stays_here() {
        let behalf =
            Behalf { address: Some(IpAddr::from([203, 0, 113, 9])), request_id: "r1".into(), scheme: "https", ..Behalf::default() };
        let sent = map(&[
            ("authorization", "Bearer ours"),
            ("cookie", "session=ours"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-user", "root"),
            ("x_forwarded_for", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("x-real-ip", "6.6.6.6"),
            ("sec-fetch-site", "same-origin"),
            ("x-request-id", "theirs"),
            ("host", "evil.example"),
            ("accept", "text/plain"),
            ("x-custom", "1"),
            ("via", "1.0 edge"),
        ]);
        let passed = of_request(sent, &behalf, "1.1");
        assert_eq!(names(&passed), ["accept", "via", "x-custom", "x-forwarded-for", "x-forwarded-proto", "x-request-id"]);
        assert_eq!((&passed["x-forwarded-for"], &passed["x-request-id"]), (&"203.0.113.9".parse().unwrap(), &"r1".parse().unwrap()));
        let via: Vec<_> = passed.get_all(VIA).iter().collect();
        assert_eq!(via, ["1.0 edge", "1.1 handrail"]);
    }

    #[test]
    fn what_concerns_a_connection_stays_on_it() {
        let sent = map(&[
            ("connection", "keep-alive, X-Secret"),
            ("connection", "x-other ,, "),
            ("x-secret", "1"),
            ("x-other", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "close"),
            ("content-type", "text/plain"),
        ]);
        assert_eq!(names(&of_answer(sent.clone())), ["content-type", "via"]);
        assert_eq!(names(&of_request(sent, &Behalf::default(), "1.1")), ["content-type", "via", "x-forwarded-proto", "x-request-id"]);
    }

    #[test]
    fn no_service_speaks_for_our_origin() {
        let said = map(&[
            ("set-cookie", "session=theirs"),
            ("access-control-allow-origin", "*"),
            ("strict-transport-security", "max-age=0"),
            ("clear-site-data", "\"*\""),
            ("content-security-policy", "default-src *"),
            ("cross-origin-opener-policy", "unsafe-none"),
            ("cache-control", "public, max-age=3600"),
            ("www-authenticate", "Basic realm=x"),
            ("alt-svc", "h3=\"evil.example:443\""),
            ("service-worker-allowed", "/"),
            ("x-accel-redirect", "/internal"),
            ("refresh", "0; url=https://evil.example"),
            ("content-type", "application/json"),
            ("etag", "\"1\""),
            ("x-total-count", "7"),
            ("retry-after", "3"),
        ]);
        assert_eq!(names(&of_answer(said)), ["content-type", "etag", "retry-after", "via", "x-total-count"]);
    }
}

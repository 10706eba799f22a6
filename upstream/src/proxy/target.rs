//! Where a call goes: a path below the service's address, and nothing else whatever is written into it.

use percent_encoding::percent_decode_str;
use url::Url;

/// How often a path may be encoded: what is decoded on its way more often than once must not become another path by it.
const ENCODINGS_MAX: usize = 4;

/// A path that is not passed on, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);

/// The address of a path (as it stood in the request line, without a leading slash) below a base.
pub(super) fn url(base: &Url, path: &str, query: Option<&str>) -> Result<Url, Refused> {
    check(path)?;
    let whole = format!("{}/{path}", base.path().trim_end_matches('/'));
    let mut url = base.clone();
    url.set_path(&whole);
    url.set_query(query);
    // Whatever the parser of URLs made of it must still be what was checked.
    if url.path() != whole || url.origin() != base.origin() { Err(Refused("The path is not plain")) } else { Ok(url) }
}

/// Where a `Location` of an answer leads for our callers: `None` when it leads out of what lies below the base.
pub(super) fn location(base: &Url, asked: &Url, mount: &str, value: &str) -> Option<String> {
    let url = asked.join(value).ok()?;
    let ours = url.origin() == base.origin() && url.username().is_empty() && url.password().is_none();
    let rest = url.path().strip_prefix(base.path().trim_end_matches('/'))?.strip_prefix('/')?;
    if !ours || check(rest).is_err() {
        return None;
    }
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let fragment = url.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
    Some(format!("{mount}/{rest}{query}{fragment}"))
}

/// Refuses what could be read as another path by whoever decodes, joins or normalises it next.
pub(super) fn check(path: &str) -> Result<(), Refused> {
    if !path.bytes().all(is_plain) || !encodings_are_whole(path) {
        return Err(Refused("The path has characters that must be percent-encoded"));
    }
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        // The last one may be empty: a path may end with a slash.
        if segment.is_empty() && segments.peek().is_some() {
            return Err(Refused("The path has an empty segment"));
        }
        check_segment(segment)?;
    }
    Ok(())
}

fn check_segment(segment: &str) -> Result<(), Refused> {
    let mut text = segment.to_owned();
    for _ in 0..=ENCODINGS_MAX {
        // What stands behind a semicolon is cut off by some (`..;/`).
        if matches!(text.split(';').next(), Some("." | "..")) {
            return Err(Refused("The path has a segment of dots"));
        }
        if text.contains(['/', '\\']) {
            return Err(Refused("The path has an encoded slash or backslash"));
        }
        if text.chars().any(char::is_control) {
            return Err(Refused("The path has an encoded control character"));
        }
        // Also refuses the overlong forms of dots and slashes, which are no UTF-8.
        let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| Refused("The path is not UTF-8"))?;
        if decoded == text {
            return Ok(());
        }
        text = decoded.into_owned();
    }
    Err(Refused("The path is encoded too often"))
}

/// What may stand in a path (RFC 3986, `pchar` and the slash).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte)
}

fn encodings_are_whole(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://api.example.com/v1").unwrap()
    }

    fn to(path: &str) -> Result<String, Refused> {
        url(&base(), path, None).map(String::from)
    }

    #[test]
    fn plain_paths_go_below_the_base() {
        for path in
            ["", "a", "a/", "a/b.c", "@scope/name", "x:y", "a%20b", "100%25", "caf%C3%A9", "...", "a..b", "a;b=c", "user@host", "http:evil"]
        {
            assert_eq!(to(path).unwrap(), format!("https://api.example.com/v1/{path}"), "{path}");
        }
        assert_eq!(url(&base(), "a", Some("q=../..&u=http://x")).unwrap().as_str(), "https://api.example.com/v1/a?q=../..&u=http://x");
    }

    #[test]
    fn tricks_are_refused() {
        for path in [
            "..",
            ".",
            "a/../b",
            "a/./b",
            "../",
            "%2e%2e",
            "%2E%2e/a",
            ".%2e",
            "%252e%252e",
            "%25252e%25252e/x",
            "..;",
            "..;x=1/a",
            "%2e%2e;/",
            "..%3b/a",
            "/evil.example",
            "//evil.example",
            "a//b",
            "http://evil.example/",
            "https:%2f%2fevil.example",
            "a%2fb",
            "a%2F..%2Fb",
            "a%252fb",
            "%5cevil",
            "a\\b",
            "\\\\evil",
            "a%5c..%5cb",
            "a%00b",
            "%00",
            "a%2500",
            "a%0d%0ab",
            "a%7f",
            "a%c0%afb",
            "%c0%ae%c0%ae/a",
            "a%e0%80%afb",
            "a b",
            "a\"b",
            "a<b",
            "a{b}",
            "a|b",
            "a^b",
            "a`b",
            "a#b",
            "a?b",
            "[a]",
            "caf\u{e9}",
            "%",
            "a%2",
            "a%zz",
            "%%32%65",
            "%u002e",
            "%252525252525252e",
        ] {
            assert!(to(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_location_below_the_base_is_ours_and_no_other_is_known() {
        let asked = Url::parse("https://api.example.com/v1/items/7?x=1").unwrap();
        let location = |value: &str| location(&base(), &asked, "/api/proxy/orders", value);
        for (value, ours) in [
            ("/v1/items/8", "/api/proxy/orders/items/8"),
            ("8?y=2#z", "/api/proxy/orders/items/8?y=2#z"),
            ("https://api.example.com/v1/", "/api/proxy/orders/"),
            ("?page=2", "/api/proxy/orders/items/7?page=2"),
            ("//api.example.com/v1/a", "/api/proxy/orders/a"),
        ] {
            assert_eq!(location(value).as_deref(), Some(ours), "{value}");
        }
        for value in [
            "https://evil.example/v1/a",
            "//evil.example/v1/a",
            "http://api.example.com/v1/a",
            "https://api.example.com:8443/v1/a",
            "/v2/a",
            "/",
            "../../admin",
            "/v1evil",
            "https://user@api.example.com/v1/a",
            "javascript:alert(1)",
            "data:text/html,x",
            "\\\\evil.example",
            "/v1//evil.example",
            "/v1/a%2f..%2fb",
            "http://169.254.169.254/",
            "/v1/..;/a",
            "https://api.example.com",
        ] {
            assert_eq!(location(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_passed_on_stays_below_the_base(path in r"[/.%25eEfFcC2305;@:\\a-c?#]{0,24}") {
            if let Ok(url) = url(&base(), &path, None) {
                prop_assert_eq!(url.host_str(), Some("api.example.com"));
                prop_assert!(url.path().starts_with("/v1/") && url.query().is_none() && url.fragment().is_none());
                let mut decoded = url.path().to_owned();
                for _ in 0..6 {
                    prop_assert!(!decoded.contains("//") && !decoded.contains(['\\', '\0']));
                    prop_assert!(decoded.split('/').all(|segment| !matches!(segment, "." | "..")));
                    prop_assert_eq!(decoded.matches('/').count(), url.path().matches('/').count());
                    decoded = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
                }
            }
        }

        #[test]
        fn nothing_makes_it_panic(path in ".{0,64}", query in ".{0,64}") {
            let _ = url(&base(), &path, Some(&query));
            let _ = location(&base(), &base(), "/m", &path);
        }
    }
}

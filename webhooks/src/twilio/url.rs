//! The forms of a URL that Twilio may have signed. Texts, not parsed URLs: a parser would write escapes anew.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::form;

/// The parameter with the SHA-256 of the body in hex.
pub(super) const BODY_HASH: &str = "bodySHA256";

/// What `encodeURIComponent` of JavaScript leaves as it is.
const COMPONENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'!').remove(b'~').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// The URL as given, without and with its port (the scheme's own when it has none), and each of them with the query as URL parsers and
/// as older form encoders write it. Twilio's own libraries try the same; all are the same place.
pub(super) fn variants(url: &str) -> Vec<String> {
    let mut found = vec![url.to_owned()];
    let ported = ports(url);
    let requeried = ported.iter().flat_map(|url| requeried(url)).collect::<Vec<_>>();
    for variant in ported.into_iter().chain(requeried) {
        if !found.contains(&variant) {
            found.push(variant);
        }
    }
    found
}

/// The values of every `bodySHA256` in the query.
pub(super) fn body_hashes(url: &str) -> Vec<&str> {
    let pairs = query(url).split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| *name == BODY_HASH).map(|(_, value)| value).collect()
}

/// The query, without its question mark.
pub(super) fn query(url: &str) -> &str {
    url.split_once('?').map_or("", |(_, query)| query)
}

fn ports(url: &str) -> Vec<String> {
    let Some((scheme, after)) = url.split_once("://") else { return vec![url.to_owned()] };
    let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    let (host, port) = match authority.rsplit_once(':') {
        // Not the colon of a password or of an IPv6 address.
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port).filter(|port| !port.is_empty())),
        _ => (authority, None),
    };
    let port = port.or(match scheme {
        "https" => Some("443"),
        "http" => Some("80"),
        _ => None,
    });
    let with = port.map(|port| format!("{scheme}://{host}:{port}{rest}"));
    [format!("{scheme}://{host}{rest}")].into_iter().chain(with).collect()
}

fn requeried(url: &str) -> Vec<String> {
    let Some((before, query)) = url.split_once('?').filter(|(_, query)| !query.is_empty()) else { return Vec::new() };
    let parsed = query.replace('\'', "%27");
    let encode = |bytes: Vec<u8>| utf8_percent_encode(&String::from_utf8_lossy(&bytes), COMPONENT).to_string();
    let pairs = form::pairs(query.as_bytes()).unwrap_or_default().into_iter();
    let older = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&");
    vec![format!("{before}?{parsed}"), format!("{before}?{older}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_comes_and_goes() {
        assert_eq!(variants("https://h/p"), ["https://h/p", "https://h:443/p"]);
        assert_eq!(variants("http://h:1234"), ["http://h:1234", "http://h"]);
        assert_eq!(variants("https://user:12@h"), ["https://user:12@h", "https://user:12@h:443"]);
        assert_eq!(variants("http://[::1]/"), ["http://[::1]/", "http://[::1]:80/"]);
        assert_eq!(variants("https://h:/p"), ["https://h:/p", "https://h/p", "https://h:443/p"]);
        for odd in ["", "no url", "://", "ftp://h/p"] {
            assert_eq!(variants(odd), [odd]);
        }
    }

    #[test]
    fn the_query_is_written_in_three_ways() {
        let all = variants("https://h/p?a=It's+x&b");
        let without_port: Vec<_> = all.iter().filter(|url| !url.contains(":443")).collect();
        assert_eq!(without_port, ["https://h/p?a=It's+x&b", "https://h/p?a=It%27s+x&b", "https://h/p?a=It's%20x&b="]);
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn a_body_hash_is_found_in_the_query_only() {
        assert_eq!(body_hashes("https://h/bodySHA256=1?a=1&bodySHA256=ab"), ["ab"]);
        assert_eq!(body_hashes("https://h/?bodySHA256=1&bodySHA256=2"), ["1", "2"]);
        assert!(body_hashes("https://h/?xbodySHA256=1&bodysha256=2&bodySHA256").is_empty());
    }
}

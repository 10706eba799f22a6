//! The rules that several text fields share, with the words that explain them.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Deserializer};

/// One line: no control characters, and at least one that shows.
pub static LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[^\x00-\x1F\x7F]*[^\x00-\x20\x7F][^\x00-\x1F\x7F]*$"));
/// Any text without NUL, which PostgreSQL cannot store.
pub static TEXT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[^\x00]*$"));
/// Text without NUL in which at least one character shows.
pub static PROSE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[^\x00]*[^\x00-\x20\x7F][^\x00]*$"));
/// The shape of an e-mail address: dots only between other characters, and a domain of at least two labels.
pub static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[^\x00-\x20\x7F@.]+(\.[^\x00-\x20\x7F@.]+)*@[^\x00-\x20\x7F@.]+(\.[^\x00-\x20\x7F@.]+)+$"));
/// A language tag such as `en` or `pt-BR` (BCP 47, without extensions).
pub static LOCALE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"));
/// The shape of an IANA time zone name such as `Europe/Paris`; the name itself is looked up too.
pub static TIMEZONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[A-Za-z0-9_+/-]+$"));
/// A name in an address: words of lower-case letters and digits, joined by hyphens.
pub static SLUG: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[a-z0-9]+(-[a-z0-9]+)*$"));
/// The name of what happened: two words of lower-case letters, joined by a dot.
pub static ACTION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[a-z_]+\.[a-z_]+$"));
/// The tag of an answer that is kept: words of lower-case letters and digits, joined by a hyphen, a colon or a dot.
pub static TAG: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[a-z0-9]+([-:.][a-z0-9]+)*$"));
/// A token from a mail: 256 bits in URL-safe base64.
pub static TOKEN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[A-Za-z0-9_-]{43}$"));
/// An absolute http or https URL.
pub static URL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[Hh][Tt][Tt][Pp][Ss]?://[^\x00-\x20\x7F]+$"));

#[expect(clippy::expect_used, reason = "constant patterns; a test builds every one")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// What to tell people when a value breaks this pattern.
#[must_use]
pub fn explain(pattern: &str) -> &'static str {
    if pattern == LINE.as_str() {
        "Must not be blank or contain control characters"
    } else if pattern == TEXT.as_str() {
        "Must not contain NUL characters"
    } else if pattern == PROSE.as_str() {
        "Must not be blank or contain NUL characters"
    } else if pattern == EMAIL.as_str() {
        "Invalid email"
    } else if pattern == LOCALE.as_str() {
        "Must be a language tag such as en or pt-BR"
    } else if pattern == TIMEZONE.as_str() {
        "Must be an IANA time zone such as Europe/Paris"
    } else if pattern == SLUG.as_str() {
        "Must be lower-case letters and digits, joined by single hyphens"
    } else if pattern == ACTION.as_str() {
        "Must be an action such as member.added"
    } else if pattern == TAG.as_str() {
        "Must be lower-case letters and digits, joined by single hyphens, colons or dots"
    } else if pattern == TOKEN.as_str() {
        "Must be the token of a mailed link"
    } else if pattern == URL.as_str() {
        "Must be an http or https URL"
    } else {
        "Invalid format"
    }
}

/// For a field that may be absent but not null: `Option` alone would take null for absent.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The name of the format of time zones in schemas.
pub const TIMEZONE_FORMAT: &str = "iana-time-zone";

/// Whether the IANA database knows a time zone of this name.
#[must_use]
pub fn is_timezone(name: &str) -> bool {
    name.parse::<chrono_tz::Tz>().is_ok()
}

/// The rule for fields that hold a time zone.
#[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "garde passes the field and its context by reference")]
pub(crate) fn known_timezone(name: &Option<String>, _: &()) -> garde::Result {
    if name.as_deref().is_none_or(is_timezone) { Ok(()) } else { Err(garde::Error::new(explain(TIMEZONE.as_str()))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_build_and_refuse_what_they_say() {
        assert!(LINE.is_match("Ada Lovelace") && !LINE.is_match("a\u{0}b") && !LINE.is_match("a\nb") && !LINE.is_match("   "));
        assert!(TEXT.is_match("") && TEXT.is_match("a\nb") && !TEXT.is_match("\u{0}"));
        assert!(PROSE.is_match("\n# a\n") && !PROSE.is_match(" \n\t ") && !PROSE.is_match("a\u{0}"));
        assert!(EMAIL.is_match("ada.l@example.co.uk") && !EMAIL.is_match(".@a") && !EMAIL.is_match("a..b@c.de") && !EMAIL.is_match("a@b"));
        assert!(LOCALE.is_match("pt-BR") && !LOCALE.is_match("english please"));
        assert!(TIMEZONE.is_match("America/Argentina/Ushuaia") && !TIMEZONE.is_match("Mars Base"));
        assert!(SLUG.is_match("acme-2") && !SLUG.is_match("-acme") && !SLUG.is_match("Acme") && !SLUG.is_match("a--b"));
        assert!(ACTION.is_match("api_key.created") && !ACTION.is_match("created"));
        assert!(TAG.is_match("org:acme.plans-2") && !TAG.is_match("/api/plans") && !TAG.is_match("a--b") && !TAG.is_match(""));
        assert!(TOKEN.is_match(&"a-_Z0".repeat(9)[..43]) && !TOKEN.is_match("a") && !TOKEN.is_match(&"=".repeat(43)));
        assert!(URL.is_match("https://example.com/a.png") && !URL.is_match("javascript:alert(1)"));
    }
}

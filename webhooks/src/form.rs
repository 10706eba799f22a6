//! Form-encoded bodies and queries, decoded to bytes without loss: two different bodies must not become the same.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::Headers;

/// The most fields that are decoded: providers send some dozens, and this happens before the signature is known to be right.
const PAIRS_MAX: usize = 1000;

/// Names and values in the order they came in; `None` when there are too many.
pub(crate) fn pairs(form: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut fields = form.split(|&byte| byte == b'&').filter(|field| !field.is_empty());
    let pairs = fields.by_ref().take(PAIRS_MAX).map(pair).collect();
    fields.next().is_none().then_some(pairs)
}

/// Whether the body says that it is a form.
pub(crate) fn is_form(headers: Headers<'_>) -> bool {
    let media_type = headers.text("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn pair(field: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut halves = field.splitn(2, |&byte| byte == b'=');
    let mut next = || halves.next().map(decode).unwrap_or_default();
    (next(), next())
}

fn decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    match percent_decode(&spaced).into() {
        Cow::Owned(decoded) => decoded,
        Cow::Borrowed(_) => spaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_to_bytes() {
        let found = pairs(b"a=1&&b=x+y%2B%ff%zz&=&c&d=e=f").unwrap();
        let expected: [(&[u8], &[u8]); 5] = [(b"a", b"1"), (b"b", b"x y+\xff%zz"), (b"", b""), (b"c", b""), (b"d", b"e=f")];
        assert_eq!(found.iter().map(|(name, value)| (&name[..], &value[..])).collect::<Vec<_>>(), expected);
        assert_eq!(pairs(b"").unwrap().len(), 0);
        assert_eq!(pairs("a&".repeat(1000).as_bytes()).unwrap().len(), 1000);
        assert_eq!(pairs("a&".repeat(1001).as_bytes()), None);
    }

    #[test]
    fn a_form_says_so() {
        let is = |value: &str| is_form(Headers::new(&[("Content-Type", value.as_bytes())]));
        assert!(is("application/x-www-form-urlencoded") && is("Application/X-WWW-Form-Urlencoded; charset=UTF-8"));
        assert!(!is("application/json") && !is("") && !is_form(Headers::new(&[])));
    }
}

//! Request headers as pairs, so that no HTTP framework is needed to ask them.

use crate::Reject;

/// The headers of a request: names in any case, values as raw bytes.
#[derive(Clone, Copy)]
pub struct Headers<'r>(&'r [(&'r str, &'r [u8])]);

impl<'r> Headers<'r> {
    /// Takes headers in the order they came in, repeated ones too.
    pub const fn new(pairs: &'r [(&'r str, &'r [u8])]) -> Self {
        Self(pairs)
    }

    /// Every value of a header.
    pub(crate) fn all(self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        self.0.iter().filter(move |(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_ascii())
    }

    /// The text of a header that came once and is not blank.
    pub(crate) fn text(self, name: &str) -> Option<&'r str> {
        let mut values = self.all(name);
        let value = values.next().filter(|value| !value.is_empty())?;
        if values.next().is_some() { None } else { str::from_utf8(value).ok() }
    }

    /// A header that takes part in the signature.
    ///
    /// # Errors
    /// `Missing` when it is absent or blank, `Invalid` when it came more than once: no sender does that, and which one counts would
    /// be a guess.
    pub(crate) fn signing(self, name: &str) -> Result<&'r [u8], Reject> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Reject::Invalid),
            (None | Some(b""), None) => Err(Reject::Missing),
            (Some(value), None) => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_header_comes_once_and_says_something() {
        let pairs: [(&str, &[u8]); 5] = [("X-One", b" 1\t"), ("x-two", b"a"), ("X-Two", b"a"), ("x-blank", b" "), ("x-odd", b"\xff")];
        let headers = Headers::new(&pairs);
        assert_eq!(headers.signing("x-one"), Ok(&b"1"[..]));
        assert_eq!(headers.signing("X-TWO"), Err(Reject::Invalid));
        assert_eq!(headers.signing("x-blank"), Err(Reject::Missing));
        assert_eq!(headers.signing("x-none"), Err(Reject::Missing));
        assert_eq!(headers.signing("x-odd"), Ok(&b"\xff"[..]));
        assert_eq!((headers.text("x-one"), headers.text("x-two"), headers.text("x-odd")), (Some("1"), None, None));
    }
}

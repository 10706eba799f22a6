//! What a file is, by its first bytes: what its sender says decides nothing but which kind of text a text is.

use domain::{Error, Result};
use mime::Mime;

/// How many bytes tell what a file is.
pub(crate) const HEAD_BYTES: usize = 8192;
const TEXT: &str = "text/plain";
/// What a sender may say of a text: to a browser these are no different.
const TEXTS: [&str; 4] = [TEXT, "text/csv", "text/markdown", "application/json"];
const UNKNOWN: &str = "application/octet-stream";

/// What files may be.
pub(crate) struct Kinds(Vec<String>);

impl Kinds {
    /// Those of these media types, `image/*` and `*/*` among them.
    pub(crate) fn new(types: Vec<String>) -> Self {
        Self(types)
    }

    /// What a file is that begins like this.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE` when it may not be that.
    pub(crate) fn judge(&self, head: &[u8], said: Option<&Mime>) -> Result<&'static str> {
        let kind = kind(head, said);
        if self.0.iter().any(|pattern| fits(pattern, kind)) {
            return Ok(kind);
        }
        let code = domain::Code::UnsupportedMediaType;
        Err(Error::new(code, format!("Files of the type {kind} are not taken")))
    }
}

/// Whether a file of this type is text in UTF-8 as far as was looked.
pub(crate) fn is_text(kind: &str) -> bool {
    TEXTS.contains(&kind)
}

fn fits(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some("*") => true,
        Some(family) => kind.split_once('/').is_some_and(|(name, _)| name == family),
        None => pattern == kind,
    }
}

fn kind(head: &[u8], said: Option<&Mime>) -> &'static str {
    if let Some(known) = infer::get(head) {
        return known.mime_type();
    }
    if !reads_as_text(head) {
        return UNKNOWN;
    }
    let said = said.map(Mime::essence_str);
    TEXTS.into_iter().find(|text| said.is_some_and(|said| said.eq_ignore_ascii_case(text))).unwrap_or(TEXT)
}

/// Whether it is UTF-8 without control characters, but perhaps for a last character that is cut.
fn reads_as_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(head.split_at_checked(error.valid_up_to()).map_or(head, |(text, _)| text)).unwrap_or("\0")
        }
        Err(_) => return false,
    };
    !text.contains(|c: char| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &[u8], said: &str) -> &'static str {
        kind(head, said.parse().ok().as_ref())
    }

    #[test]
    fn bytes_tell_and_senders_only_name_texts() {
        assert_eq!(of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "text/csv"), "image/png");
        assert_eq!(of(b"%PDF-1.7\n", "image/png"), "application/pdf");
        assert_eq!(of(b"MZ\x90\0\x03", "image/png"), "application/vnd.microsoft.portable-executable");
        assert_eq!(of(b"a,b\n1,2\n", "text/csv"), "text/csv");
        assert_eq!(of("Ærø\n".as_bytes(), "image/png"), "text/plain");
        assert_eq!(of(b"<!DOCTYPE html><script>", "text/plain"), "text/html");
        assert_eq!(of(b"hello", "text/html"), "text/plain");
        assert_eq!(of(b"\0\x01\x02", "text/plain"), "application/octet-stream");
        assert_eq!(of(&"ø".as_bytes()[..1], "text/plain"), "text/plain");
    }

    #[test]
    fn only_what_is_listed_is_taken() {
        let kinds = Kinds::new(vec!["image/*".into(), "text/csv".into()]);
        assert!(kinds.judge(b"GIF89a", None).is_ok());
        assert!(kinds.judge(b"a,b", "text/csv".parse().ok().as_ref()).is_ok());
        assert!(kinds.judge(b"a,b", None).is_err());
        assert!(Kinds::new(vec!["*/*".into()]).judge(b"\0", None).is_ok());
    }
}

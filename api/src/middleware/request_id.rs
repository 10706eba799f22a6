//! The id that ties a request, its log lines and its error together.

use actix_web::{HttpRequest, dev::ServiceRequest, http::header::HeaderValue};
use uuid::Uuid;

/// The header, both ways.
pub(super) const HEADER: &str = "x-request-id";

/// Takes over the client's id when it is well formed, else makes one: up to 128 characters that mean nothing to a log or a shell.
pub(super) fn of(request: &ServiceRequest) -> HeaderValue {
    let given = request.headers().get(HEADER).filter(|value| is_well_formed(value.as_bytes()));
    given.cloned().unwrap_or_else(|| {
        let mut buffer = Uuid::encode_buffer();
        let text = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    })
}

/// The id of a request that has been through the boundary.
pub(crate) fn of_request(request: &HttpRequest) -> String {
    request.headers().get(HEADER).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned()
}

fn is_well_formed(id: &[u8]) -> bool {
    (1..=128).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_short_ids_are_taken_over() {
        assert!(is_well_formed(b"req-1_2.3:4"));
        for wrong in [&b""[..], b"a b", b"a\x1b[31m", b"a\"b", "ä".as_bytes(), &[b'a'; 129]] {
            assert!(!is_well_formed(wrong));
        }
    }
}

//! Twilio: `X-Twilio-Signature: <base64>`, HMAC-SHA1 over the URL and the sorted fields of the form.
//!
//! Source: <https://www.twilio.com/docs/usage/security#validating-requests>. Any other body is signed by its SHA-256, which Twilio adds
//! to the URL as `bodySHA256`; without that the signature says nothing about the body.

pub(crate) mod event;
#[cfg(test)]
mod tests;
mod url;

use data_encoding::{BASE64, HEXLOWER};

use crate::{
    Provider, Reject, Request, Secret, Verified, form,
    mac::{any_equal, hmac_sha1, sha256},
};

/// The header that signs.
pub const SIGNATURE: &str = "X-Twilio-Signature";

/// Verifies a request over its public URL, which Twilio signs now with, now without the port, so every form of it is tried.
///
/// # Errors
/// `Missing` without a header, `Invalid` when it does not sign this URL and body.
pub fn verify<'r>(tokens: &[Secret], request: &Request<'r>) -> Result<Verified<'r>, Reject> {
    let header = request.headers.signing(SIGNATURE)?;
    let signature: [u8; 20] = BASE64.decode(header).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(Reject::Invalid)?;
    let fields = signed_fields(request).ok_or(Reject::Invalid)?;
    let urls = url::variants(request.url);
    let expected = tokens.iter().flat_map(|token| urls.iter().map(|url| hmac_sha1(token.key(), &[url.as_bytes(), &fields])));
    if any_equal(expected, &[signature]) { Ok(Verified::new(Provider::Twilio, request, None)) } else { Err(Reject::Invalid) }
}

/// The header for a form sent to a URL; an empty form stands for a `GET`.
pub fn sign(token: &Secret, url: &str, form: &[u8]) -> String {
    BASE64.encode(&hmac_sha1(token.key(), &[url.as_bytes(), &sorted(form).unwrap_or_default()]))
}

/// The URL with the hash of a body that is no form added to it, and the header for it.
pub fn sign_body(token: &Secret, url: &str, body: &[u8]) -> (String, String) {
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}{}={}", url::BODY_HASH, HEXLOWER.encode(&sha256(&[body])));
    let signature = sign(token, &url, b"");
    (url, signature)
}

/// What is signed after the URL; `None` when the body is not covered by any signature.
fn signed_fields(request: &Request<'_>) -> Option<Vec<u8>> {
    match *url::body_hashes(request.url) {
        [] if request.body.is_empty() => Some(Vec::new()),
        [] if form::is_form(request.headers) => sorted(request.body),
        [hash] => {
            let expected = HEXLOWER.decode(hash.as_bytes()).ok()?.try_into().ok()?;
            any_equal([sha256(&[request.body])].into_iter(), &[expected]).then(Vec::new)
        }
        _ => None,
    }
}

/// Names and values one after the other, sorted by bytes, each pair once; `None` when there are too many.
fn sorted(form: &[u8]) -> Option<Vec<u8>> {
    let mut pairs = form::pairs(form)?;
    pairs.sort_unstable();
    pairs.dedup();
    Some(pairs.into_iter().flat_map(|(name, value)| [name, value]).flatten().collect())
}

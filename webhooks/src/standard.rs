//! Standard Webhooks, which Svix sends too: `<id>.<timestamp>.<body>`, signed with HMAC-SHA256 (`v1`) or ed25519 (`v1a`).
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

pub(crate) mod event;
mod key;
#[cfg(test)]
mod tests;

use data_encoding::BASE64;

pub use self::key::{Key, SigningKey};
use crate::{
    Headers, Provider, Reject, Request, Verified,
    time::{check_age, unix_seconds},
};

/// The header with the id of the message: the same for every delivery of it.
pub const ID: &str = "webhook-id";
/// The header with the time of this delivery in unix seconds.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header that signs: signatures separated by blanks.
pub const SIGNATURE: &str = "webhook-signature";

/// The names that Svix gives to the same headers, in the same order; they count when all three are there.
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];

/// More signatures than this are refused: a sender has one per active key, and each is checked.
const SIGNATURES_MAX: usize = 16;

/// Whether all three headers are there.
pub(crate) fn present(headers: Headers<'_>) -> Result<(), Reject> {
    signing(headers).map(drop)
}

/// Verifies a request; `now` in unix seconds. Any signature may be right for any key of its kind; other versions are ignored.
///
/// # Errors
/// `Missing` when one of the three headers is, `Invalid` when they do not sign this body, `Stale` when they do and the time is off.
pub fn verify<'r>(keys: &[Key], request: &Request<'r>, now: i64) -> Result<Verified<'r>, Reject> {
    let [id, time_text, list] = signing(request.headers)?;
    let time = unix_seconds(time_text).filter(|_| acceptable(id)).ok_or(Reject::Invalid)?;
    let given = Signatures::parse(list).ok_or(Reject::Invalid)?;
    let signed = [id, b".", time_text, b".", request.body];
    // Every key is tried, so that the time taken does not tell which one was right.
    if keys.iter().filter(|key| key.made_any(&given, &signed)).count() == 0 {
        return Err(Reject::Invalid);
    }
    check_age(time, now)?;
    Ok(Verified::new(Provider::Standard, request, Some(time)))
}

/// The signature header for a message delivered at a time in unix seconds, with one signature per key.
pub fn sign(keys: &[SigningKey], id: &str, at: i64, body: &[u8]) -> String {
    let time = at.to_string();
    let signed = [id.as_bytes(), b".", time.as_bytes(), b".", body];
    keys.iter().map(|key| key.sign(&signed)).collect::<Vec<_>>().join(" ")
}

/// The id of the message, in a request that was verified.
pub(crate) fn id(headers: Headers<'_>) -> Option<&str> {
    let [id, _, _] = signing(headers).ok()?;
    str::from_utf8(id).ok()
}

/// Id, time and signatures, all by one naming: one name of each would let someone add to what was signed.
fn signing(headers: Headers<'_>) -> Result<[&[u8]; 3], Reject> {
    let names = if SVIX.iter().all(|name| headers.all(name).next().is_some()) { SVIX } else { [ID, TIMESTAMP, SIGNATURE] };
    let [id, time, list] = names.map(|name| headers.signing(name));
    Ok([id?, time?, list?])
}

/// Printable, at most 255 bytes, and no full stop: with one, the end of the id could be passed off as the time.
fn acceptable(id: &[u8]) -> bool {
    id.len() <= 255 && id.iter().all(|&byte| byte.is_ascii_graphic() && byte != b'.')
}

/// The signatures of a header by kind, decoded.
#[derive(Default)]
pub(crate) struct Signatures {
    hmac: Vec<[u8; 32]>,
    ed25519: Vec<[u8; 64]>,
}

impl Signatures {
    /// Elements without a comma, of other versions, or of the wrong length are skipped; `None` when there are too many.
    fn parse(list: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut elements = list.split(|&byte| byte == b' ');
        for element in elements.by_ref().take(SIGNATURES_MAX) {
            let mut halves = element.splitn(2, |&byte| byte == b',');
            match (halves.next(), halves.next().and_then(|text| BASE64.decode(text).ok())) {
                (Some(b"v1"), Some(bytes)) => found.hmac.extend(<[u8; 32]>::try_from(bytes)),
                (Some(b"v1a"), Some(bytes)) => found.ed25519.extend(<[u8; 64]>::try_from(bytes)),
                _ => {}
            }
        }
        elements.next().is_none().then_some(found)
    }
}

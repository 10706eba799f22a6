//! Stripe: `Stripe-Signature: t=<unix seconds>,v1=<hex>`, HMAC-SHA256 over `<t>.<body>`.
//!
//! Source: <https://docs.stripe.com/webhooks/signature>. Where Stripe's libraries differ from each other the strict reading is taken,
//! see the tests.

pub(crate) mod event;
#[cfg(test)]
mod tests;

use data_encoding::HEXLOWER;

use crate::{
    Provider, Reject, Request, Secret, Verified,
    mac::{any_equal, hmac_sha256},
    time::{check_age, unix_seconds},
};

/// The header that signs.
pub const SIGNATURE: &str = "Stripe-Signature";

/// More signatures than this are refused: Stripe sends one per active secret, and each is compared.
const SIGNATURES_MAX: usize = 16;

/// Verifies a request; `now` in unix seconds. Any `v1` may be right for any secret; other schemes are ignored, `v0` above all, which
/// is no signature.
///
/// # Errors
/// `Missing` without a header, `Invalid` when it does not sign this body, `Stale` when it does and its time is off.
pub fn verify<'r>(secrets: &[Secret], request: &Request<'r>, now: i64) -> Result<Verified<'r>, Reject> {
    let header = Header::parse(request.headers.signing(SIGNATURE)?).ok_or(Reject::Invalid)?;
    let expected = secrets.iter().map(|secret| mac(secret, header.time_text, request.body));
    if !any_equal(expected, &header.signatures) {
        return Err(Reject::Invalid);
    }
    check_age(header.time, now)?;
    Ok(Verified::new(Provider::Stripe, request, Some(header.time)))
}

/// What the inbox needs to know of an event that Stripe's API gave, whose answer needs no signature.
pub fn fetched(event: &[u8]) -> crate::Envelope {
    event::envelope(event)
}

/// The header for a body signed at a time in unix seconds, with one `v1` per secret, as Stripe does while a secret is being replaced.
pub fn sign(secrets: &[Secret], at: i64, body: &[u8]) -> String {
    let time = at.to_string();
    let signatures = secrets.iter().map(|secret| format!(",v1={}", HEXLOWER.encode(&mac(secret, time.as_bytes(), body))));
    format!("t={time}{}", signatures.collect::<String>())
}

/// The whole text of the secret is the key, `whsec_` included: Standard Webhooks decode theirs, Stripe does not.
fn mac(secret: &Secret, time_text: &[u8], body: &[u8]) -> [u8; 32] {
    hmac_sha256(secret.key(), &[time_text, b".", body])
}

struct Header<'h> {
    /// The time as it stands there: these bytes are signed, not the number.
    time_text: &'h [u8],
    time: i64,
    signatures: Vec<[u8; 32]>,
}

impl<'h> Header<'h> {
    /// Elements without `=` and of other schemes are skipped. Two different times are refused: one of them would go unchecked.
    fn parse(header: &'h [u8]) -> Option<Self> {
        let mut time_text = None;
        let mut signatures = Vec::new();
        for element in header.split(|&byte| byte == b',') {
            let mut halves = element.trim_ascii().splitn(2, |&byte| byte == b'=');
            match (halves.next(), halves.next()) {
                (Some(b"t"), Some(text)) if time_text.is_none_or(|first| first == text) => time_text = Some(text),
                (Some(b"t"), Some(_)) => return None,
                (Some(b"v1"), Some(hex)) => signatures.push(hex),
                _ => {}
            }
        }
        if signatures.len() > SIGNATURES_MAX {
            return None;
        }
        // One that is no signature does not spoil the others.
        let signatures = signatures.into_iter().filter_map(|hex| HEXLOWER.decode(hex).ok()?.try_into().ok()).collect();
        let time_text = time_text?;
        Some(Self { time_text, time: unix_seconds(time_text)?, signatures })
    }
}

//! Lemon Squeezy: `X-Signature: <hex>`, HMAC-SHA256 over the body.
//!
//! Source: <https://docs.lemonsqueezy.com/help/webhooks/signing-requests>. There is neither a time nor an event id in it.

pub(crate) mod event;

use data_encoding::HEXLOWER;

use crate::{
    Provider, Reject, Request, Secret, Verified,
    mac::{any_equal, hmac_sha256},
};

/// The header that signs.
pub const SIGNATURE: &str = "X-Signature";

/// Verifies a request.
///
/// # Errors
/// `Missing` without a header, `Invalid` when it does not sign this body.
pub fn verify<'r>(secrets: &[Secret], request: &Request<'r>) -> Result<Verified<'r>, Reject> {
    let signature = parse(request.headers.signing(SIGNATURE)?).ok_or(Reject::Invalid)?;
    let expected = secrets.iter().map(|secret| hmac_sha256(secret.key(), &[request.body]));
    if any_equal(expected, &[signature]) { Ok(Verified::new(Provider::LemonSqueezy, request, None)) } else { Err(Reject::Invalid) }
}

/// The header for a body.
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    HEXLOWER.encode(&hmac_sha256(secret.key(), &[body]))
}

fn parse(header: &[u8]) -> Option<[u8; 32]> {
    HEXLOWER.decode(header).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;

    fn check(secrets: &[Secret], headers: &[(&str, &[u8])], body: &[u8]) -> Result<(), Reject> {
        verify(secrets, &Request { headers: Headers::new(headers), url: "", body }).map(drop)
    }

    #[test]
    fn a_signature_is_plain_hex() {
        let secrets = ["newer-secret", "mysecret"].map(|text| Secret::parse(Provider::LemonSqueezy, text).unwrap());
        let body = br#"{"foo":"bar"}"#;
        let hex = "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3";
        assert_eq!(sign(&secrets[1], body), hex);
        assert_eq!(check(&secrets, &[("X-Signature", hex.as_bytes())], body), Ok(()));
        assert_eq!(check(&secrets[..1], &[("X-Signature", hex.as_bytes())], body), Err(Reject::Invalid));
        assert_eq!(check(&secrets, &[], body), Err(Reject::Missing));
        let prefixed = format!("sha256={hex}");
        let upper = hex.to_uppercase();
        for wrong in ["ab", "x", "\u{e9}", &prefixed, &upper, &hex[..62]] {
            assert_eq!(check(&secrets, &[("X-Signature", wrong.as_bytes())], body), Err(Reject::Invalid), "{wrong}");
        }
    }
}

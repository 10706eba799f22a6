//! GitHub: `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 over the body.
//!
//! Source: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>. There is no time in it: a replay is told
//! by the delivery id alone. The older `X-Hub-Signature` (SHA-1) counts for nothing.

pub(crate) mod event;

use data_encoding::HEXLOWER;

use crate::{
    Provider, Reject, Request, Secret, Verified,
    mac::{any_equal, hmac_sha256},
};

/// The header that signs.
pub const SIGNATURE: &str = "X-Hub-Signature-256";

/// Verifies a request.
///
/// # Errors
/// `Missing` without a header, `Invalid` when it does not sign this body.
pub fn verify<'r>(secrets: &[Secret], request: &Request<'r>) -> Result<Verified<'r>, Reject> {
    let signature = parse(request.headers.signing(SIGNATURE)?).ok_or(Reject::Invalid)?;
    let expected = secrets.iter().map(|secret| hmac_sha256(secret.key(), &[request.body]));
    if any_equal(expected, &[signature]) { Ok(Verified::new(Provider::GitHub, request, None)) } else { Err(Reject::Invalid) }
}

/// The header for a body.
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    format!("sha256={}", HEXLOWER.encode(&hmac_sha256(secret.key(), &[body])))
}

fn parse(header: &[u8]) -> Option<[u8; 32]> {
    HEXLOWER.decode(header.strip_prefix(b"sha256=")?).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;

    const HELLO: &[u8] = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secret(text: &str) -> Secret {
        Secret::parse(Provider::GitHub, text).unwrap()
    }

    fn check(secrets: &[&str], signature: &[u8], body: &[u8]) -> Result<(), Reject> {
        let secrets: Vec<Secret> = secrets.iter().map(|text| secret(text)).collect();
        let pairs = [("x-hub-signature-256", signature)];
        verify(&secrets, &Request { headers: Headers::new(&pairs), url: "", body }).map(drop)
    }

    #[test]
    fn published_vectors_hold() {
        assert_eq!(check(&["It's a Secret to Everybody"], HELLO, b"Hello, World!"), Ok(()));
        let vectors = [
            ("mysecret", r#"{"foo":"bar"}"#, "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3"),
            ("secret", "data", "1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133ccbb9db"),
        ];
        for (text, body, hex) in vectors {
            let signature = format!("sha256={hex}");
            assert_eq!(check(&[text], signature.as_bytes(), body.as_bytes()), Ok(()));
            assert_eq!(sign(&secret(text), body.as_bytes()), signature);
        }
    }

    #[test]
    fn any_active_secret_will_do() {
        assert_eq!(check(&["new", "It's a Secret to Everybody", "older"], HELLO, b"Hello, World!"), Ok(()));
        assert_eq!(check(&["new", "older"], HELLO, b"Hello, World!"), Err(Reject::Invalid));
        assert_eq!(check(&[], HELLO, b"Hello, World!"), Err(Reject::Invalid));
    }

    #[test]
    fn other_shapes_are_refused() {
        let hex = &HELLO[7..];
        let upper = HELLO.to_ascii_uppercase();
        let sha1 = [&b"sha1="[..], hex].concat();
        let sha512 = [&b"sha512="[..], hex].concat();
        let twice = [HELLO, b",", HELLO].concat();
        let longer = [HELLO, b"00"].concat();
        for wrong in [b"foo", hex, &upper, &sha1, &sha512, &twice, &longer, b"sha256=", &HELLO[..70], b"sha256=\xff\xfe"] {
            assert_eq!(check(&["It's a Secret to Everybody"], wrong, b"Hello, World!"), Err(Reject::Invalid), "{wrong:?}");
        }
        assert_eq!(check(&["It's a Secret to Everybody"], b"", b"Hello, World!"), Err(Reject::Missing));
    }

    #[test]
    fn the_older_header_is_no_signature() {
        let pairs: [(&str, &[u8]); 1] = [("X-Hub-Signature", b"sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")];
        let request = Request { headers: Headers::new(&pairs), url: "", body: b"Hello, World!" };
        assert_eq!(verify(&[secret("x")], &request).map(drop), Err(Reject::Missing));
    }

    #[test]
    fn the_raw_bytes_are_signed() {
        let bodies = ["{\"a\":\"\\u001b\"}", "{\"a\":\"\u{1b} \u{2764}\"}", "\u{feff}{}", "{}\r\n", " {} ", ""];
        for (signed, sent) in bodies.iter().flat_map(|signed| bodies.map(|sent| (*signed, sent))) {
            let signature = sign(&secret("s"), signed.as_bytes());
            assert_eq!(check(&["s"], signature.as_bytes(), sent.as_bytes()).is_ok(), signed == sent, "{signed:?} {sent:?}");
        }
    }
}

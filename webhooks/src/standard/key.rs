//! Keys of Standard Webhooks: `whsec_` (shared), `whpk_` and `whsk_` (the two halves of an ed25519 pair), each followed by base64.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD};
use ed25519_dalek::{Signature, Signer, VerifyingKey};

use super::Signatures;
use crate::{
    SecretProblem,
    mac::{any_equal, hmac_sha256},
};

/// What a receiver verifies with. `Debug` prints stars.
#[derive(Clone)]
pub struct Key(Verifier);

#[derive(Clone)]
enum Verifier {
    Hmac(Box<[u8]>),
    Ed25519(VerifyingKey),
}

/// What a sender signs with. `Debug` prints stars.
#[derive(Clone)]
pub struct SigningKey(Signing);

#[derive(Clone)]
enum Signing {
    Hmac(Box<[u8]>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl Key {
    /// Reads `whsec_<base64>`, the same without prefix, or `whpk_<base64>`; padding may be left out.
    ///
    /// # Errors
    /// When it is empty, not base64, or no key a receiver should have.
    pub fn parse(text: &str) -> Result<Self, SecretProblem> {
        if text.starts_with("whsk_") {
            return Err(SecretProblem::PrivateKey);
        }
        let Some(public) = text.strip_prefix("whpk_") else {
            return Ok(Self(Verifier::Hmac(decode(text.strip_prefix("whsec_").unwrap_or(text))?.into())));
        };
        let bytes = decode(public)?.try_into().map_err(|_| SecretProblem::NotEd25519)?;
        let key = VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak());
        Ok(Self(Verifier::Ed25519(key.ok_or(SecretProblem::NotEd25519)?)))
    }

    /// Whether this key made any of the signatures of its kind.
    pub(super) fn made_any(&self, given: &Signatures, signed: &[&[u8]]) -> bool {
        match &self.0 {
            Verifier::Hmac(key) => any_equal([hmac_sha256(key, signed)].into_iter(), &given.hmac),
            // Nothing here is secret, so the first that is right will do. A body is only put together when there is something to check.
            Verifier::Ed25519(_) if given.ed25519.is_empty() => false,
            Verifier::Ed25519(key) => {
                let message = signed.concat();
                given.ed25519.iter().any(|signature| key.verify_strict(&message, &Signature::from_bytes(signature)).is_ok())
            }
        }
    }
}

impl SigningKey {
    /// Reads `whsec_<base64>`, the same without prefix, or `whsk_<base64>` (the seed of 32 bytes, or seed and public key as Svix writes it).
    ///
    /// # Errors
    /// When it is empty, not base64, or no key a sender has.
    pub fn parse(text: &str) -> Result<Self, SecretProblem> {
        if text.starts_with("whpk_") {
            return Err(SecretProblem::PublicKey);
        }
        let Some(private) = text.strip_prefix("whsk_") else {
            return Ok(Self(Signing::Hmac(decode(text.strip_prefix("whsec_").unwrap_or(text))?.into())));
        };
        let bytes = decode(private)?;
        let key = match <[u8; 64]>::try_from(bytes.as_slice()) {
            Ok(pair) => ed25519_dalek::SigningKey::from_keypair_bytes(&pair).ok(),
            Err(_) => bytes.as_slice().try_into().ok().map(ed25519_dalek::SigningKey::from_bytes),
        };
        Ok(Self(Signing::Ed25519(key.map(Box::new).ok_or(SecretProblem::NotEd25519)?)))
    }

    /// What receivers verify with: the shared secret itself, or the public half.
    pub fn verifier(&self) -> Key {
        Key(match &self.0 {
            Signing::Hmac(key) => Verifier::Hmac(key.clone()),
            Signing::Ed25519(key) => Verifier::Ed25519(key.verifying_key()),
        })
    }

    /// The public half as receivers write it into their settings, `whpk_<base64>`; a shared secret has none.
    pub fn public_text(&self) -> Option<String> {
        match &self.0 {
            Signing::Hmac(_) => None,
            Signing::Ed25519(key) => Some(format!("whpk_{}", BASE64.encode(key.verifying_key().as_bytes()))),
        }
    }

    pub(super) fn sign(&self, signed: &[&[u8]]) -> String {
        match &self.0 {
            Signing::Hmac(key) => format!("v1,{}", BASE64.encode(&hmac_sha256(key, signed))),
            Signing::Ed25519(key) => format!("v1a,{}", BASE64.encode(&key.sign(&signed.concat()).to_bytes())),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn decode(base64: &str) -> Result<Vec<u8>, SecretProblem> {
    if base64.trim().is_empty() {
        return Err(SecretProblem::Empty);
    }
    if base64.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(SecretProblem::WhiteSpace);
    }
    let decoded = BASE64.decode(base64.as_bytes()).or_else(|_| BASE64_NOPAD.decode(base64.as_bytes()));
    decoded.ok().filter(|key| !key.is_empty()).ok_or(SecretProblem::NotBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";

    fn problem(text: &str) -> Option<SecretProblem> {
        Key::parse(text).err()
    }

    #[test]
    fn slips_are_told() {
        for empty in ["", " ", "whsec_", "whpk_", "whsec_ "] {
            assert_eq!(problem(empty), Some(SecretProblem::Empty), "{empty:?}");
        }
        assert_eq!(problem("whsec_MfKQ9r8G KYqr"), Some(SecretProblem::WhiteSpace));
        assert_eq!(problem(" whsec_MfKQ9r8GKYqr"), Some(SecretProblem::WhiteSpace));
        assert_eq!(problem("whsec_not*base64"), Some(SecretProblem::NotBase64));
        assert_eq!(problem("whsec_===="), Some(SecretProblem::NotBase64));
        assert_eq!(problem(SEED), Some(SecretProblem::PrivateKey));
        assert_eq!(problem("whpk_AAAA"), Some(SecretProblem::NotEd25519));
        let weak = format!("whpk_{}", BASE64.encode(&[0; 32]));
        assert_eq!(problem(&weak), Some(SecretProblem::NotEd25519));
        assert_eq!(SigningKey::parse("whpk_AAAA").err(), Some(SecretProblem::PublicKey));
        assert_eq!(SigningKey::parse("whsk_AAAA").err(), Some(SecretProblem::NotEd25519));
    }

    #[test]
    fn keys_print_stars() {
        let key = SigningKey::parse(SEED).unwrap();
        assert_eq!(format!("{key:?} {:?}", key.verifier()), "*** ***");
    }

    #[test]
    fn a_private_key_may_carry_its_public_half() {
        let key = SigningKey::parse(SEED).unwrap();
        let public = key.public_text().unwrap();
        let pair = [decode(&SEED[5..]).unwrap(), decode(&public[5..]).unwrap()].concat();
        let long = SigningKey::parse(&format!("whsk_{}", BASE64.encode(&pair))).unwrap();
        assert_eq!(long.sign(&[b"x"]), key.sign(&[b"x"]));
        let mismatched = [&pair[..32], &pair[..32]].concat();
        assert!(SigningKey::parse(&format!("whsk_{}", BASE64.encode(&mismatched))).is_err());
        assert!(Key::parse(&public).is_ok());
    }
}

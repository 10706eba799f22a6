//! Shared secrets as settings give them.

use std::fmt;

use crate::Provider;

/// A secret shared with Stripe, GitHub, Twilio or Lemon Squeezy: its text, all of it, is the key. (Standard Webhooks has keys of its
/// own, see [`crate::standard::Key`].) `Debug` prints stars.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// Reads a secret of that provider.
    ///
    /// # Errors
    /// When it is empty, holds white space that can only be a slip, or is visibly something else.
    pub fn parse(provider: Provider, text: &str) -> Result<Self, SecretProblem> {
        // GitHub and Lemon Squeezy let people make up their own, in which a blank may stand inside.
        let made_up = matches!(provider, Provider::GitHub | Provider::LemonSqueezy);
        let wrong = |letter: char| if made_up { letter.is_control() } else { letter.is_whitespace() || letter.is_control() };
        if text.trim().is_empty() || text == "whsec_" {
            return Err(SecretProblem::Empty);
        }
        if text.trim() != text || text.contains(wrong) {
            return Err(SecretProblem::WhiteSpace);
        }
        if provider == Provider::Stripe && ["sk_", "rk_", "pk_"].iter().any(|prefix| text.starts_with(prefix)) {
            return Err(SecretProblem::ApiKey);
        }
        Ok(Self(text.into()))
    }

    /// The key for HMAC.
    pub(crate) fn key(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What is wrong with a secret; says nothing of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretProblem {
    /// There is nothing, or nothing but a prefix: HMAC with an empty key is anybody's.
    #[error("is empty")]
    Empty,
    /// White space or control characters: a line break or a blank copied along.
    #[error("has white space in it: was it copied with a blank or a line break?")]
    WhiteSpace,
    /// A key for Stripe's API.
    #[error("is an API key: the signing secret of the webhook endpoint is needed, it starts with whsec_")]
    ApiKey,
    /// The text after the prefix is not base64.
    #[error("is not base64")]
    NotBase64,
    /// A private key where a public one belongs.
    #[error("is the sender's private key: its public key is needed, it starts with whpk_")]
    PrivateKey,
    /// A public key where a secret belongs.
    #[error("is a public key: signing needs the private one, it starts with whsk_")]
    PublicKey,
    /// No usable ed25519 key.
    #[error("is not an ed25519 key of 32 bytes")]
    NotEd25519,
    /// Every request is held against every secret, so their number is bounded.
    #[error("is one too many: at most {max} are held at once", max = crate::Keys::SECRETS_MAX)]
    TooMany,
}

/// Which secret of a list is wrong, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("secret {position} {problem}")]
pub struct SecretError {
    /// Its place in the list, from 1.
    pub position: usize,
    /// What is wrong with it.
    pub problem: SecretProblem,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(provider: Provider, text: &str) -> Option<SecretProblem> {
        Secret::parse(provider, text).err()
    }

    #[test]
    fn a_secret_prints_stars() {
        let secret = Secret::parse(Provider::Stripe, "whsec_x").unwrap();
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.key(), b"whsec_x");
    }

    #[test]
    fn slips_are_told() {
        for provider in Provider::ALL {
            assert_eq!(problem(provider, ""), Some(SecretProblem::Empty));
            assert_eq!(problem(provider, " \n"), Some(SecretProblem::Empty));
            assert_eq!(problem(provider, "whsec_"), Some(SecretProblem::Empty));
            for slip in [" abc", "abc\n", "a\0bc", "\u{a0}abc"] {
                assert_eq!(problem(provider, slip), Some(SecretProblem::WhiteSpace), "{slip:?}");
            }
        }
        assert_eq!(problem(Provider::Stripe, "whsec_ x"), Some(SecretProblem::WhiteSpace));
        assert_eq!(problem(Provider::Stripe, "sk_test_123"), Some(SecretProblem::ApiKey));
        assert_eq!(problem(Provider::GitHub, "It's a Secret to Everybody"), None);
    }
}

//! API keys as clients hold them: a prefix that says what it is, 256 random bits, and a checksum.
//!
//! The checksum keeps typing errors, cut-off keys and garbage from costing a query, and lets scanners tell a leaked key from a random
//! word. It is no secret: who makes up keys with right checksums is stopped by the rate limit on bad credentials.

use std::fmt;

use persistence::{api_keys::Secret, sessions::TokenHash};
use sha2::{Digest, Sha256};

/// How every key begins.
pub(crate) const PREFIX: &str = "hrk_";
/// The characters of the random part: 62 to the power of 43 is just over 256 bits.
const RANDOM_LENGTH: usize = 43;
/// The characters of the checksum: 62 to the power of 6 is more than 32 bits.
const CHECKSUM_LENGTH: usize = 6;
/// How much of a key is kept to tell keys apart: the prefix and 6 random characters.
const SHOWN_LENGTH: usize = PREFIX.len() + 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A well-formed key, which need not exist.
pub struct ApiKey(String);

impl ApiKey {
    /// A new one, from the operating system's generator.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn generate() -> Result<Self, domain::Error> {
        use rand::TryRng;
        let mut text = PREFIX.to_owned();
        let mut bytes = [0; 64];
        while text.len() < PREFIX.len() + RANDOM_LENGTH {
            rand::rngs::SysRng.try_fill_bytes(&mut bytes).map_err(domain::Error::internal)?;
            let missing = PREFIX.len() + RANDOM_LENGTH - text.len();
            // 248 is four times 62: what lies above would make some characters likelier than others.
            text.extend(bytes.iter().filter(|byte| **byte < 248).take(missing).map(|byte| character(u32::from(*byte))));
        }
        text.push_str(&checksum(&text));
        Ok(Self(text))
    }

    /// Reads a key; anything without the right form and checksum is none, and costs no query.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (body, sum) = text.split_at_checked(PREFIX.len() + RANDOM_LENGTH)?;
        let random = body.strip_prefix(PREFIX)?;
        let well_formed = random.bytes().all(|byte| byte.is_ascii_alphanumeric()) && sum == checksum(body);
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The text for the client.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The hash it is found by. A plain one is enough: there is nothing to guess in 256 random bits.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(&self.0).into()
    }

    /// What is stored.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret { prefix: self.0.chars().take(SHOWN_LENGTH).collect(), hash: self.hash() }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// The CRC-32 (IEEE 802.3) in base 62, most significant digit first.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits: Vec<char> = Vec::with_capacity(CHECKSUM_LENGTH);
    for _ in 0..CHECKSUM_LENGTH {
        digits.push(character(rest));
        rest /= 62;
    }
    digits.iter().rev().collect()
}

/// The character for a number, modulo 62.
fn character(number: u32) -> char {
    let place = usize::try_from(number % 62).unwrap_or_default();
    ALPHABET.get(place).copied().unwrap_or(b'0').into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_survives_the_round_trip_and_is_made_anew_each_time() {
        let key = ApiKey::generate().unwrap();
        assert_eq!(key.reveal().len(), 53);
        assert_eq!(ApiKey::parse(key.reveal()).unwrap().hash(), key.hash());
        assert!(key.reveal().starts_with(&key.secret().prefix) && key.secret().prefix.len() == 10);
        assert_ne!(ApiKey::generate().unwrap().reveal(), key.reveal());
    }

    proptest! {
        #[test]
        fn a_changed_character_is_noticed(place in 0_usize..53, replacement in "[0-9A-Za-z_é]") {
            let key = ApiKey::generate().unwrap();
            let mut text: Vec<char> = key.reveal().chars().collect();
            let replacement = replacement.chars().next().unwrap();
            prop_assume!(text[place] != replacement);
            text[place] = replacement;
            prop_assert!(ApiKey::parse(&text.into_iter().collect::<String>()).is_none());
        }

        #[test]
        fn garbage_is_no_key(text in ".{0,80}") {
            prop_assert!(ApiKey::parse(&text).is_none());
        }
    }
}

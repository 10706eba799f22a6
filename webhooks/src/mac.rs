//! HMAC, and comparison in constant time.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// HMAC-SHA256 of the parts one after the other.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA1 of the parts one after the other.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(crate) fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// SHA-256 of the parts one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Whether any of `given` is any of `expected`. Every pair is compared, each in constant time, so that the time taken tells neither
/// how much of a signature is right nor which secret it is right for.
pub(crate) fn any_equal<const N: usize>(expected: impl Iterator<Item = [u8; N]>, given: &[[u8; N]]) -> bool {
    let mut found = Choice::from(0);
    for expected in expected {
        for given in given {
            found |= expected.as_slice().ct_eq(given.as_slice());
        }
    }
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_pair_may_match() {
        assert!(any_equal([[1, 2], [3, 4]].into_iter(), &[[9, 9], [3, 4]]));
        assert!(!any_equal([[1, 2], [3, 4]].into_iter(), &[[1, 4]]));
        assert!(!any_equal([[1, 2]].into_iter(), &[]));
        assert!(!any_equal::<2>([].into_iter(), &[[1, 2]]));
    }
}

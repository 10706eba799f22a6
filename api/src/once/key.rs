//! Idempotency keys: how they are read, what they stand for, and what is sealed with them.
//!
//! The key itself is never kept, as it opens the answers: those hold session tokens and API keys. What is kept are its hash and, under
//! it, a fingerprint of the request and the sealed answer. So the database alone tells nobody a token, nor lets them guess the password
//! in a body by its fingerprint. That is worth as much as the key is hard to guess, hence the advice to use random ones.

use actix_web::{HttpMessage, HttpRequest, web::Bytes};
use domain::{Details, Error, Result, UserId};
use persistence::idempotency::Attempt;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, hmac,
    rand::{SecureRandom, SystemRandom},
};

/// The header's name.
pub(super) const HEADER: &str = "Idempotency-Key";
/// The longest key, in characters.
pub(super) const LENGTH_MAX: usize = 255;

/// SHA-256 of what a body says; left with the request by whatever reads the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyDigest(digest::Digest);

impl BodyDigest {
    /// Leaves the digest of these parts with the request, if anybody will ask for it. Each part counts with its length, so that
    /// nothing can move from one to the next unseen.
    pub(crate) fn leave<'a>(request: &HttpRequest, parts: impl IntoIterator<Item = &'a [u8]>) {
        if !request.headers().contains_key(HEADER) {
            return;
        }
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            add(&mut |bytes| context.update(bytes), part);
        }
        request.extensions_mut().insert(Self(context.finish()));
    }
}

fn add(update: &mut impl FnMut(&[u8]), part: &[u8]) {
    update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    update(part);
}

/// A key as the client sent it.
#[derive(Clone)]
pub(super) struct Key(Bytes);

impl Key {
    /// The key of a request.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` when it cannot be one.
    pub(super) fn of(request: &HttpRequest) -> Result<Option<Self>> {
        let problem = |problem| Err(Error::invalid_parameters(Details::field(HEADER, problem)));
        let mut given = request.headers().get_all(HEADER);
        let Some(value) = given.next() else { return Ok(None) };
        if given.next().is_some() {
            return problem("Given twice");
        }
        let bytes = value.as_bytes();
        if !(1..=LENGTH_MAX).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_graphic) {
            return problem("Must be 1 to 255 visible ASCII characters");
        }
        Ok(Some(Self(Bytes::copy_from_slice(bytes))))
    }

    /// What the key is found by: those of two callers are never the same.
    pub(super) fn hash(&self, caller: Option<UserId>) -> [u8; 32] {
        let caller = caller.map(|id| id.0.into_bytes());
        let caller: &[u8] = caller.as_ref().map_or(&[], |id| id);
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [b"handrail idempotency key".as_slice(), caller, &self.0] {
            add(&mut |bytes| context.update(bytes), part);
        }
        bytes(context.finish().as_ref())
    }

    /// What the key stands for in this request.
    pub(super) fn attempt(&self, request: &HttpRequest, caller: Option<UserId>, BodyDigest(body): BodyDigest) -> Attempt {
        let mut sign = self.sign(b"fingerprint");
        for part in [request.method().as_str(), request.path(), request.query_string()] {
            add(&mut |bytes| sign.update(bytes), part.as_bytes());
        }
        add(&mut |bytes| sign.update(bytes), body.as_ref());
        Attempt { key_hash: self.hash(caller), fingerprint: bytes(sign.sign().as_ref()) }
    }

    fn sign(&self, purpose: &[u8]) -> hmac::Context {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        add(&mut |bytes| context.update(bytes), purpose);
        context
    }

    fn cipher(&self, attempt: &Attempt) -> Result<LessSafeKey> {
        let mut sign = self.sign(b"answer");
        // Another cipher for each caller, should two have picked the same key.
        add(&mut |bytes| sign.update(bytes), &attempt.key_hash);
        let key = UnboundKey::new(&CHACHA20_POLY1305, sign.sign().as_ref()).map_err(|_| broken())?;
        Ok(LessSafeKey::new(key))
    }

    /// An answer that nobody can read without the key.
    pub(super) fn seal(&self, attempt: &Attempt, mut text: Vec<u8>) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| broken())?;
        let aad = Aad::from(attempt.fingerprint);
        self.cipher(attempt)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text).map_err(|_| broken())?;
        Ok([nonce.as_slice(), &text].concat())
    }

    /// What was sealed.
    pub(super) fn open(&self, attempt: &Attempt, sealed: &[u8]) -> Result<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
        let mut text = text.to_vec();
        let aad = Aad::from(attempt.fingerprint);
        let cipher = self.cipher(attempt)?;
        let opened = cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut text).map_err(|_| broken())?;
        Ok(opened.to_vec())
    }
}

/// The first half of a hash.
pub(super) fn half(hash: &[u8; 32]) -> [u8; 16] {
    bytes(hash)
}

/// As many bytes as asked for; what is shorter is filled up with zeros.
fn bytes<const N: usize>(from: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    bytes
}

fn broken() -> Error {
    Error::internal("an answer under an idempotency key cannot be sealed or opened")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn attempt(key: &str, uri: &str, caller: Option<UserId>, parts: &[&str]) -> (Key, Attempt) {
        let request = TestRequest::post().uri(uri).insert_header((HEADER, key)).to_http_request();
        BodyDigest::leave(&request, parts.iter().map(|part| part.as_bytes()));
        let body = *request.extensions().get::<BodyDigest>().unwrap();
        let key = Key::of(&request).unwrap().unwrap();
        let attempt = key.attempt(&request, caller, body);
        (key, attempt)
    }

    #[test]
    fn whatever_differs_in_a_request_differs_in_its_fingerprint() {
        let (_, one) = attempt("k", "/api/posts", None, &["a", "b"]);
        assert_eq!(one.fingerprint, attempt("k", "/api/posts", None, &["a", "b"]).1.fingerprint);
        for (uri, parts) in
            [("/api/posts", ["ab", ""]), ("/api/posts", ["a", "c"]), ("/api/posts?x", ["a", "b"]), ("/api/post", ["a", "b"])]
        {
            assert_ne!(one.fingerprint, attempt("k", uri, None, &parts).1.fingerprint, "{uri} {parts:?}");
        }
        let somebody = Some(UserId(uuid::Uuid::nil()));
        assert_ne!(one.key_hash, attempt("k", "/api/posts", somebody, &["a", "b"]).1.key_hash);
        assert_ne!(one.key_hash, attempt("K", "/api/posts", None, &["a", "b"]).1.key_hash);
    }

    #[test]
    fn only_the_key_opens_what_it_sealed() {
        let (key, one) = attempt("k", "/api/posts", None, &["a"]);
        let sealed = key.seal(&one, b"a token".to_vec()).unwrap();
        assert!(!sealed.windows(5).any(|part| part == b"token"));
        assert_eq!(key.open(&one, &sealed).unwrap(), b"a token");
        assert_ne!(key.seal(&one, b"a token".to_vec()).unwrap(), sealed);
        assert!(attempt("x", "/api/posts", None, &["a"]).0.open(&one, &sealed).is_err());
        for cut in 0..sealed.len() {
            assert!(key.open(&one, sealed.get(..cut).unwrap()).is_err());
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for key in ["", " ", "a b", "ä", &"k".repeat(256), &"k".repeat(10 * 1024)] {
            let request = TestRequest::post().insert_header((HEADER, key)).to_http_request();
            assert!(Key::of(&request).is_err(), "{key:.20}");
        }
        let twice = TestRequest::post().append_header((HEADER, "a")).append_header((HEADER, "b")).to_http_request();
        assert!(Key::of(&twice).is_err());
        assert!(Key::of(&TestRequest::post().to_http_request()).unwrap().is_none());
    }
}

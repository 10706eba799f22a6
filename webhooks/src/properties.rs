//! What holds for every body, header and secret: what was signed verifies, and nothing else does.

use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{Headers, Keys, Provider, Reject, Request, Secret, github, lemon_squeezy, standard, stripe, twilio};

const AT: i64 = 1_614_265_330;
const URL: &str = "https://example.com/api/webhooks/twilio?a=1";
const SHARED: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PRIVATE: &str = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";

/// A request as its provider sends it, in parts that can be spoiled.
#[derive(Debug, Clone)]
struct Sent {
    keys: Keys,
    /// Those that sign or are signed.
    signed_headers: Vec<(&'static str, Vec<u8>)>,
    content_type: &'static str,
    url: String,
    body: Vec<u8>,
}

impl Sent {
    fn verify(&self) -> Result<(), Reject> {
        self.with_request(|request| self.keys.verify(request, AT).map(drop))
    }

    fn with_request<T>(&self, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let mut pairs: Vec<(&str, &[u8])> = self.signed_headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        pairs.push(("content-type", self.content_type.as_bytes()));
        ask(&Request { headers: Headers::new(&pairs), url: &self.url, body: &self.body })
    }
}

fn keys(provider: Provider, text: &str) -> Keys {
    Keys::parse(provider, text).unwrap()
}

fn secret(provider: Provider) -> Secret {
    Secret::parse(provider, SHARED).unwrap()
}

fn standard(private: &str, id: &str, body: Vec<u8>) -> Sent {
    let key = standard::SigningKey::parse(private).unwrap();
    let public = key.public_text().unwrap_or_else(|| private.to_owned());
    let signature = standard::sign(&[key], id, AT, &body);
    let signed_headers = vec![
        (standard::SIGNATURE, signature.into_bytes()),
        (standard::TIMESTAMP, AT.to_string().into_bytes()),
        (standard::ID, id.as_bytes().to_vec()),
    ];
    let keys = keys(Provider::Standard, &public);
    Sent { keys, signed_headers, content_type: "application/json", url: URL.to_owned(), body }
}

/// Every way of signing over one body.
fn all(body: &[u8]) -> Vec<Sent> {
    let (with_hash, twilio) = twilio::sign_body(&secret(Provider::Twilio), URL, body);
    let one = |provider, name, signature: String, url: &str| Sent {
        keys: keys(provider, SHARED),
        signed_headers: vec![(name, signature.into_bytes())],
        content_type: "application/json",
        url: url.to_owned(),
        body: body.to_vec(),
    };
    vec![
        one(Provider::Stripe, stripe::SIGNATURE, stripe::sign(&[secret(Provider::Stripe)], AT, body), URL),
        one(Provider::GitHub, github::SIGNATURE, github::sign(&secret(Provider::GitHub), body), URL),
        one(Provider::LemonSqueezy, lemon_squeezy::SIGNATURE, lemon_squeezy::sign(&secret(Provider::LemonSqueezy), body), URL),
        one(Provider::Twilio, twilio::SIGNATURE, twilio, &with_hash),
        standard(SHARED, "msg_1", body.to_vec()),
        standard(PRIVATE, "msg_1", body.to_vec()),
    ]
}

fn flip(bytes: &mut [u8], place: Index, bit: u32) {
    if !bytes.is_empty() {
        bytes[place.index(bytes.len())] ^= 1 << bit;
    }
}

fn json_ish() -> impl Strategy<Value = Vec<u8>> {
    let words = "[\\[\\]{}:,\" 0-9eE.\\\\u-]|id|type|object|data|customer|null|true|created|meta|attributes|payload=|%7B";
    prop_oneof![vec(any::<u8>(), 0..200), vec(words, 0..60).prop_map(|words| words.concat().into_bytes())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 100 } else { 20_000 }))]

    #[test]
    fn what_is_signed_verifies(body in vec(any::<u8>(), 0..300)) {
        for sent in all(&body) {
            prop_assert_eq!(sent.verify(), Ok(()), "{:?}", sent);
        }
    }

    #[test]
    fn a_flipped_bit_of_the_body_refuses(body in vec(any::<u8>(), 1..300), place: Index, bit in 0..8_u32) {
        for mut sent in all(&body) {
            flip(&mut sent.body, place, bit);
            prop_assert_eq!(sent.verify(), Err(Reject::Invalid), "{:?}", sent);
        }
    }

    #[test]
    fn a_flipped_bit_of_a_signing_header_refuses(body in vec(any::<u8>(), 0..50), which: Index, place: Index, bit in 0..8_u32) {
        for mut sent in all(&body) {
            let header = which.index(sent.signed_headers.len());
            flip(&mut sent.signed_headers[header].1, place, bit);
            prop_assert!(sent.verify().is_err(), "{:?}", sent);
        }
    }

    #[test]
    fn a_changed_length_refuses(body in vec(any::<u8>(), 1..100), extra: u8, place: Index) {
        for sent in all(&body) {
            let mut longer = sent.clone();
            longer.body.insert(place.index(body.len() + 1), extra);
            prop_assert_eq!(longer.verify(), Err(Reject::Invalid));
            let mut shorter = sent.clone();
            shorter.body.pop();
            prop_assert_eq!(shorter.verify(), Err(Reject::Invalid));
            let mut cut = sent;
            let header = &mut cut.signed_headers[0].1;
            header.truncate(place.index(header.len()));
            prop_assert!(cut.verify().is_err(), "{:?}", cut);
        }
    }

    #[test]
    fn a_flipped_bit_of_a_form_changes_no_field(form in "([A-Za-z]{1,5}=[A-Za-z0-9+%]{0,8}&){0,5}x=1", place: Index, bit in 0..8_u32) {
        let signature = twilio::sign(&secret(Provider::Twilio), URL, form.as_bytes());
        let mut sent = Sent {
            keys: keys(Provider::Twilio, SHARED),
            signed_headers: vec![(twilio::SIGNATURE, signature.clone().into_bytes())],
            content_type: "application/x-www-form-urlencoded",
            url: URL.to_owned(),
            body: form.into_bytes(),
        };
        prop_assert_eq!(sent.verify(), Ok(()));
        flip(&mut sent.body, place, bit);
        // `%2b` and `%2B` are the same field, and a sign is all that Twilio's scheme puts between name and value.
        let same = twilio::sign(&secret(Provider::Twilio), URL, &sent.body) == signature;
        prop_assert_eq!(sent.verify().is_ok(), same, "{:?}", sent);
    }

    #[test]
    fn another_secret_refuses(body in vec(any::<u8>(), 0..50), text in "[A-Za-z0-9]{32}") {
        for mut sent in all(&body) {
            sent.keys = keys(sent.keys.provider(), &text);
            prop_assert_eq!(sent.verify(), Err(Reject::Invalid));
            sent.keys = keys(sent.keys.provider(), &format!("{text},{SHARED},{text}"));
            let private = sent.signed_headers[0].1.starts_with(b"v1a,");
            prop_assert_eq!(sent.verify().is_ok(), !private);
        }
    }

    #[test]
    fn only_the_window_of_time_verifies(seconds in -1000..1000_i64) {
        for sent in all(b"{}") {
            let timed = matches!(sent.keys.provider(), Provider::Stripe | Provider::Standard);
            let inside = sent.with_request(|request| sent.keys.verify(request, AT + seconds).is_ok());
            prop_assert_eq!(inside, !timed || seconds.abs() <= 300);
        }
    }

    #[test]
    fn no_header_url_or_body_panics(
        header in vec(any::<u8>(), 0..120), more in "(t=|v1=|v1,|v1a,|sha256=|[0-9a-f,= ]){0,40}", url in ".{0,60}", body in json_ish(), now: i64,
    ) {
        for mut sent in all(&body) {
            for value in [header.clone(), more.clone().into_bytes()] {
                for given in &mut sent.signed_headers {
                    given.1.clone_from(&value);
                }
                sent.url.clone_from(&url);
                prop_assert!(sent.with_request(|request| sent.keys.verify(request, now).is_err()));
                sent.content_type = "application/x-www-form-urlencoded";
            }
        }
    }

    #[test]
    fn every_verified_body_has_an_envelope_that_can_be_stored(body in json_ish(), event in ".{0,300}", token in "\\PC{0,300}") {
        for mut sent in all(&body) {
            sent.content_type = if body.len() % 2 == 0 { "application/json" } else { "application/x-www-form-urlencoded" };
            sent.signed_headers.push(("x-github-event", event.clone().into_bytes()));
            sent.signed_headers.push(("i-twilio-idempotency-token", token.clone().into_bytes()));
            let (envelope, again) = sent.with_request(|request| {
                let verified = sent.keys.verify(request, AT).unwrap();
                (verified.envelope(), verified.envelope())
            });
            prop_assert_eq!(&envelope, &again);
            let texts = [&envelope.event_type, &envelope.subject, &envelope.object, &envelope.subscription, &envelope.account, &envelope.api_version];
            for text in texts.into_iter().flatten().chain([&envelope.key]) {
                prop_assert!((1..=255).contains(&text.len()) && !text.contains(char::is_control), "{:?}", envelope);
            }
        }
    }

    #[test]
    fn no_setting_panics(text in "(whsec_|whpk_|whsk_|sk_)?[A-Za-z0-9+/=, ]{0,90}|\\PC{0,60}") {
        for provider in Provider::ALL {
            let _ = Keys::parse(provider, &text);
        }
        let _ = standard::SigningKey::parse(&text);
    }
}

//! Bodies that their sender signed, whatever they are: each verifies and has an envelope that can be stored.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use webhooks::{Headers, Keys, Provider, Request, Secret, github, lemon_squeezy, standard, stripe, twilio};

const AT: i64 = 1_614_265_330;
const TEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const URL: &str = "https://example.com/api/webhooks/twilio?a=1";
const FORM: &[u8] = b"application/x-www-form-urlencoded";

static SECRET: LazyLock<Secret> = LazyLock::new(|| Secret::parse(Provider::Stripe, TEXT).unwrap());
static SHARED: LazyLock<standard::SigningKey> = LazyLock::new(|| standard::SigningKey::parse(TEXT).unwrap());
static KEYS: LazyLock<[Keys; 5]> = LazyLock::new(|| Provider::ALL.map(|provider| Keys::parse(provider, TEXT).unwrap()));

// The first line stands for the headers that are not signed; the rest is the body.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |&byte| byte == b'\n');
    let [unsigned, body] = [(); 2].map(|()| parts.next().unwrap_or_default());
    check(Provider::Stripe, stripe::SIGNATURE, &stripe::sign(&[SECRET.clone()], AT, body), URL, b"", unsigned, body);
    for content_type in [&b""[..], FORM] {
        check(Provider::GitHub, github::SIGNATURE, &github::sign(&SECRET, body), URL, content_type, unsigned, body);
    }
    check(Provider::LemonSqueezy, lemon_squeezy::SIGNATURE, &lemon_squeezy::sign(&SECRET, body), URL, b"", unsigned, body);
    let signature = standard::sign(&[SHARED.clone()], "msg_1", AT, body);
    check(Provider::Standard, standard::SIGNATURE, &signature, URL, b"", unsigned, body);
    let (with_hash, signature) = twilio::sign_body(&SECRET, URL, body);
    check(Provider::Twilio, twilio::SIGNATURE, &signature, &with_hash, b"", unsigned, body);
    // More fields than anybody sends are refused.
    if body.iter().filter(|&&byte| byte == b'&').count() < 1000 {
        check(Provider::Twilio, twilio::SIGNATURE, &twilio::sign(&SECRET, URL, body), URL, FORM, unsigned, body);
    }
});

fn check(provider: Provider, name: &str, signature: &str, url: &str, content_type: &[u8], unsigned: &[u8], body: &[u8]) {
    let time = AT.to_string();
    let pairs = [
        (name, signature.as_bytes()),
        ("webhook-id", b"msg_1"),
        ("webhook-timestamp", time.as_bytes()),
        ("content-type", content_type),
        ("x-github-event", unsigned),
        ("x-github-delivery", unsigned),
        ("i-twilio-idempotency-token", unsigned),
    ];
    let request = Request { headers: Headers::new(&pairs), url, body };
    let keys = KEYS.iter().find(|keys| keys.provider() == provider).unwrap();
    let envelope = keys.verify(&request, AT).expect("what is signed verifies").envelope();
    let texts =
        [&envelope.event_type, &envelope.subject, &envelope.object, &envelope.subscription, &envelope.account, &envelope.api_version];
    for text in texts.into_iter().flatten().chain([&envelope.key]) {
        assert!((1..=255).contains(&text.len()) && !text.contains(char::is_control), "{envelope:?}");
    }
}

//! Signature headers, URLs and bodies of no sender: nothing panics, and nothing verifies.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use webhooks::{Headers, Keys, Provider, Request};

// None of them signed a seed.
static KEYS: LazyLock<Vec<Keys>> = LazyLock::new(|| {
    let public = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD,whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    Provider::ALL
        .into_iter()
        .map(|provider| Keys::parse(provider, if provider == Provider::Standard { public } else { "a,b" }).unwrap())
        .collect()
});

// Lines of the input: signature, id, time, URL; the rest is the body.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(5, |&byte| byte == b'\n');
    let [signature, id, time, url, body] = [(); 5].map(|()| parts.next().unwrap_or_default());
    let url = String::from_utf8_lossy(url);
    let now = str::from_utf8(time).ok().and_then(|text| text.parse().ok()).unwrap_or(1_614_265_330);
    for content_type in [&b"application/json"[..], b"application/x-www-form-urlencoded"] {
        let pairs = [
            ("Stripe-Signature", signature),
            ("X-Hub-Signature-256", signature),
            ("X-Twilio-Signature", signature),
            ("X-Signature", signature),
            ("webhook-signature", signature),
            ("webhook-id", id),
            ("webhook-timestamp", time),
            ("content-type", content_type),
        ];
        let request = Request { headers: Headers::new(&pairs), url: &url, body };
        for keys in KEYS.iter() {
            assert!(keys.verify(&request, now).is_err(), "forged: {request:?} {signature:?}");
        }
    }
});

//! Signatures made with `openssl dgst -sha256 -hmac`, and every input that Stripe's libraries test or read differently.

use super::*;
use crate::Headers;

const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
const AT: i64 = 1_614_265_330;

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().map(|text| Secret::parse(Provider::Stripe, text).unwrap()).collect()
}

fn check_with(secrets: &[Secret], header: &[u8], body: &[u8], now: i64) -> Result<(), Reject> {
    let pairs = [("stripe-signature", header)];
    verify(secrets, &Request { headers: Headers::new(&pairs), url: "", body }, now).map(drop)
}

fn check(header: &str) -> Result<(), Reject> {
    check_with(&secrets(&["whsec_test_secret"]), header.as_bytes(), BODY, AT)
}

/// `printf '1614265330.{"id":"evt_1","object":"event"}' | openssl dgst -sha256 -hmac whsec_test_secret`
const V1: &str = "42b3d2b2181207b6b299df380bf37599bb895dc182467ba12e046b1916c4cd19";
/// The same with `whsec_other`.
const OTHER: &str = "63a8eb086810613fb5e7769a05e72b68db4eac023b3fc91cb45c362f79d48389";

#[test]
fn the_whole_secret_signs_time_and_body() {
    assert_eq!(check(&format!("t={AT},v1={V1}")), Ok(()));
    assert_eq!(sign(&secrets(&["whsec_test_secret"]), AT, BODY), format!("t={AT},v1={V1}"));
    assert_eq!(sign(&secrets(&["whsec_test_secret", "whsec_other"]), AT, BODY), format!("t={AT},v1={V1},v1={OTHER}"));
    for other in ["test_secret", "whsec_test_secre", "whsec_Test_secret"] {
        assert_eq!(check_with(&secrets(&[other]), format!("t={AT},v1={V1}").as_bytes(), BODY, AT), Err(Reject::Invalid));
    }
}

#[test]
fn an_empty_body_can_be_signed() {
    let header = format!("t={AT},v1=2f9d16b2d4c155166668449b6c0b717e91af5563cb1f78a3065927985f4a5900");
    assert_eq!(check_with(&secrets(&["whsec_test_secret"]), header.as_bytes(), b"", AT), Ok(()));
}

#[test]
fn tolerated_shapes() {
    for header in [
        format!("t={AT}, v1={V1}"),
        format!(" t={AT}\t,\t v1={V1} "),
        format!("v1={V1},t={AT}"),
        format!("t={AT},v1={V1},"),
        format!(",,t={AT},potato,v1={V1},=,x=y"),
        format!("t={AT},v1={V1},v1=potato"),
        format!("t={AT},v1=potato,v1={OTHER},v1={V1}"),
        format!("t={AT},v0={OTHER},v1={V1},v2=x"),
        format!("t={AT},t={AT},v1={V1}"),
        format!("t={AT},{}v1={V1}", format!("v1={OTHER},").repeat(15)),
    ] {
        assert_eq!(check(&header), Ok(()), "{header}");
    }
}

#[test]
fn refused_shapes() {
    for header in [
        "bad_header".to_owned(),
        "I am not a signature, nor do I look like one".to_owned(),
        "v1,t=1".to_owned(),
        "t=".to_owned(),
        format!("t=,v1={V1}"),
        format!("t={AT}"),
        format!("t={AT},v1="),
        format!("v1={V1}"),
        format!("t={AT},v0={V1}"),
        format!("t={AT},v2={V1}"),
        format!("t={AT},V1={V1}"),
        format!("t={AT},v1 ={V1}"),
        format!("t={AT},v1={OTHER}"),
        format!("t={AT},v1={}", V1.to_uppercase()),
        format!("t={AT},v1={}", &V1[..62]),
        format!("t={AT},v1={V1}00"),
        format!("t=+{AT},v1={V1}"),
        format!("t= {AT},v1={V1}"),
        format!("t=0{AT},v1={V1}"),
        format!("t=-{AT},v1={V1}"),
        format!("t={AT}000,v1={V1}"),
        format!("t={AT}.5,v1={V1}"),
        format!("t=99999999999999999999,v1={V1}"),
        format!("t={AT},t={},v1={V1}", AT + 1),
        format!("t={},t={AT},v1={V1}", AT + 1),
        format!("t={AT},{}v1={V1}", format!("v1={OTHER},").repeat(16)),
        format!("t={AT};v1={V1}"),
    ] {
        assert_eq!(check(&header), Err(Reject::Invalid), "{header}");
    }
    assert_eq!(check_with(&secrets(&["whsec_test_secret"]), b"t=\xff\xfe,v1=\xff", BODY, AT), Err(Reject::Invalid));
}

#[test]
fn no_header_is_told_from_a_wrong_one() {
    assert_eq!(check(""), Err(Reject::Missing));
    assert_eq!(check("  "), Err(Reject::Missing));
    let request = Request { headers: Headers::new(&[]), url: "", body: BODY };
    assert_eq!(verify(&secrets(&["x"]), &request, AT).map(drop), Err(Reject::Missing));
    assert_eq!(Reject::Missing.to_string(), "Missing signature");
    assert_eq!(Reject::Invalid.to_string(), "Invalid signature");
    assert_eq!(Reject::Stale { seconds: 301 }.to_string(), "Invalid signature");
}

#[test]
fn two_headers_are_refused() {
    let header = format!("t={AT},v1={V1}");
    let pairs = [("Stripe-Signature", header.as_bytes()), ("stripe-signature", header.as_bytes())];
    let request = Request { headers: Headers::new(&pairs), url: "", body: BODY };
    assert_eq!(verify(&secrets(&["whsec_test_secret"]), &request, AT).map(drop), Err(Reject::Invalid));
}

#[test]
fn a_rolled_secret_works_in_any_order_of_deployment() {
    let both = format!("t={AT},v1={OTHER},v1={V1}");
    for held in [&["whsec_test_secret"][..], &["whsec_other"], &["whsec_other", "whsec_test_secret"], &["whsec_new", "whsec_other"]] {
        assert_eq!(check_with(&secrets(held), both.as_bytes(), BODY, AT), Ok(()), "{held:?}");
    }
    let one = format!("t={AT},v1={V1}");
    assert_eq!(check_with(&secrets(&["whsec_a", "whsec_b", "whsec_test_secret"]), one.as_bytes(), BODY, AT), Ok(()));
    assert_eq!(check_with(&secrets(&["whsec_a", "whsec_b"]), one.as_bytes(), BODY, AT), Err(Reject::Invalid));
    assert_eq!(check_with(&[], one.as_bytes(), BODY, AT), Err(Reject::Invalid));
}

#[test]
fn the_window_is_300_seconds_both_ways() {
    let header = format!("t={AT},v1={V1}");
    let at = |now| check_with(&secrets(&["whsec_test_secret"]), header.as_bytes(), BODY, now);
    for inside in [-300, -299, 0, 299, 300] {
        assert_eq!(at(AT + inside), Ok(()));
    }
    assert_eq!(at(AT + 301), Err(Reject::Stale { seconds: 301 }));
    assert_eq!(at(AT - 301), Err(Reject::Stale { seconds: -301 }));
    let wrong = format!("t={AT},v1={OTHER}");
    assert_eq!(check_with(&secrets(&["whsec_test_secret"]), wrong.as_bytes(), BODY, AT + 301), Err(Reject::Invalid));
}

#[test]
fn bytes_are_signed_not_text() {
    let header = format!("t={AT},v1={V1}");
    let with_bom = [b"\xef\xbb\xbf", BODY].concat();
    let spaced = br#"{"id": "evt_1", "object": "event"}"#;
    for body in [&with_bom[..], spaced, &[BODY, b"\n"].concat(), &[b" ", BODY].concat(), b"", &BODY[1..]] {
        assert_eq!(check_with(&secrets(&["whsec_test_secret"]), header.as_bytes(), body, AT), Err(Reject::Invalid));
    }
    let latin = b"{\"name\":\"\xe9\"}";
    let header = sign(&secrets(&["whsec_test_secret"]), AT, latin);
    assert_eq!(check_with(&secrets(&["whsec_test_secret"]), header.as_bytes(), latin, AT), Ok(()));
}

#[test]
fn what_was_verified_does_not_print() {
    let header = format!("t={AT},v1={V1}");
    let pairs = [("stripe-signature", header.as_bytes())];
    let request = Request { headers: Headers::new(&pairs), url: "https://h/?token=1", body: BODY };
    let verified = verify(&secrets(&["whsec_test_secret"]), &request, AT).unwrap();
    let printed = format!("{verified:?}");
    assert!(!printed.contains("evt_1") && !printed.contains(V1) && !printed.contains("token"), "{printed}");
    assert_eq!((verified.signed_at(), verified.provider(), verified.body()), (Some(AT), Provider::Stripe, BODY));
    assert_eq!(verified.envelope().key, "evt_1");
}

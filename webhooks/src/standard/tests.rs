//! The vectors and the cases of the reference libraries of Standard Webhooks.

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SEED: &str = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";
const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: i64 = 1_614_265_330;
const BODY: &str = r#"{"test": 2432232314}"#;
const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const V1A: &str = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
const WRONG: &str = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";

fn keys() -> Vec<Key> {
    vec![Key::parse(SECRET).unwrap()]
}

fn check_all(keys: &[Key], headers: &[(&str, &str)], body: &str, now: i64) -> Result<(), Reject> {
    let pairs: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    verify(keys, &Request { headers: Headers::new(&pairs), url: "", body: body.as_bytes() }, now).map(drop)
}

fn check(keys: &[Key], signatures: &str) -> Result<(), Reject> {
    check_all(keys, &[(ID, MESSAGE), (TIMESTAMP, "1614265330"), (SIGNATURE, signatures)], BODY, AT)
}

#[test]
fn published_vectors_hold() {
    assert_eq!(check(&keys(), V1), Ok(()));
    assert_eq!(sign(&[SigningKey::parse(SECRET).unwrap()], MESSAGE, AT, BODY.as_bytes()), V1);
    let second = SigningKey::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
    let body = r#"{"email":"test@example.com","username":"test_user"}"#;
    let signature = sign(&[second], "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body.as_bytes());
    assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
}

#[test]
fn the_published_asymmetric_vector_holds() {
    let private = SigningKey::parse(SEED).unwrap();
    assert_eq!(sign(std::slice::from_ref(&private), MESSAGE, AT, BODY.as_bytes()), V1A);
    let public = Key::parse(&private.public_text().unwrap()).unwrap();
    assert_eq!(check(std::slice::from_ref(&public), V1A), Ok(()));
    assert_eq!(check(std::slice::from_ref(&public), &format!("{WRONG} {V1A}")), Ok(()));
    for wrong in ["v1a,", "v1a,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=", V1, &V1A.replace("v1a", "v1"), &V1A.replace("tQ", "tR")] {
        assert_eq!(check(std::slice::from_ref(&public), wrong), Err(Reject::Invalid), "{wrong}");
    }
    let old = check_all(&[public], &[(ID, MESSAGE), (TIMESTAMP, "1614265330"), (SIGNATURE, V1A)], BODY, AT + 301);
    assert_eq!(old, Err(Reject::Stale { seconds: 301 }));
}

#[test]
fn a_receiver_may_change_from_shared_to_public_keys() {
    let both = [SigningKey::parse(SECRET).unwrap(), SigningKey::parse(SEED).unwrap()];
    let signatures = sign(&both, MESSAGE, AT, BODY.as_bytes());
    assert_eq!(signatures, format!("{V1} {V1A}"));
    for held in [&both[..1], &both[1..], &both[..]] {
        let keys: Vec<Key> = held.iter().map(SigningKey::verifier).collect();
        assert_eq!(check(&keys, &signatures), Ok(()));
    }
    let keys: Vec<Key> = both.iter().map(SigningKey::verifier).collect();
    assert_eq!((check(&keys, V1), check(&keys, V1A)), (Ok(()), Ok(())));
    assert_eq!(check(&[], V1), Err(Reject::Invalid));
}

#[test]
fn the_prefix_and_the_padding_may_be_left_out() {
    assert_eq!(check(&[Key::parse(&SECRET[6..]).unwrap()], V1), Ok(()));
    let private = SigningKey::parse(SEED).unwrap();
    let public = private.public_text().unwrap();
    assert_eq!(check(&[Key::parse(public.trim_end_matches('=')).unwrap()], V1A), Ok(()));
}

#[test]
fn any_signature_of_the_list_will_do() {
    assert_eq!(check(&keys(), &format!("{WRONG} {} {V1} {WRONG}", WRONG.replace("v1", "v2"))), Ok(()));
    assert_eq!(check(&keys(), &format!("nocomma  v1 {V1} ")), Ok(()), "elements that are none are skipped");
    assert_eq!(check(&keys(), &format!("{}{V1}", format!("{WRONG} ").repeat(15))), Ok(()));
    assert_eq!(check(&keys(), &format!("{}{V1}", format!("{WRONG} ").repeat(16))), Err(Reject::Invalid), "too many");
    assert_eq!(check(&keys(), &format!("{V1}{}", format!(" {WRONG}").repeat(16))), Err(Reject::Invalid), "too many, wherever it stands");
}

#[test]
fn other_shapes_are_refused() {
    let v2 = V1.replace("v1", "v2");
    let unpadded = V1.trim_end_matches('=');
    let spare_bits = V1.replace("1OE=", "1OF=");
    for wrong in ["v1,", &V1[..11], WRONG, &v2, unpadded, &spare_bits, &V1[3..], "\u{e9}", &V1.replace(',', ";")] {
        assert_eq!(check(&keys(), wrong), Err(Reject::Invalid), "{wrong}");
    }
}

#[test]
fn all_three_headers_are_needed() {
    let all = [(ID, MESSAGE), (TIMESTAMP, "1614265330"), (SIGNATURE, V1)];
    for absent in 0..3 {
        let mut headers = all.to_vec();
        headers.remove(absent);
        assert_eq!(check_all(&keys(), &headers, BODY, AT), Err(Reject::Missing));
        headers.push((all[absent].0, ""));
        assert_eq!(check_all(&keys(), &headers, BODY, AT), Err(Reject::Missing), "a blank one is none");
        headers.push(all[absent]);
        assert_eq!(check_all(&keys(), &headers, BODY, AT), Err(Reject::Invalid), "a doubled one is refused");
    }
}

#[test]
fn the_time_is_plain_digits_within_300_seconds() {
    for wrong in ["hello", "1614265330.0", "+1614265330", "-1", "1614265330000", "16142653300000000000000"] {
        assert_eq!(check_all(&keys(), &[(ID, MESSAGE), (TIMESTAMP, wrong), (SIGNATURE, V1)], BODY, AT), Err(Reject::Invalid), "{wrong}");
    }
    let at = |now| check_all(&keys(), &[(ID, MESSAGE), (TIMESTAMP, "1614265330"), (SIGNATURE, V1)], BODY, now);
    assert_eq!((at(AT + 300), at(AT - 300)), (Ok(()), Ok(())));
    assert_eq!((at(AT + 301), at(AT - 301)), (Err(Reject::Stale { seconds: 301 }), Err(Reject::Stale { seconds: -301 })));
}

#[test]
fn the_id_is_signed_and_cannot_pass_for_the_time() {
    let key = SigningKey::parse(SECRET).unwrap();
    let send = |id: &str, time: &str, signature: &str, body: &str| {
        check_all(&keys(), &[(ID, id), (TIMESTAMP, time), (SIGNATURE, signature)], body, AT)
    };
    assert_eq!(send("msg_other", "1614265330", V1, BODY), Err(Reject::Invalid));
    let dotted = sign(std::slice::from_ref(&key), "msg.1614265330", 7, b"x");
    assert_eq!(dotted, sign(std::slice::from_ref(&key), "msg", 1_614_265_330, b"7.x"), "the same bytes are signed");
    assert_eq!(send("msg.1614265330", "7", &dotted, "x"), Err(Reject::Invalid));
    for id in ["a b", "caf\u{e9}", &"x".repeat(256)] {
        assert_eq!(send(id, "1614265330", &sign(std::slice::from_ref(&key), id, AT, b"x"), "x"), Err(Reject::Invalid), "{id}");
    }
}

#[test]
fn svix_headers_are_the_same_by_another_name() {
    let svix = [("svix-id", MESSAGE), ("svix-timestamp", "1614265330"), ("svix-signature", V1)];
    assert_eq!(check_all(&keys(), &svix, BODY, AT), Ok(()));
    let mixed = [("svix-id", MESSAGE), (TIMESTAMP, "1614265330"), (SIGNATURE, V1)];
    assert_eq!(check_all(&keys(), &mixed, BODY, AT), Err(Reject::Missing), "names are not mixed");
    let stray = [svix[0], (ID, MESSAGE), (TIMESTAMP, "1614265330"), (SIGNATURE, V1)];
    assert_eq!(check_all(&keys(), &stray, BODY, AT), Ok(()), "what is incomplete does not count");
    let both = [svix[0], svix[1], svix[2], (ID, "msg_other"), (TIMESTAMP, "1"), (SIGNATURE, WRONG)];
    let pairs = both.map(|(name, value)| (name, value.as_bytes()));
    let request = Request { headers: Headers::new(&pairs), url: "", body: BODY.as_bytes() };
    assert_eq!(verify(&keys(), &request, AT).unwrap().envelope().key, MESSAGE, "what was verified is what is read");
}

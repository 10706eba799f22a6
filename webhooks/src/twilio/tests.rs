//! The examples of Twilio's documentation and of its libraries, token `12345`, and what must not get through.

use super::*;
use crate::Headers;

const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const FORM: &str = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
const FORM_TYPE: &str = "application/x-www-form-urlencoded; charset=UTF-8";
const JSON: &str = r#"{"property": "value", "boolean": true}"#;
const JSON_HASH: &str = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";

fn token(text: &str) -> Secret {
    Secret::parse(Provider::Twilio, text).unwrap()
}

fn check_with(tokens: &[&str], content_type: &str, url: &str, body: &str, signature: &str) -> Result<(), Reject> {
    let tokens: Vec<Secret> = tokens.iter().map(|text| token(text)).collect();
    let pairs = [("Content-Type", content_type.as_bytes()), ("X-Twilio-Signature", signature.as_bytes())];
    verify(&tokens, &Request { headers: Headers::new(&pairs), url, body: body.as_bytes() }).map(drop)
}

fn form(url: &str, form: &str, signature: &str) -> Result<(), Reject> {
    check_with(&["12345"], FORM_TYPE, url, form, signature)
}

fn json(url: &str, body: &str, signature: &str) -> Result<(), Reject> {
    check_with(&["12345"], "application/json", url, body, signature)
}

#[test]
fn a_form_is_signed_with_its_url() {
    assert_eq!(form(URL, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
    assert_eq!(sign(&token("12345"), URL, FORM.as_bytes()), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    let reversed: Vec<&str> = FORM.split('&').rev().collect();
    assert_eq!(form(URL, &reversed.join("&"), "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
    assert_eq!(check_with(&["new", "12345"], FORM_TYPE, URL, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
    assert_eq!(check_with(&["new", "old"], FORM_TYPE, URL, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Err(Reject::Invalid));
}

#[test]
fn the_port_may_or_may_not_be_signed() {
    let ported = URL.replace(".com", ".com:1234");
    let plain = URL.replace("https", "http");
    assert_eq!(form(&ported, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()), "without the port");
    assert_eq!(form(URL, FORM, "kvajT1Ptam85bY51eRf/AJRuM3w="), Ok(()), "with 443");
    assert_eq!(form(&plain, FORM, "0ZXoZLH/DfblKGATFgpif+LLRf4="), Ok(()), "with 80");
    assert_eq!(form(&ported.replace("https", "http"), FORM, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="), Ok(()), "with 1234");
    assert_eq!(form(&plain, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Err(Reject::Invalid), "another scheme is another place");
}

#[test]
fn credentials_in_the_url_are_signed() {
    let at = |credentials: &str| URL.replace("://", &format!("://{credentials}@"));
    assert_eq!(form(&at("user:pass"), FORM, "CukzLTc1tT5dXEDIHm/tKBanW10="), Ok(()));
    assert_eq!(form(&at("user:pass"), FORM, "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="), Ok(()), "with 443");
    assert_eq!(form(&at("user"), FORM, "2YRLlVAflCqxaNicjMpJcSTgzSs="), Ok(()));
}

#[test]
fn the_query_may_have_been_written_differently() {
    let url = format!("{URL}&Body=It's+amazing");
    assert_eq!(form(&url, FORM, "dsq4Ehbj6cs+KdTkpF5sSSplOWw="), Ok(()), "as it stands");
    assert_eq!(form(&url, FORM, "TfZzewPq8wqrGlMfyAud8+/IvJ0="), Ok(()), "with %27");
}

#[test]
fn a_repeated_name_has_each_of_its_values_once() {
    assert_eq!(form(URL, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234", "IK+Dwps556ElfBT0I3Rgjkr1wJU="), Ok(()));
    let address = "MessagingBinding.Address=%2B";
    for (one, two) in [("1325xxxxxxx", "1415xxxxxxx"), ("1415xxxxxxx", "1325xxxxxxx")] {
        assert_eq!(form(URL, &format!("{address}{one}&{address}{two}"), "83O6e2vORAoJHUNzJjDWN1jz+BA="), Ok(()));
    }
}

#[test]
fn json_is_signed_by_its_hash_in_the_url() {
    let url = format!("{URL}&bodySHA256={JSON_HASH}");
    assert_eq!(json(&url, JSON, "a9nBmqA0ju/hNViExpshrM61xv4="), Ok(()));
    assert_eq!(sign_body(&token("12345"), URL, JSON.as_bytes()), (url.clone(), "a9nBmqA0ju/hNViExpshrM61xv4=".to_owned()));
    let empty = format!("{URL}&bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_eq!(json(&empty, "{}", "Ldidvp12m26NI7eqEvxnEpkd9Hc="), Ok(()));
    let (only, signature) = sign_body(&token("12345"), "https://mycompany.com/myapp.php", JSON.as_bytes());
    assert_eq!(
        (only.as_str(), signature.as_str()),
        (&*format!("https://mycompany.com/myapp.php?bodySHA256={JSON_HASH}"), "y77kIzt2vzLz71DgmJGsen2scGs=")
    );
    assert_eq!(json(&url, &JSON.replace("true", "false"), "a9nBmqA0ju/hNViExpshrM61xv4="), Err(Reject::Invalid), "another body");
    assert_eq!(form(&url, FORM, "a9nBmqA0ju/hNViExpshrM61xv4="), Err(Reject::Invalid), "a form in its place");
}

#[test]
fn json_without_its_hash_is_not_covered() {
    let url_only = sign(&token("12345"), URL, b"");
    assert_eq!(json(URL, "", &url_only), Ok(()), "nothing to cover");
    assert_eq!(json(URL, JSON, &url_only), Err(Reject::Invalid));
    assert_eq!(check_with(&["12345"], "", URL, JSON, &url_only), Err(Reject::Invalid));
    assert_eq!(json(URL, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Err(Reject::Invalid), "a form must say that it is one");
    for hash in ["", "WRONG_HASH", &JSON_HASH[..62], &JSON_HASH.to_uppercase(), &format!("{JSON_HASH}&bodySHA256={JSON_HASH}")] {
        let url = format!("{URL}&bodySHA256={hash}");
        assert_eq!(json(&url, JSON, &sign(&token("12345"), &url, b"")), Err(Reject::Invalid), "{hash}");
        assert_eq!(form(&url, FORM, &sign(&token("12345"), &url, FORM.as_bytes())), Err(Reject::Invalid), "{hash}");
    }
}

#[test]
fn a_get_is_signed_by_its_url() {
    assert_eq!(check_with(&["12345"], "", URL, "", &sign(&token("12345"), URL, b"")), Ok(()));
    assert_eq!(check_with(&["12345"], "", &URL.replace("foo=1", "foo=2"), "", &sign(&token("12345"), URL, b"")), Err(Reject::Invalid));
}

#[test]
fn empty_and_spaced_values_count_as_they_are() {
    let spaced = "Body=+a+&Empty=&Caf%C3%A9=%F0%9F%8D%8B";
    let expected = BASE64.encode(&hmac_sha1(b"12345", &[URL.as_bytes(), "Body a Caf\u{e9}\u{1f34b}Empty".as_bytes()]));
    assert_eq!(form(URL, spaced, &expected), Ok(()));
    assert_eq!(form(URL, "Body=a&Empty=&Caf%C3%A9=%F0%9F%8D%8B", &expected), Err(Reject::Invalid));
}

#[test]
fn bytes_that_are_no_text_stay_apart() {
    let signature = sign(&token("12345"), URL, b"Body=%ff");
    assert_eq!(form(URL, "Body=%ff", &signature), Ok(()));
    assert_eq!(form(URL, "Body=%fe", &signature), Err(Reject::Invalid));
}

#[test]
fn other_shapes_are_refused() {
    let right = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    for wrong in ["WRONG_SIGNATURE", &right[..27], "RSOYDt4T1cUTdK1PDd93/VVr8B9=", &right.to_lowercase(), &format!("{right}{right}"), "="] {
        assert_eq!(form(URL, FORM, wrong), Err(Reject::Invalid), "{wrong}");
    }
    assert_eq!(form(URL, FORM, " "), Err(Reject::Missing));
    assert_eq!(form(URL, &format!("{FORM}&Extra=1"), right), Err(Reject::Invalid));
    assert_eq!(form(&URL.replace("mycompany", "other"), FORM, right), Err(Reject::Invalid));
    assert_eq!(form(URL, &"a&".repeat(1001), right), Err(Reject::Invalid), "too many fields");
}

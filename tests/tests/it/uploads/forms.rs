//! What is in a form: names, types, and everything that can be wrong with it.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tests::{Answer, Caller};

use super::{ANYTHING, World, bytes_of, form, noise, send};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";

/// Sends a form as it stands, with `x` as its boundary.
async fn raw(by: &Caller, body: &str) -> Answer {
    by.client.post("/api/uploads").body("multipart/form-data; boundary=x", body.replace('\n', "\r\n")).send().await
}

fn part(head: &str, body: &str) -> String {
    format!("--x\nContent-Disposition: form-data; {head}\n\n{body}\n")
}

#[tokio::test]
async fn a_name_may_come_before_the_file_after_it_or_not_at_all() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    let file = || Part::bytes(b"hello".to_vec()).file_name("a.txt");
    let before = ada.client.post("/api/uploads").form(Form::new().text("name", "Greeting").part("file", file())).send().await;
    assert_eq!(before.expect(201).at("/name"), "Greeting");
    let after = ada.client.post("/api/uploads").form(Form::new().part("file", file()).text("name", "Ærø")).send().await;
    assert_eq!(after.expect(201).at("/name"), "Ærø");
    let without = ada.client.post("/api/uploads").form(Form::new().part("file", file())).send().await.expect(201);
    assert_eq!((without.at("/name"), without.at("/fileName")), (Value::Null, json!("a.txt")));
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_and_nothing_stays() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    let file = part("name=\"file\"; filename=\"a.txt\"", "hello");
    let named = |name: &str| part("name=\"name\"", name);
    let end = "--x--\n";
    let thousand: String = (0..1000).map(|number| part(&format!("name=\"f{number}\""), "x")).collect();
    for (body, field) in [
        (format!("{}{end}", named("alone")), "file"),
        (end.to_owned(), "file"),
        (format!("{}{end}", part("name=\"file\"; filename=\"\"", "")), "file"),
        (format!("{}{end}", part("name=\"file\"; filename=\"\"", "nameless")), "file"),
        (format!("{}{end}", part("name=\"file\"; filename=\"a.txt\"", "")), "file"),
        (format!("{}{end}", part("name=\"file\"", "a text")), "file"),
        (format!("{file}{file}{end}"), "file"),
        (format!("{file}{}{}{end}", named("a"), named("b")), "name"),
        (format!("{file}{}{end}", named("")), "name"),
        (format!("{file}{}{end}", named(&"n".repeat(201))), "name"),
        (format!("{file}{}{end}", named(&"n".repeat(100_000))), "name"),
        (format!("{file}{}{end}", named("a\0b")), "name"),
        (format!("{}{file}{end}", part("name=\"name\"; filename=\"n.txt\"", "x")), "name"),
        (format!("{file}{}{end}", part("name=\"owner\"", "x")), "owner"),
        (format!("{thousand}{file}{end}"), "f0"),
        (format!("{file}{thousand}{end}"), "f0"),
        (format!("{}{end}", part(&format!("name=\"file\"; filename=\"{}\"", "a".repeat(10_240)), "x")), "file"),
        (format!("{}{end}", part("name=\"file\"; filename=\"..\"", "x")), "file"),
        (format!("{}{end}", part("name=\"file\"; filename=\"\u{202e}gpj.exe\"", "x")), "file"),
    ] {
        let answer = raw(&ada, &body).await;
        assert_eq!(answer.status, 400, "{}: {}", &body[..body.len().min(200)], answer.text);
        answer.expect_refused(&[field]);
    }
    let malformed = [
        String::new(),
        "nonsense".to_owned(),
        "--x\nbroken".to_owned(),
        file.clone(),
        format!("{file}--x"),
        format!("{file}--y--\n"),
        "--x\nContent-Disposition: form-data\n\nx\n--x--\n".to_owned(),
        format!("{}{end}", part("name=\"file\"; filename=\"a\0.txt\"", "x")),
        format!("--x\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\nContent-Length: 99\n\nhello\n{end}"),
    ];
    for body in malformed {
        let answer = raw(&ada, &body).await.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(answer.at("/details/formErrors"), json!(["Malformed form data"]), "{body:?}");
    }
    ada.client.post("/api/uploads").body("multipart/form-data", "no boundary").send().await.expect_error(400, "VALIDATION_ERROR");
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn a_form_that_goes_wrong_behind_a_large_file_leaves_nothing_of_it() {
    let world = World::with(&[ANYTHING]).await;
    let ada = world.app.user("Ada").await;
    let large = noise(12 * 1024 * 1024);
    let twice = form("a", &large).part("file", Part::bytes(vec![1]).file_name("b"));
    ada.client.post("/api/uploads").form(twice).send().await.expect_refused(&["file"]);
    ada.client.post("/api/uploads").form(form("a", &large).text("what", "ever")).send().await.expect_refused(&["what"]);
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn the_name_of_a_file_is_never_a_path() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    for (given, kept) in [
        ("filename=\"../../etc/passwd\"", "passwd"),
        ("filename=\"C:\\\\fakepath\\\\a.txt\"", "a.txt"),
        ("filename=\"say %22hi%22.txt\"", "say \"hi\".txt"),
        ("filename=\"_.txt\"; filename*=UTF-8''%C3%86r%C3%B8.txt", "Ærø.txt"),
        ("filename=\"日本.txt\"", "日本.txt"),
        ("filename=\"a.txt\"; foo=\"; filename=b\"", "a.txt"),
    ] {
        let answer = raw(&ada, &format!("{}--x--\n", part(&format!("name=\"file\"; {given}"), "hello"))).await.expect(201);
        assert_eq!(answer.text_at("/fileName"), kept, "{given}");
    }
}

#[tokio::test]
async fn bytes_tell_what_a_file_is_not_its_sender() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    let said = |kind: &str, bytes: &[u8]| {
        let file = Part::bytes(bytes.to_vec()).file_name("x.png").mime_str(kind).expect("a type");
        ada.client.post("/api/uploads").form(Form::new().part("file", file))
    };
    for (kind, bytes, judged) in [
        ("text/html", PNG, "image/png"),
        ("image/png", b"a,b\n".as_slice(), "text/plain"),
        ("text/csv", b"a,b\n", "text/csv"),
        ("application/x-executable", b"%PDF-1.7\n%", "application/pdf"),
    ] {
        let kept = said(kind, bytes).send().await.expect(201);
        assert_eq!(kept.text_at("/contentType"), judged);
        let shown = ada.client.get(&format!("/api/uploads/{}", kept.text_at("/id"))).send().await.expect(200);
        assert!(shown.header("content-type").is_some_and(|shown| shown.starts_with(judged)));
        ada.client.delete(&format!("/api/uploads/{}", kept.text_at("/id"))).send().await.expect(200);
    }
    for (kind, bytes) in [
        ("image/png", b"MZ\x90\0\x03\0\0\0".as_slice()),
        ("image/png", b"\x7fELF\x02\x01\x01\0"),
        ("image/svg+xml", b"<?xml version=\"1.0\"?><svg onload='alert(1)'/>"),
        ("text/plain", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("text/plain", b"#!/bin/sh\nrm -rf /\n"),
        ("image/png", b"\0\x01\x02\x03"),
    ] {
        let refused = said(kind, bytes).send().await.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
        assert!(refused.text_at("/error").contains("are not taken"), "{}", refused.text);
    }
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn only_forms_as_they_are_are_taken() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    for kind in ["application/json", "application/x-www-form-urlencoded", "image/png", "multipart/mixed; boundary=x", "nonsense"] {
        ada.client.post("/api/uploads").body(kind, "x").send().await.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let coded = ada.client.post("/api/uploads").header("content-encoding", "gzip").form(form("a.txt", b"hello")).send().await;
    coded.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn a_file_may_be_as_large_as_is_set_and_no_larger() {
    let world = World::with(&[ANYTHING, ("UPLOAD_MAX_BYTES", "6000000")]).await;
    let ada = world.app.user("Ada").await;
    let most = noise(6_000_000);
    let kept = send(&ada, &most).await.expect(201);
    assert!(bytes_of(&world.app, &ada, &kept.text_at("/id")).await == most);
    ada.client.delete(&format!("/api/uploads/{}", kept.text_at("/id"))).send().await.expect(200);
    let more = noise(6_000_001);
    send(&ada, &more).await.expect_error(413, "PAYLOAD_TOO_LARGE");
    let streamed = reqwest::Body::wrap_stream(futures::stream::iter([Ok::<_, std::io::Error>(more)]));
    let chunked = Form::new().part("file", Part::stream(streamed).file_name("a"));
    ada.client.post("/api/uploads").form(chunked).send().await.expect_error(413, "PAYLOAD_TOO_LARGE");
    world.until_nothing_is_left().await;
}

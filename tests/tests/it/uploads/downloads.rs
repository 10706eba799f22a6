//! Downloads: whole, in ranges, conditional, and what surrounds the bytes.

use std::time::Duration;

use reqwest::{Method, Response};
use tests::{App, Caller, files};

use super::{ANYTHING, World, form, noise, send};

async fn get(app: &App, by: &Caller, id: &str, headers: &[(&str, &str)]) -> Response {
    let request = tests::http().get(format!("http://{}/api/uploads/{id}", app.address)).bearer_auth(&by.token);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.expect("an answer")
}

fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_file_is_sent_to_be_saved_and_never_to_run() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    let kept = ada.client.post("/api/uploads").form(form("Ærø.txt", b"hello")).send().await.expect(201);
    let answer = get(&world.app, &ada, &kept.text_at("/id"), &[]).await;
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", "5"),
        ("content-disposition", "attachment; filename=\"_r_.txt\"; filename*=UTF-8''%C3%86r%C3%B8.txt"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
        ("cache-control", "private, no-cache"),
        ("accept-ranges", "bytes"),
        ("etag", &format!("\"{}\"", kept.text_at("/sha256"))),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
    assert_eq!(answer.text().await.expect("all of it"), "hello");
}

#[tokio::test]
async fn ranges_give_just_these_bytes() {
    let world = World::with(&[ANYTHING]).await;
    let ada = world.app.user("Ada").await;
    let bytes = noise(300_000);
    let id = send(&ada, &bytes).await.expect(201).text_at("/id");
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-250000", 1000, 250_000),
        ("bytes=299999-", 299_999, 299_999),
        ("bytes=-7", 299_993, 299_999),
        ("bytes=5-999999999", 5, 299_999),
    ] {
        let answer = get(&world.app, &ada, &id, &[("range", range)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-range")), (206, format!("bytes {first}-{last}/300000")), "{range}");
        assert_eq!(header(&answer, "content-length"), (last - first + 1).to_string());
        assert!(answer.bytes().await.expect("all of it")[..] == bytes[first..=last], "{range}");
    }
    for range in ["bytes=0-1,5-6", "bytes=9-2", "bytes=x", "lines=1-2"] {
        let answer = get(&world.app, &ada, &id, &[("range", range)]).await;
        assert_eq!(answer.status().as_u16(), 200, "{range}");
        assert!(answer.bytes().await.expect("all of it")[..] == bytes[..], "{range}");
    }
    for range in ["bytes=-0", "bytes=300000-", "bytes=300000-300001"] {
        let path = format!("/api/uploads/{id}");
        let answer = ada.client.get(&path).header("range", range).send().await.expect_error(416, "RANGE_NOT_SATISFIABLE");
        assert_eq!(answer.header("content-range"), Some("bytes */300000"), "{range}");
    }
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_where_it_was_unless_the_file_is_another() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    let kept = ada.client.post("/api/uploads").form(form("a.txt", b"hello world")).send().await.expect(201);
    let (id, etag) = (kept.text_at("/id"), format!("\"{}\"", kept.text_at("/sha256")));
    let rest = get(&world.app, &ada, &id, &[("range", "bytes=6-"), ("if-range", &etag)]).await;
    assert_eq!((rest.status().as_u16(), rest.text().await.expect("all of it").as_str()), (206, "world"));
    let whole = get(&world.app, &ada, &id, &[("range", "bytes=6-"), ("if-range", "\"other\"")]).await;
    assert_eq!((whole.status().as_u16(), whole.text().await.expect("all of it").as_str()), (200, "hello world"));
    let path = format!("/api/uploads/{id}");
    let known = ada.client.get(&path).header("if-none-match", &etag).send().await.expect(304);
    assert_eq!((known.header("etag"), known.text.as_str()), (Some(etag.as_str()), ""));
    ada.client.get(&path).header("if-none-match", "\"other\"").send().await.expect(200);
}

#[tokio::test]
async fn a_head_says_what_would_come_and_sends_nothing() {
    let world = World::with(&[ANYTHING]).await;
    let ada = world.app.user("Ada").await;
    let id = send(&ada, &noise(100_000)).await.expect(201).text_at("/id");
    // Without its bytes: they are not even looked for.
    std::fs::remove_dir_all(world.folder.path()).expect("an end of the storage");
    for range in [None, Some("bytes=5-6")] {
        let request = ada.client.request(Method::HEAD, &format!("/api/uploads/{id}"));
        let request = range.into_iter().fold(request, |request, range| request.header("range", range));
        let answer = request.header("accept-encoding", "gzip, br").send().await.expect(200);
        assert_eq!((answer.header("content-length"), answer.header("content-encoding")), (Some("100000"), None));
        assert!(answer.header("etag").is_some() && answer.header("content-disposition").is_some());
    }
    ada.client.get(&format!("/api/uploads/{id}")).send().await.expect_error(500, "INTERNAL_ERROR");
}

#[tokio::test]
async fn what_was_tagged_and_measured_is_not_compressed() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    let text = "all work and no play\n".repeat(5000);
    let id = ada.client.post("/api/uploads").form(form("a.txt", text.as_bytes())).send().await.expect(201).text_at("/id");
    for headers in [&[("accept-encoding", "gzip, br, zstd")][..], &[("accept-encoding", "gzip"), ("range", "bytes=0-104999")]] {
        let answer = get(&world.app, &ada, &id, headers).await;
        assert_eq!((header(&answer, "content-encoding"), header(&answer, "content-length")), (String::new(), text.len().to_string()));
        assert!(answer.text().await.expect("all of it") == text);
    }
}

#[tokio::test]
async fn a_download_goes_on_when_its_file_is_deleted() {
    let world = World::with(&[ANYTHING, ("WRITE_TIMEOUT_SECONDS", "60")]).await;
    let ada = world.app.user("Ada").await;
    let bytes = noise(40_000_000);
    let id = send(&ada, &bytes).await.expect(201).text_at("/id");
    let mut answer = get(&world.app, &ada, &id, &[]).await;
    let mut received = answer.chunk().await.expect("a beginning").expect("a beginning").to_vec();
    ada.client.delete(&format!("/api/uploads/{id}")).send().await.expect(200);
    world.until_nothing_is_left().await;
    while let Some(chunk) = answer.chunk().await.expect("the rest") {
        received.extend_from_slice(&chunk);
    }
    assert!(received == bytes);
}

#[tokio::test]
async fn a_file_that_has_become_shorter_is_not_sent_as_if_it_were_whole() {
    let world = World::with(&[ANYTHING]).await;
    let ada = world.app.user("Ada").await;
    let id = send(&ada, &noise(400_000)).await.expect(201).text_at("/id");
    assert_eq!(files(world.folder.path()), 1);
    let folder = world.folder.path().join(&id[34..]);
    let file = std::fs::OpenOptions::new().write(true).open(folder.join(&id)).expect("its file, in the folder of its last two digits");
    file.set_len(200_000).expect("less of it");
    let answer = get(&world.app, &ada, &id, &[]).await;
    let read = tokio::time::timeout(Duration::from_secs(20), answer.bytes()).await.expect("an end");
    assert!(read.is_err(), "half of it passes for all");
}

//! Bodies, both ways: as they come, within bounds, and never taken for complete when they were cut off.

use std::time::Duration;

use tests::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Fake, HELLO, OK, Step, behind, raw};

const BOUND: Duration = Duration::from_secs(20);
const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n6\r\nfirst\n\r\n";

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, future).await.expect("in time")
}

#[tokio::test]
async fn an_answer_is_passed_on_piece_by_piece_and_not_held_back_by_compression() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Read, Step::Say(STREAM.to_vec()), Step::Wait, Step::Say(b"7\r\nsecond\n\r\n0\r\n\r\n".to_vec())]);
    let (app, ada) = behind(&fake, &[]).await;
    let url = format!("http://{}{HELLO}", app.address);
    let request = tests::http().get(url).bearer_auth(&ada.token).header("accept-encoding", "gzip, br, zstd");
    let mut answer = in_time(request.send()).await.expect("a head");
    assert_eq!(answer.headers().get("content-encoding"), None);
    assert_eq!(in_time(answer.chunk()).await.expect("a piece").as_deref(), Some(&b"first\n"[..]));
    fake.signal();
    assert_eq!(in_time(answer.chunk()).await.expect("a piece").as_deref(), Some(&b"second\n"[..]));
    assert_eq!(in_time(answer.chunk()).await.expect("an end"), None);
}

#[tokio::test]
async fn a_body_reaches_the_service_before_it_is_complete() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let (app, ada) = behind(&fake, &[]).await;
    let mut stream = TcpStream::connect(app.address).await.expect("a connection");
    let head = format!(
        "POST {HELLO} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\nauthorization: Bearer {}\r\n\r\n5\r\nfirst\r\n",
        ada.token
    );
    stream.write_all(head.as_bytes()).await.expect("a beginning");
    eventually("the first piece", async || fake.seen().first().is_some_and(|seen| seen.body == b"first" && !seen.complete)).await;
    stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.expect("the rest");
    let mut said = String::new();
    in_time(stream.read_to_string(&mut said)).await.expect("an answer");
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let seen = fake.only();
    assert!(seen.complete && seen.body == b"firstsecond", "{seen:?}");
}

#[tokio::test]
async fn large_bodies_pass_whole_both_ways() {
    const SIZE: usize = 8 << 20;
    let fake = Fake::start().await;
    fake.on(
        "/v1/hello",
        &[Step::Read, Step::Say(format!("HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n").into_bytes()), Step::Flood(SIZE)],
    );
    let (_app, ada) = behind(&fake, &[]).await;
    let answer = ada.client.put(HELLO).body("text/plain", "y".repeat(SIZE)).send().await.expect(200);
    assert_eq!((answer.text.len(), answer.header("content-length")), (SIZE, Some(SIZE.to_string().as_str())));
    let seen = fake.only();
    assert!(seen.complete && seen.body.len() == SIZE && seen.body.iter().all(|byte| *byte == b'y'));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_complete_for_the_service() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let (app, ada) = behind(&fake, &[]).await;
    for (number, framing) in ["content-length: 100", "transfer-encoding: chunked"].into_iter().enumerate() {
        let mut stream = TcpStream::connect(app.address).await.expect("a connection");
        let head = format!("POST {HELLO} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{framing}\r\n\r\n4\r\nhalf", ada.token);
        stream.write_all(head.as_bytes()).await.expect("a beginning");
        fake.until_seen(number + 1).await;
        drop(stream);
        fake.until_left(number + 1).await;
        assert!(!fake.seen()[number].complete, "{framing}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_stands_where_none_belongs_is_refused() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let (app, ada) = behind(&fake, &[("UPSTREAM_FAKE_REQUEST_BYTES_MAX", "1000")]).await;
    ada.client.post(HELLO).body("text/plain", "x".repeat(1001)).send().await.expect_error(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(fake.connections(), 0, "one that says so is not even begun");
    let chunked = format!("transfer-encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let said = raw(&app, &ada, &format!("POST {HELLO}"), &chunked).await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    assert!(fake.seen().iter().all(|seen| !seen.complete));
    let said = raw(&app, &ada, &format!("GET {HELLO}"), "content-length: 4\r\n\r\nbody").await;
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    ada.client.post(HELLO).body("text/plain", "x".repeat(1000)).send().await.expect(200);
}

#[tokio::test]
async fn a_client_that_drips_its_body_is_cut_and_no_fault_of_the_service() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let settings = [("BODY_TIMEOUT_SECONDS", "1"), ("UPSTREAM_FAKE_BREAKER_CALLS", "1"), ("UPSTREAM_FAKE_HEAD_TIMEOUT_SECONDS", "1")];
    let (app, ada) = behind(&fake, &settings).await;
    let said = in_time(raw(&app, &ada, &format!("POST {HELLO}"), "content-length: 100\r\n\r\nhalf")).await;
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("REQUEST_TIMEOUT"), "{said}");
    fake.until_left(1).await;
    ada.client.get(HELLO).send().await.expect(200);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_complete_for_the_client() {
    let fake = Fake::start().await;
    let sized = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    fake.on("/v1/sized", &[Step::Read, Step::Say(sized.clone()), Step::Close]);
    fake.on("/v1/chunked", &[Step::Read, Step::Say(STREAM.to_vec()), Step::Close]);
    fake.on("/v1/silent", &[Step::Read, Step::Say(STREAM.to_vec()), Step::Hang]);
    fake.on("/v1/silent-sized", &[Step::Read, Step::Say(sized), Step::Hang]);
    let (app, ada) = behind(&fake, &[("UPSTREAM_FAKE_SILENCE_TIMEOUT_SECONDS", "1")]).await;
    for path in ["sized", "chunked", "silent", "silent-sized"] {
        let said = in_time(raw(&app, &ada, &format!("GET /api/proxy/fake/{path}"), "\r\n")).await;
        assert!(said.starts_with("HTTP/1.1 200") && (said.contains("half") || said.contains("first")), "{path}: {said}");
        assert!(!said.ends_with("0\r\n\r\n"), "{path}: {said}");
    }
    fake.until_left(2).await;
}

#[tokio::test]
async fn a_service_that_drips_for_ever_is_ended_as_a_whole() {
    let fake = Fake::start().await;
    let mut steps = vec![Step::Read, Step::Say(STREAM.to_vec())];
    for _ in 0..1000 {
        steps.extend([Step::Wait, Step::Say(b"1\r\n.\r\n".to_vec())]);
    }
    fake.on("/v1/hello", &steps);
    let (app, ada) = behind(&fake, &[("UPSTREAM_FAKE_TOTAL_TIMEOUT_SECONDS", "2")]).await;
    let request = format!("GET {HELLO}");
    let call = raw(&app, &ada, &request, "\r\n");
    let dripping = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            fake.signal();
        }
    };
    let said = tokio::select! {
        said = in_time(call) => said,
        () = dripping => unreachable!("it drips for ever"),
    };
    assert!(said.contains("first") && said.contains("1\r\n.") && !said.ends_with("0\r\n\r\n"), "{said}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_or_cut() {
    let fake = Fake::start().await;
    let told = |length: &str| format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n").into_bytes();
    fake.on("/v1/told", &[Step::Read, Step::Say(told("content-length: 10000000000")), Step::Flood(1 << 30), Step::Close]);
    fake.on("/v1/untold", &[Step::Read, Step::Say(told("connection: close")), Step::Flood(1 << 30), Step::Close]);
    let huge = format!("HTTP/1.1 200 OK\r\nx-huge: {}\r\ncontent-length: 0\r\n\r\n", "h".repeat(40_000));
    fake.on("/v1/head", &[Step::Read, Step::Say(huge.into_bytes())]);
    let (app, ada) = behind(&fake, &[("UPSTREAM_FAKE_ANSWER_BYTES_MAX", "100000")]).await;
    ada.client.get("/api/proxy/fake/told").send().await.expect_error(502, "UPSTREAM_ERROR");
    ada.client.get("/api/proxy/fake/head").send().await.expect_error(502, "UPSTREAM_ERROR");
    let said = in_time(raw(&app, &ada, "GET /api/proxy/fake/untold", "\r\n")).await;
    assert!(said.len() < 150_000 && !said.ends_with("0\r\n\r\n"), "{} bytes", said.len());
    fake.until_left(2).await;
    assert!(fake.flooded() < 64 << 20, "{} bytes were taken", fake.flooded());
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_the_service_back() {
    const SIZE: usize = 90 << 20;
    let fake = Fake::start().await;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n").into_bytes();
    fake.on("/v1/hello", &[Step::Read, Step::Say(head), Step::Flood(SIZE)]);
    let settings = [("UPSTREAM_FAKE_SILENCE_TIMEOUT_SECONDS", "1"), ("WRITE_TIMEOUT_SECONDS", "60")];
    let (app, ada) = behind(&fake, &settings).await;
    let url = format!("http://{}{HELLO}", app.address);
    let mut answer = tests::http().get(url).bearer_auth(&ada.token).send().await.expect("a head");
    // It stands still once what is between them is full.
    let mut last = 0;
    let mut still = 0;
    eventually("the service to be held back", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        still = if fake.flooded() == last && last > 0 { still + 1 } else { 0 };
        last = fake.flooded();
        still >= 15
    })
    .await;
    assert!(last < SIZE / 2, "{last} bytes were taken");
    let mut size = 0;
    while let Some(piece) = in_time(answer.chunk()).await.expect("a piece") {
        size += piece.len();
    }
    assert_eq!(size, SIZE, "and nothing is lost by it, nor is it silence");
}

#[tokio::test]
async fn a_service_may_answer_before_it_has_read_the_body() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Say(b"HTTP/1.1 422 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno".to_vec()), Step::Hang]);
    let (app, ada) = behind(&fake, &[]).await;
    let said = in_time(raw(&app, &ada, &format!("POST {HELLO}"), "content-length: 1000000\r\n\r\nhalf")).await;
    assert!(said.starts_with("HTTP/1.1 422") && said.ends_with("no"), "{said}");
}

//! Services that are away, slow or talk nonsense: what is tried again, and when they are left alone.

use std::time::{Duration, Instant};

use tests::eventually;

use super::{Fake, HELLO, OK, Step, behind};

const AWAY: &str = "HTTP/1.1 503 Away\ncontent-length: 4\n\naway";

#[tokio::test]
async fn what_is_safe_is_tried_again_when_there_was_no_answer() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Read, Step::Close]);
    fake.on("/v1/hello", &[Step::Read, Step::Say(b"HTTP/1.1 2".to_vec()), Step::Close]);
    fake.says("/v1/hello", OK);
    let (_app, ada) = behind(&fake, &[]).await;
    ada.client.get(HELLO).send().await.expect(200);
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn what_is_safe_is_tried_again_when_the_service_is_away_but_not_for_ever() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", AWAY);
    let (_app, ada) = behind(&fake, &[("UPSTREAM_FAKE_RETRIES", "3")]).await;
    let answer = ada.client.get(HELLO).send().await.expect(503);
    assert_eq!((answer.text.as_str(), fake.seen().len()), ("away", 4), "its own answer in the end");
    fake.says("/v1/later", "HTTP/1.1 503 Away\nretry-after: 60\ncontent-length: 4\n\naway");
    let answer = ada.client.get("/api/proxy/fake/later").send().await.expect(503);
    assert_eq!((answer.header("retry-after"), fake.seen().len()), (Some("60"), 5), "it said when to come back");
    fake.says("/v1/broken", "HTTP/1.1 500 Oops\ncontent-length: 4\n\noops");
    ada.client.get("/api/proxy/fake/broken").send().await.expect(500);
    assert_eq!(fake.seen().len(), 6, "a fault is an answer");
}

#[tokio::test]
async fn what_may_change_something_is_asked_once() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Read, Step::Close]);
    fake.says("/v1/away", AWAY);
    let (_app, ada) = behind(&fake, &[]).await;
    ada.client.post(HELLO).body("text/plain", "x").send().await.expect_error(502, "UPSTREAM_ERROR");
    ada.client.post(HELLO).send().await.expect_error(502, "UPSTREAM_ERROR");
    ada.client.delete(HELLO).send().await.expect_error(502, "UPSTREAM_ERROR");
    ada.client.put("/api/proxy/fake/away").body("text/plain", "x").send().await.expect(503);
    assert_eq!(fake.seen().len(), 4);
}

#[tokio::test]
async fn nothing_is_tried_again_once_the_client_has_a_byte() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Read, Step::Say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec()), Step::Close]);
    let (app, ada) = behind(&fake, &[]).await;
    let said = super::raw(&app, &ada, &format!("GET {HELLO}"), "\r\n").await;
    assert!(said.ends_with("half"), "{said}");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_504() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Read, Step::Hang]);
    fake.on("/v1/half", &[Step::Read, Step::Say(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), Step::Hang]);
    let (_app, ada) = behind(&fake, &[("UPSTREAM_FAKE_HEAD_TIMEOUT_SECONDS", "1")]).await;
    ada.client.get(HELLO).send().await.expect_error(504, "UPSTREAM_TIMEOUT");
    ada.client.post(HELLO).body("text/plain", "x").send().await.expect_error(504, "UPSTREAM_TIMEOUT");
    ada.client.get("/api/proxy/fake/half").send().await.expect_error(504, "UPSTREAM_TIMEOUT");
    fake.until_left(3).await;
    assert_eq!(fake.seen().len(), 3, "what was too slow is not asked again");
}

#[tokio::test]
async fn a_service_that_takes_no_body_is_504() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Wait]);
    let (_app, ada) =
        behind(&fake, &[("UPSTREAM_FAKE_SILENCE_TIMEOUT_SECONDS", "1"), ("UPSTREAM_FAKE_REQUEST_BYTES_MAX", "100000000")]).await;
    let answer = ada.client.post(HELLO).body("text/plain", "x".repeat(50_000_000)).try_send().await;
    // Whether the client still listens while it sends is its own affair.
    assert!(answer.is_err() || answer.is_ok_and(|status| status == 504));
}

#[tokio::test]
async fn nonsense_is_502_and_tells_nothing_of_the_inside() {
    let fake = Fake::start().await;
    let (_app, ada) = behind(&fake, &[("UPSTREAM_FAKE_RETRIES", "0"), ("UPSTREAM_FAKE_AUTHORIZATION", "Bearer hunter22")]).await;
    for (number, said) in [
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        fake.on(&format!("/v1/{number}"), &[Step::Read, Step::Say(said.as_bytes().to_vec()), Step::Close]);
        let answer = ada.client.get(&format!("/api/proxy/fake/{number}")).send().await.expect_error(502, "UPSTREAM_ERROR");
        assert!(!answer.text.contains("hunter22") && !answer.text.contains(&fake.address.to_string()), "{}", answer.text);
        assert_eq!(answer.header("via"), None, "it is ours");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_502_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let upstreams = format!("gone=http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let app = tests::App::with(&[("UPSTREAMS", &upstreams)]).await;
    let ada = app.user("Ada").await;
    let begun = Instant::now();
    ada.client.get("/api/proxy/gone/x").send().await.expect_error(502, "UPSTREAM_ERROR");
    ada.client.post("/api/proxy/gone/x").body("text/plain", "x").send().await.expect_error(502, "UPSTREAM_ERROR");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_service_that_keeps_failing_is_left_alone_and_tried_later() {
    let fake = Fake::start().await;
    for _ in 0..2 {
        fake.on("/v1/hello", &[Step::Read, Step::Close]);
    }
    fake.says("/v1/hello", OK);
    let settings = [("UPSTREAM_FAKE_BREAKER_CALLS", "2"), ("UPSTREAM_FAKE_BREAKER_SECONDS", "1"), ("UPSTREAM_FAKE_RETRIES", "0")];
    let (app, ada) = behind(&fake, &settings).await;
    let breaker = async |state: u8| {
        let metrics = app.anon().get("/metrics").send().await.text;
        assert!(metrics.contains(&format!("handrail_upstream_breaker{{upstream=\"fake\"}} {state}")), "{metrics}");
    };
    breaker(0).await;
    for _ in 0..2 {
        ada.client.get(HELLO).send().await.expect_error(502, "UPSTREAM_ERROR");
    }
    breaker(2).await;
    let refused = ada.client.post(HELLO).send().await.expect_error(503, "UNAVAILABLE");
    assert!(refused.header("retry-after").is_some_and(|seconds| (1..=2).contains(&seconds.parse().unwrap_or(0))), "{:?}", refused.headers);
    assert_eq!(fake.seen().len(), 2, "it is not asked");
    eventually("the service to be tried", async || ada.client.get(HELLO).send().await.status == 200).await;
    breaker(0).await;
    ada.client.get(HELLO).send().await.expect(200);
}

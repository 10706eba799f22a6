//! Clients that leave take their call with them.

use std::time::Duration;

use tests::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Fake, HELLO, Step, behind};

async fn begin(app: &tests::App, token: &str, line: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.address).await.expect("a connection");
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await.expect("a request");
    stream
}

#[tokio::test]
async fn who_leaves_before_the_answer_ends_the_call() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Read, Step::Hang]);
    let (app, ada) = behind(&fake, &[("UPSTREAM_FAKE_HEAD_TIMEOUT_SECONDS", "600"), ("UPSTREAM_FAKE_BREAKER_CALLS", "1")]).await;
    for number in 1..=2 {
        let stream = begin(&app, &ada.token, &format!("GET {HELLO}"), "").await;
        fake.until_seen(number).await;
        drop(stream);
        fake.until_left(number).await;
    }
    // With a reset as well as with a goodbye.
    let stream = begin(&app, &ada.token, &format!("GET {HELLO}"), "").await;
    fake.until_seen(3).await;
    stream.set_zero_linger().expect("a reset");
    drop(stream);
    fake.until_left(3).await;
}

#[tokio::test]
async fn who_leaves_amid_a_silent_answer_ends_the_call() {
    let fake = Fake::start().await;
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n".to_vec();
    fake.on("/v1/hello", &[Step::Read, Step::Say(head), Step::Hang]);
    let (app, ada) = behind(&fake, &[("UPSTREAM_FAKE_SILENCE_TIMEOUT_SECONDS", "600")]).await;
    let mut stream = begin(&app, &ada.token, &format!("GET {HELLO}"), "").await;
    let mut said = vec![0; 4096];
    let mut count = 0;
    while !said[..count].ends_with(b"hi\r\n") {
        count += tokio::time::timeout(Duration::from_secs(20), stream.read(&mut said[count..])).await.expect("in time").expect("an answer");
    }
    drop(stream);
    fake.until_left(1).await;
}

#[tokio::test]
async fn a_call_that_is_over_gives_its_place_back() {
    let fake = Fake::start().await;
    fake.on("/v1/hello", &[Step::Read, Step::Hang]);
    fake.says("/v1/quick", super::OK);
    let (app, ada) = behind(&fake, &[("UPSTREAM_FAKE_CALLS_MAX", "2")]).await;
    let first = begin(&app, &ada.token, &format!("GET {HELLO}"), "").await;
    let second = begin(&app, &ada.token, &format!("GET {HELLO}"), "").await;
    fake.until_seen(2).await;
    let refused = ada.client.get("/api/proxy/fake/quick").send().await.expect_error(503, "UNAVAILABLE");
    assert_eq!(refused.header("retry-after"), Some("1"));
    drop((first, second));
    eventually("a free place", async || ada.client.get("/api/proxy/fake/quick").send().await.status == 200).await;
    let metrics = app.anon().get("/metrics").send().await.text;
    eventually("no call under way", async || {
        app.anon().get("/metrics").send().await.text.contains("handrail_upstream_calls_under_way{upstream=\"fake\"} 0")
    })
    .await;
    assert!(metrics.contains("handrail_upstream_calls_total{upstream=\"fake\",outcome=\"refused\"}"), "{metrics}");
}

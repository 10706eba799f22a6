//! Clients that dawdle on purpose: each is cut, and nobody else waits for them.

use std::time::{Duration, Instant};

use tests::App;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

const SETTINGS: &[(&str, &str)] = &[("HEAD_TIMEOUT_SECONDS", "1"), ("KEEP_ALIVE_SECONDS", "1"), ("BODY_TIMEOUT_SECONDS", "1")];
/// Generous: what matters is that it ends.
const BOUND: Duration = Duration::from_secs(15);

async fn connected(app: &App) -> TcpStream {
    TcpStream::connect(app.address).await.expect("a connection")
}

/// Sends a byte now and then until the server closes; what the server said meanwhile.
async fn drip(stream: TcpStream, bytes: &'static str) -> String {
    let (mut reader, mut writer) = stream.into_split();
    let sending = async move {
        for byte in bytes.bytes().cycle() {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let mut said = Vec::new();
    let reading = async { reader.read_to_end(&mut said).await };
    tokio::select! {
        () = sending => {}
        _ = reading => {}
        () = sleep(BOUND) => panic!("not cut within {BOUND:?}"),
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_dripped_head_is_cut() {
    let app = App::with(SETTINGS).await;
    let mut stream = connected(&app).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nx: ").await.expect("half a head");
    drip(stream, "a").await;
}

#[tokio::test]
async fn a_dripped_second_head_is_cut_too() {
    let app = App::with(SETTINGS).await;
    let mut stream = connected(&app).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
    let mut answer = [0; 2048];
    assert!(stream.read(&mut answer).await.expect("an answer") > 0);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nx: ").await.expect("half a head");
    drip(stream, "a").await;
}

#[tokio::test]
async fn a_dripped_body_gets_408() {
    let app = App::with(SETTINGS).await;
    let ada = app.user("Ada").await;
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let mut stream = connected(&app).await;
        let head = format!(
            "POST /api/posts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\ncontent-length: 1000\r\n\r\n",
            ada.token
        );
        stream.write_all(head.as_bytes()).await.expect("a head");
        let said = drip(stream, " ").await;
        assert!(said.starts_with("HTTP/1.1 408") && said.contains("REQUEST_TIMEOUT"), "{kind}: {said}");
    }
    assert_eq!(app.count("SELECT count(*) FROM posts").await, 0);
}

#[tokio::test]
async fn a_body_cut_off_midway_stores_nothing() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let mut stream = connected(&app).await;
    let head = format!(
        "POST /api/posts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\nhalf",
        ada.token
    );
    stream.write_all(head.as_bytes()).await.expect("a head");
    stream.shutdown().await.expect("the end");
    let mut said = String::new();
    let _ = timeout(BOUND, stream.read_to_string(&mut said)).await.expect("an end");
    assert!(!said.contains(" 201 "), "{said}");
    assert_eq!(app.count("SELECT count(*) FROM posts").await, 0);
}

#[tokio::test]
async fn two_hundred_dawdlers_hold_up_nobody() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let mut dawdlers = Vec::new();
    for number in 0..200 {
        let mut stream = connected(&app).await;
        let head = match number % 3 {
            0 => String::new(),
            1 => "GET /api/users HTTP/1.1\r\nx: ".to_owned(),
            _ => format!(
                "POST /api/posts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/plain\r\ncontent-length: 99\r\n\r\n",
                ada.token
            ),
        };
        stream.write_all(head.as_bytes()).await.expect("a beginning");
        dawdlers.push(stream);
    }
    for _ in 0..20 {
        let begun = Instant::now();
        app.anon().get("/api/users").send().await.expect(200);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_busy_connection_is_not_cut() {
    let app = App::with(&[("HEAD_TIMEOUT_SECONDS", "1"), ("KEEP_ALIVE_SECONDS", "1"), ("BODY_TIMEOUT_SECONDS", "30")]).await;
    let ada = app.user("Ada").await;
    let mut stream = connected(&app).await;
    let head = format!(
        "POST /api/posts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/plain\r\ncontent-length: 45\r\n\r\n",
        ada.token
    );
    stream.write_all(head.as_bytes()).await.expect("a head");
    for _ in 0..45 {
        stream.write_all(b"a").await.expect("a byte of a slow but lively body");
        sleep(Duration::from_millis(100)).await;
    }
    let mut answer = [0; 2048];
    let count = timeout(BOUND, stream.read(&mut answer)).await.expect("an answer in time").expect("an answer");
    assert!(answer[..count].starts_with(b"HTTP/1.1 201"), "{}", String::from_utf8_lossy(&answer[..count]));
}

#[tokio::test]
async fn an_answer_left_unread_is_given_up() {
    let app = App::with(&[("WRITE_TIMEOUT_SECONDS", "1")]).await;
    app.user("Ada").await;
    app.sql("INSERT INTO posts (id, author_id, title, content) SELECT gen_random_uuid(), users.id, 't', repeat('x', 100000) FROM users, generate_series(1, 100)").await;
    let mut stream = connected(&app).await;
    stream.write_all(b"GET /api/posts?limit=100 HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
    // Reads nothing for a while; what the kernel holds by then is all there will be.
    sleep(Duration::from_secs(6)).await;
    let mut received = Vec::new();
    let ended = timeout(BOUND, stream.read_to_end(&mut received)).await.expect("an end");
    assert!(received.len() < 10_000_000, "{} bytes came all the same, {ended:?}", received.len());
}

//! What one account may keep, however many uploads are under way at once.

use futures::future::join_all;
use reqwest::multipart::{Form, Part};
use tests::{Caller, files};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{ANYTHING, World, form, noise, send};

/// Sends bytes without saying how many there will be.
async fn stream(by: &Caller, bytes: Vec<u8>) -> tests::Answer {
    let chunks: Vec<_> = bytes.chunks(64 * 1024).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
    let body = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    by.client.post("/api/uploads").form(Form::new().part("file", Part::stream(body).file_name("a"))).send().await
}

#[tokio::test]
async fn an_account_keeps_so_many_files_and_room_comes_back() {
    let world = World::with(&[("UPLOAD_USER_MAX_FILES", "2")]).await;
    let (ada, eve) = (world.app.user("Ada").await, world.app.user("Eve").await);
    let upload = async |by: &Caller| by.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await;
    upload(&ada).await.expect(201);
    let second = upload(&ada).await.expect(201).text_at("/id");
    upload(&ada).await.expect_error(409, "QUOTA_EXCEEDED");
    upload(&eve).await.expect(201);
    ada.client.delete(&format!("/api/uploads/{second}")).send().await.expect(200);
    upload(&ada).await.expect(201);
    upload(&ada).await.expect_error(409, "QUOTA_EXCEEDED");
    world.app.until_count(3, "SELECT count(*) FROM uploads").await;
}

#[tokio::test]
async fn an_account_keeps_so_many_bytes_to_the_last_one() {
    let world = World::with(&[ANYTHING, ("UPLOAD_USER_MAX_BYTES", "7000000")]).await;
    let ada = world.app.user("Ada").await;
    send(&ada, &noise(6_000_000)).await.expect(201);
    send(&ada, &noise(1_000_001)).await.expect_error(409, "QUOTA_EXCEEDED");
    stream(&ada, noise(1_000_001)).await.expect_error(409, "QUOTA_EXCEEDED");
    stream(&ada, noise(6_000_000)).await.expect_error(409, "QUOTA_EXCEEDED");
    stream(&ada, noise(1_000_000)).await.expect(201);
    send(&ada, &[0]).await.expect_error(409, "QUOTA_EXCEEDED");
    world.app.until_count(2, "SELECT count(*) FROM uploads").await;
    assert_eq!(files(world.folder.path()), 2);
}

#[tokio::test]
async fn what_cannot_fit_is_refused_before_it_comes() {
    let world = World::with(&[ANYTHING, ("UPLOAD_USER_MAX_BYTES", "1000000"), ("UPLOAD_MAX_BYTES", "10000000")]).await;
    let ada = world.app.user("Ada").await;
    for (length, status) in [(2_000_000, " 409 "), (20_000_000, " 413 ")] {
        let mut socket = TcpStream::connect(world.app.address).await.expect("a connection");
        let head = format!(
            "POST /api/uploads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: multipart/form-data; boundary=x\r\n\
             content-length: {length}\r\n\r\n",
            ada.token
        );
        socket.write_all(head.as_bytes()).await.expect("a head");
        let mut answer = [0; 15];
        tokio::io::AsyncReadExt::read_exact(&mut socket, &mut answer).await.expect("an answer");
        assert!(String::from_utf8_lossy(&answer).contains(status), "{}", String::from_utf8_lossy(&answer));
    }
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn uploads_at_once_do_not_pass_the_quota_together() {
    let settings = [ANYTHING, ("UPLOAD_USER_MAX_BYTES", "20000000"), ("UPLOADS_AT_ONCE", "100"), ("DATABASE_POOL_SIZE", "16")];
    let world = World::with(&settings).await;
    let ada = world.app.user("Ada").await;
    let bytes = noise(6_000_000);
    let uploads = (0..8).map(|number| {
        let (ada, bytes) = (&ada, bytes.clone());
        async move { if number % 2 == 0 { send(ada, &bytes).await } else { stream(ada, bytes).await } }
    });
    let answers = join_all(uploads).await;
    let kept = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(
        answers.iter().all(|answer| matches!(answer.status, 201 | 409)),
        "{:?}",
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>()
    );
    // All may have been in each other's way, but never more than fit have passed.
    assert!(kept <= 3, "{kept}");
    world.app.until_count(i64::try_from(kept).expect("a few"), "SELECT count(*) FROM uploads").await;
    assert_eq!(files(world.folder.path()), kept);
    // What failed gave back what was set aside for it.
    for _ in kept..3 {
        send(&ada, &bytes).await.expect(201);
    }
    send(&ada, &bytes).await.expect_error(409, "QUOTA_EXCEEDED");
}

#[tokio::test]
async fn nobody_takes_all_places() {
    let world = World::with(&[("UPLOADS_AT_ONCE", "4")]).await;
    let (ada, eve) = (world.app.user("Ada").await, world.app.user("Eve").await);
    let mut socket = TcpStream::connect(world.app.address).await.expect("a connection");
    let head = format!(
        "POST /api/uploads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: multipart/form-data; boundary=x\r\n\
         content-length: 1000\r\n\r\n--x\r\n",
        ada.token
    );
    socket.write_all(head.as_bytes()).await.expect("half an upload");
    world.app.until_count(1, "SELECT count(*) FROM uploads").await;
    let busy = ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect_error(429, "RATE_LIMITED");
    assert_eq!(busy.header("retry-after"), Some("1"));
    eve.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect(201);
    drop(socket);
    tests::eventually("the place is free", async || {
        ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.status == 201
    })
    .await;
}

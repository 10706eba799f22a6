//! Files that users keep, from form to storage and back.

mod breaking;
mod downloads;
mod forms;
mod quotas;
mod removal;
mod repeated;
mod s3;

use std::{net::SocketAddr, path::Path};

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::{Answer, App, Caller, files};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The size of a part in the storage.
const PART: usize = 5 * 1024 * 1024;
/// Whatever the bytes are.
const ANYTHING: (&str, &str) = ("UPLOAD_TYPES", "*/*");

/// A server that keeps files in a folder of its own.
struct World {
    app: App,
    folder: tempfile::TempDir,
}

impl World {
    async fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let app = App::with(&[&[("STORAGE_URL", url(folder.path()).as_str())], settings].concat()).await;
        Self { app, folder }
    }

    async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Waits until neither a row nor a byte is left.
    async fn until_nothing_is_left(&self) {
        self.app.until_count(0, "SELECT count(*) FROM uploads").await;
        assert_eq!(files(self.folder.path()), 0);
    }
}

fn url(folder: &Path) -> String {
    format!("file://{}", folder.display())
}

/// So many bytes in no order, the same every time, with much in them that looks like the boundaries of a form.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut bytes: Vec<u8> = (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        })
        .collect();
    for chunk in bytes.chunks_exact_mut(997) {
        chunk.iter_mut().zip(b"\r\n--\r\n").for_each(|(byte, other)| *byte = *other);
    }
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn form(file_name: &str, bytes: &[u8]) -> Form {
    Form::new().part("file", Part::bytes(bytes.to_vec()).file_name(file_name.to_owned()))
}

/// What stands before the file in a form whose boundary is `x`.
const HEAD: &str = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";

/// Begins to send a form that says to be `length` bytes long, with the beginning of a file in it.
async fn begun(address: SocketAddr, token: &str, length: usize, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /api/uploads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: multipart/form-data; boundary=x\r\n\
         content-length: {length}\r\n\r\n{HEAD}"
    );
    socket.write_all(head.as_bytes()).await.expect("a head");
    socket.write_all(bytes).await.expect("the beginning of a file");
    socket
}

async fn send(by: &Caller, bytes: &[u8]) -> Answer {
    by.client.post("/api/uploads").form(form("noise.bin", bytes)).send().await
}

/// A file's bytes, as a client gets them.
async fn bytes_of(app: &App, by: &Caller, id: &str) -> Vec<u8> {
    let answer = tests::http().get(format!("http://{}/api/uploads/{id}", app.address)).bearer_auth(&by.token).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    answer.bytes().await.expect("all of it").to_vec()
}

/// Files of every size come back as they were, and then go.
async fn round_trips(app: &App) {
    let ada = app.user("Ada").await;
    for length in [1, 8191, 8192, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 12_345] {
        let bytes = noise(length);
        let kept = send(&ada, &bytes).await.expect(201);
        let id = kept.text_at("/id");
        assert_eq!(kept.header("location"), Some(format!("/api/uploads/{id}").as_str()));
        assert_eq!((kept.at("/size"), kept.text_at("/sha256")), (json!(length), sha256(&bytes)), "{length}");
        assert!(bytes_of(app, &ada, &id).await == bytes, "{length} bytes are others now");
        let shown = ada.client.get(&format!("/api/uploads/{id}/metadata")).send().await.expect(200);
        assert_eq!(shown.json(), kept.json());
        ada.client.delete(&format!("/api/uploads/{id}")).send().await.expect(200);
        ada.client.get(&format!("/api/uploads/{id}")).send().await.expect_error(404, "NOT_FOUND");
        ada.client.delete(&format!("/api/uploads/{id}")).send().await.expect_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn files_of_every_size_come_back_as_they_were() {
    let world = World::with(&[ANYTHING]).await;
    round_trips(&world.app).await;
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn by_default_files_lie_in_the_data_folder() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let kept = ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect(201);
    assert_eq!(bytes_of(&app, &ada, &kept.text_at("/id")).await, b"hello");
}

#[tokio::test]
async fn without_a_place_for_them_there_are_no_uploads() {
    let app = App::with(&[("APP_ENV", "production")]).await;
    let ada = app.user("Ada").await;
    ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect_error(503, "NOT_CONFIGURED");
    let nothing = "/api/uploads/01900000-0000-7000-8000-000000000000";
    ada.client.get(nothing).send().await.expect_error(503, "NOT_CONFIGURED");
    assert_eq!(ada.client.get("/api/uploads").send().await.expect(200).json(), json!([]));
    assert_eq!(app.count("SELECT count(*) FROM uploads").await, 0);
}

#[tokio::test]
async fn a_list_has_ones_own_files_page_by_page() {
    let world = World::start().await;
    let (ada, eve) = (world.app.user("Ada").await, world.app.user("Eve").await);
    for number in 0..5 {
        ada.client.post("/api/uploads").form(form(&format!("{number}.txt"), b"hello")).send().await.expect(201);
    }
    let names = |answer: &Answer| -> Vec<String> {
        let items: Value = answer.json();
        items.as_array().expect("a list").iter().map(|item| item["fileName"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let page = ada.client.get("/api/uploads?limit=2&page=2").send().await.expect(200);
    assert_eq!((names(&page), page.header("x-total-count")), (vec!["2.txt".to_owned(), "1.txt".to_owned()], Some("5")));
    let mut path = "/api/uploads?limit=2&cursor=".to_owned();
    let mut seen = Vec::new();
    for _ in 0..5 {
        let page = ada.client.get(&path).send().await.expect(200);
        seen.extend(names(&page));
        match page.header("link") {
            Some(link) => path = link.trim_start_matches('<').split('>').next().expect("a link").to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"]);
    assert_eq!(eve.client.get("/api/uploads").send().await.expect(200).json(), json!([]));
}

#[tokio::test]
async fn a_file_is_there_for_its_owner_and_administrators_alone() {
    let world = World::start().await;
    let (ada, eve, admin) = (world.app.user("Ada").await, world.app.user("Eve").await, world.app.admin().await);
    let kept = ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect(201);
    let path = format!("/api/uploads/{}", kept.text_at("/id"));
    for path in [path.clone(), format!("{path}/metadata")] {
        world.app.anon().get(&path).send().await.expect_error(401, "UNAUTHORIZED");
        eve.client.get(&path).send().await.expect_error(404, "NOT_FOUND");
        ada.client.get(&path).send().await.expect(200);
        admin.client.get(&path).send().await.expect(200);
    }
    // What it is known by opens nothing to others.
    let etag = format!("\"{}\"", kept.text_at("/sha256"));
    eve.client.get(&path).header("if-none-match", &etag).send().await.expect_error(404, "NOT_FOUND");
    eve.client.delete(&path).send().await.expect_error(404, "NOT_FOUND");
    ada.client.get(&path).send().await.expect(200);
    admin.client.delete(&path).send().await.expect(200);
    ada.client.get(&path).send().await.expect_error(404, "NOT_FOUND");
    world.until_nothing_is_left().await;
}

//! Uploads that break off, drag on, or find the storage or the database away: nothing stays behind.

use std::time::Duration;

use tests::{App, Database, Proxy, files};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use super::{ANYTHING, HEAD, PART, World, begun, form, noise, send, url};

const PENDING: &str = "SELECT count(*) FROM uploads WHERE state = 'pending'";

/// Waits until the storage has something of a file.
async fn until_written(folder: &std::path::Path) {
    tests::eventually("a part is written", async || files(folder) == 1).await;
}

#[tokio::test]
async fn nothing_stays_of_a_client_who_leaves() {
    let world = World::with(&[ANYTHING]).await;
    let ada = world.app.user("Ada").await;
    for sent in [0, 100, PART + 100, 2 * PART + 100] {
        for politely in [true, false] {
            let mut socket = begun(world.app.address, &ada.token, 30_000_000, &noise(sent)).await;
            world.app.until_count(1, PENDING).await;
            if sent > PART {
                until_written(world.folder.path()).await;
            }
            println!("{sent} bytes, politely: {politely}");
            if politely {
                socket.shutdown().await.expect("a goodbye");
            } else {
                socket.set_zero_linger().expect("a reset");
            }
            drop(socket);
            world.until_nothing_is_left().await;
        }
    }
}

#[tokio::test]
async fn a_form_that_is_shorter_than_it_says_is_cut() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    // Less is said than sent: what is beyond is no part of it.
    let mut socket = begun(world.app.address, &ada.token, HEAD.len() + 7, b"hello\r\n--x--\r\n").await;
    let mut said = String::new();
    let _ = timeout(Duration::from_secs(20), socket.read_to_string(&mut said)).await.expect("an end");
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn who_sends_too_slowly_is_told_so_and_nothing_stays() {
    let settings = [ANYTHING, ("UPLOAD_TIMEOUT_SECONDS", "1"), ("UPLOAD_MIN_BYTES_PER_SECOND", "1000000"), ("UPLOAD_STALL_SECONDS", "60")];
    let world = World::with(&settings).await;
    let ada = world.app.user("Ada").await;
    let mut socket = begun(world.app.address, &ada.token, 100_000, b"").await;
    let mut answer = Vec::new();
    let cut = async {
        let (mut reader, mut writer) = socket.split();
        let dripping = async {
            while writer.write_all(b"a").await.is_ok() {
                sleep(Duration::from_millis(50)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = dripping => {}
            _ = reader.read_to_end(&mut answer) => {}
        }
    };
    timeout(Duration::from_secs(20), cut).await.expect("an end");
    assert!(String::from_utf8_lossy(&answer).contains("REQUEST_TIMEOUT"), "{}", String::from_utf8_lossy(&answer));
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn who_sends_nothing_more_is_not_waited_for_whatever_came_before() {
    let settings = [ANYTHING, ("UPLOAD_STALL_SECONDS", "1"), ("UPLOAD_MIN_BYTES_PER_SECOND", "4096")];
    let world = World::with(&settings).await;
    let ada = world.app.user("Ada").await;
    let mut socket = begun(world.app.address, &ada.token, 30_000_000, &noise(PART + 1)).await;
    let mut said = Vec::new();
    let _ = timeout(Duration::from_secs(20), socket.read_to_end(&mut said)).await.expect("an end");
    assert!(said.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&said));
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn a_broken_storage_is_an_error_and_what_was_begun_goes_once_it_is_back() {
    let world = World::with(&[ANYTHING]).await;
    let ada = world.app.user("Ada").await;
    let folder = world.folder.path();
    std::fs::remove_dir(folder).expect("an end of the storage");
    std::fs::write(folder, "in its place").expect("a file");
    for length in [10, PART + 10] {
        send(&ada, &noise(length)).await.expect_error(500, "INTERNAL_ERROR");
    }
    world.app.until_count(2, "SELECT count(*) FROM uploads WHERE state = 'deleted'").await;
    std::fs::remove_file(folder).expect("room for the storage");
    std::fs::create_dir(folder).expect("a storage");
    send(&ada, &noise(10)).await.expect(201);
    // Nobody looks again for five minutes, by the database's clock.
    world.app.sql("UPDATE uploads SET touched_at = now() - interval '6 minutes'").await;
    let _sweeping = App::beside(&world.app, &[("STORAGE_URL", &url(folder))]).await;
    world.app.until_count(1, "SELECT count(*) FROM uploads").await;
    assert_eq!(files(folder), 1);
}

/// The backends that a trigger of a test holds up.
const ASLEEP: &str = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";

#[tokio::test]
async fn without_the_database_at_the_end_the_file_is_not_kept_and_does_not_stay_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = url(folder.path());
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let behind = proxy.url(&database);
    let app = App::on(database, &behind, &[ANYTHING, ("STORAGE_URL", &storage), ("WORKER", "false")]).await;
    let ada = app.user("Ada").await;
    // The end of an upload takes long enough for the database to die meanwhile.
    app.sql(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$; \
         CREATE TRIGGER dawdle BEFORE UPDATE ON uploads FOR EACH ROW WHEN (NEW.state = 'ready') EXECUTE FUNCTION dawdle()",
    )
    .await;
    let (bytes, tail) = (noise(PART + 100), b"\r\n--x--\r\n");
    let whole = [&bytes[..], tail].concat();
    let mut socket = begun(app.address, &ada.token, HEAD.len() + whole.len(), &whole).await;
    app.until_count(1, &format!("SELECT count(*) {ASLEEP}")).await;
    proxy.cut();
    app.sql(&format!("SELECT pg_terminate_backend(pid) {ASLEEP}")).await;
    let mut answer = vec![0; 2048];
    let count = timeout(Duration::from_secs(20), socket.read(&mut answer)).await.expect("in time").expect("an answer");
    let said = String::from_utf8_lossy(&answer[..count]).into_owned();
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("UNAVAILABLE"), "{said}");
    proxy.mend();
    app.sql("DROP TRIGGER dawdle ON uploads").await;
    assert_eq!((app.count(PENDING).await, files(folder.path())), (1, 1), "nobody can know yet what became of it");
    app.sql("UPDATE uploads SET touched_at = now() - interval '2 hours'").await;
    let _sweeping = App::beside(&app, &[("STORAGE_URL", &storage)]).await;
    app.until_count(0, "SELECT count(*) FROM uploads").await;
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn without_the_database_no_upload_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let behind = proxy.url(&database);
    let app = App::on(database, &behind, &[("STORAGE_URL", &url(folder.path()))]).await;
    let ada = app.user("Ada").await;
    ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect(201);
    app.sql("ALTER TABLE uploads RENAME TO hidden").await;
    ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect_error(500, "INTERNAL_ERROR");
    proxy.cut();
    ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect_error(503, "UNAVAILABLE");
    assert_eq!(files(folder.path()), 1);
}

//! What is left behind is found and removed, whatever died when.

use tests::{App, Database, Program, files};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ANYTHING, HEAD, PART, World, begun, bytes_of, form, noise, send, url};

const ALL: &str = "SELECT count(*) FROM uploads";

#[tokio::test]
async fn files_go_with_their_account() {
    let world = World::with(&[ANYTHING]).await;
    let (ada, eve, admin) = (world.app.user("Ada").await, world.app.user("Eve").await, world.app.admin().await);
    for _ in 0..3 {
        send(&ada, &noise(1000)).await.expect(201);
    }
    let kept = send(&eve, &noise(1000)).await.expect(201).text_at("/id");
    let orphan = send(&ada, &noise(1000)).await.expect(201).text_at("/id");
    admin.client.delete(&format!("/api/users/{}", ada.id)).send().await.expect(200);
    admin.client.get(&format!("/api/uploads/{orphan}")).send().await.expect_error(404, "NOT_FOUND");
    assert_eq!(files(world.folder.path()), 5);
    let _sweeping = App::beside(&world.app, &[("STORAGE_URL", &url(world.folder.path()))]).await;
    world.app.until_count(1, ALL).await;
    assert_eq!(files(world.folder.path()), 1);
    assert_eq!(bytes_of(&world.app, &eve, &kept).await.len(), 1000);
}

#[tokio::test]
async fn an_account_that_goes_during_an_upload_keeps_nothing() {
    let world = World::with(&[ANYTHING]).await;
    let (ada, admin) = (world.app.user("Ada").await, world.app.admin().await);
    let tail = b"\r\n--x--\r\n";
    let mut socket = begun(world.app.address, &ada.token, HEAD.len() + PART + 1000 + tail.len(), &noise(PART + 500)).await;
    tests::eventually("a part is written", async || files(world.folder.path()) == 1).await;
    admin.client.delete(&format!("/api/users/{}", ada.id)).send().await.expect(200);
    socket.write_all(&[&noise(500)[..], tail].concat()).await.expect("the rest");
    let mut answer = vec![0; 2048];
    let count = socket.read(&mut answer).await.expect("an answer");
    let said = String::from_utf8_lossy(&answer[..count]);
    assert!(said.starts_with("HTTP/1.1 404"), "{said}");
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn a_server_that_is_killed_leaves_nothing_for_ever() {
    let (database, folder) = (Database::cloned().await, tempfile::tempdir().expect("a folder"));
    let storage = url(folder.path());
    let app = App::on(database.borrowed(), &database.url, &[("WORKER", "false"), ("STORAGE_URL", &storage)]).await;
    let ada = app.user("Ada").await;
    let variables = [("DATABASE_URL", database.url.as_str()), ("PORT", "0"), ("STORAGE_URL", &storage), ANYTHING];
    let mut doomed = Program::start(&["serve"], &variables);
    tests::eventually("it answers", async || doomed.client().get("/readyz").try_send().await.is_ok_and(|status| status == 200)).await;
    let _socket = begun(doomed.address(), &ada.token, 30_000_000, &noise(2 * PART)).await;
    tests::eventually("a part is written", async || files(folder.path()) == 1).await;
    doomed.kill();
    assert_eq!((app.count(ALL).await, files(folder.path())), (1, 1));

    // One that goes on is left alone, one that nobody has touched for an hour is not.
    let sweeping = App::beside(&app, &[("STORAGE_URL", &storage)]).await;
    ada.client.at(sweeping.address).post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect(201);
    assert_eq!((app.count(ALL).await, files(folder.path())), (2, 2));
    app.sql("UPDATE uploads SET touched_at = now() - interval '61 minutes'").await;
    let _again = App::beside(&app, &[("STORAGE_URL", &storage)]).await;
    app.until_count(1, ALL).await;
    assert_eq!(files(folder.path()), 1);
}

#[tokio::test]
async fn of_eight_deletions_at_once_one_succeeds() {
    let world = World::start().await;
    let ada = world.app.user("Ada").await;
    let kept = ada.client.post("/api/uploads").form(form("a.txt", b"hello")).send().await.expect(201);
    let path = format!("/api/uploads/{}", kept.text_at("/id"));
    let tries = (0..8).map(|_| ada.client.delete(&path).send());
    let mut statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[404; 7][..]));
    world.until_nothing_is_left().await;
}

//! Uploads asked for more than once under one `Idempotency-Key`, and deletions of a version.

use futures::future::join_all;
use tests::{Answer, Caller, files};

use super::{ANYTHING, PART, World, bytes_of, form, noise};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

async fn send(by: &Caller, name: &str, bytes: &[u8]) -> Answer {
    by.client.post("/api/uploads").header("idempotency-key", KEY).form(form(name, bytes)).send().await
}

#[tokio::test]
async fn a_file_sent_again_under_its_key_is_kept_once_even_when_no_other_would_fit() {
    let world = World::with(&[ANYTHING, ("UPLOAD_USER_MAX_FILES", "1")]).await;
    let ada = world.app.user("Ada").await;
    let bytes = noise(PART + 17);
    let first = send(&ada, "a.bin", &bytes).await.expect(201);
    for _ in 0..2 {
        let again = send(&ada, "a.bin", &bytes).await.expect(201);
        assert_eq!((&again.text, again.header("idempotency-replayed")), (&first.text, Some("true")));
    }
    let mut other = bytes.clone();
    other[PART] ^= 1;
    send(&ada, "a.bin", &other).await.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    send(&ada, "b.bin", &bytes).await.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    world.app.until_count(1, "SELECT count(*) FROM uploads").await;
    assert!(bytes_of(&world.app, &ada, &first.text_at("/id")).await == bytes);
    assert_eq!(files(world.folder.path()), 1);
}

#[tokio::test]
async fn of_many_at_once_one_is_kept_and_nothing_of_the_others_stays() {
    let world = World::with(&[ANYTHING, ("UPLOADS_AT_ONCE", "64")]).await;
    let ada = world.app.user("Ada").await;
    let bytes = noise(100_000);
    let answers = join_all((0..8).map(|_| send(&ada, "a.bin", &bytes))).await;
    let ids: Vec<String> = answers.into_iter().map(|answer| answer.expect(201).text_at("/id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    world.app.until_count(1, "SELECT count(*) FROM uploads").await;
    tests::eventually("one file", async || files(world.folder.path()) == 1).await;
    assert!(bytes_of(&world.app, &ada, &ids[0]).await == bytes);
}

#[tokio::test]
async fn what_was_refused_may_be_sent_again_under_its_key() {
    let world = World::with(&[ANYTHING]).await;
    let ada = world.app.user("Ada").await;
    send(&ada, "a.bin", b"").await.expect_refused(&["file"]);
    send(&ada, "a.bin", b"something").await.expect(201);
}

#[tokio::test]
async fn a_deletion_may_name_the_version() {
    let world = World::with(&[ANYTHING]).await;
    let ada = world.app.user("Ada").await;
    let kept = send(&ada, "a.bin", b"something").await.expect(201);
    let path = format!("/api/uploads/{}", kept.text_at("/id"));
    ada.client.delete(&path).header("if-match", "\"other\"").send().await.expect_error(412, "PRECONDITION_FAILED");
    let tag = format!("\"{}\"", kept.text_at("/sha256"));
    ada.client.get(&path).header("if-none-match", &tag).send().await.expect(304);
    ada.client.delete(&path).header("if-match", &tag).send().await.expect(200);
    world.until_nothing_is_left().await;
}

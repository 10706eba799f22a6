//! The same in a bucket of S3.

use std::time::Duration;

use tests::{App, Database, Program, S3};

use super::{ANYTHING, PART, begun, noise, round_trips, send};

fn settings(s3: &S3) -> Vec<(&'static str, String)> {
    let mut settings = s3.settings();
    settings.push((ANYTHING.0, ANYTHING.1.to_owned()));
    settings
}

fn borrowed<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

async fn app(s3: &S3) -> App {
    App::with(&borrowed(&settings(s3))).await
}

#[tokio::test]
async fn files_of_every_size_come_back_from_s3_as_they_were() {
    let s3 = S3::start().await;
    let app = app(&s3).await;
    round_trips(&app).await;
    app.until_count(0, "SELECT count(*) FROM uploads").await;
    assert_eq!(s3.objects(), 0);
}

#[tokio::test]
async fn ranges_come_from_s3_as_such() {
    let s3 = S3::start().await;
    let app = app(&s3).await;
    let ada = app.user("Ada").await;
    let bytes = noise(PART + 1000);
    let id = send(&ada, &bytes).await.expect(201).text_at("/id");
    let object = s3.object(&format!("some/prefix/{}/{id}", &id[34..]));
    assert_eq!(object.metadata().expect("the object, under the prefix").len(), u64::try_from(bytes.len()).expect("a few"));
    for (range, expected) in
        [("bytes=5-9", &bytes[5..10]), ("bytes=-1000", &bytes[PART..]), ("bytes=5242870-5242890", &bytes[PART - 10..=PART + 10])]
    {
        let request = tests::http().get(format!("http://{}/api/uploads/{id}", app.address)).bearer_auth(&ada.token);
        let answer = request.header("range", range).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 206);
        assert!(answer.bytes().await.expect("all of it")[..] == *expected, "{range}");
    }
}

#[tokio::test]
async fn nothing_stays_in_s3_of_a_client_who_leaves() {
    let s3 = S3::start().await;
    let app = app(&s3).await;
    let ada = app.user("Ada").await;
    for sent in [100, 2 * PART + 100] {
        let socket = begun(app.address, &ada.token, 30_000_000, &noise(sent)).await;
        if sent > PART {
            // The number that its parts are kept under is known before there are any.
            app.until_count(1, "SELECT count(*) FROM uploads WHERE parts IS NOT NULL").await;
            tests::eventually("a part is kept", async || s3.unfinished() > 1).await;
        } else {
            app.until_count(1, "SELECT count(*) FROM uploads").await;
        }
        drop(socket);
        app.until_count(0, "SELECT count(*) FROM uploads").await;
        assert_eq!((s3.objects(), s3.unfinished()), (0, 0), "{sent}");
    }
}

#[tokio::test]
async fn parts_that_a_dead_server_left_in_s3_are_swept() {
    let s3 = S3::start().await;
    let database = Database::cloned().await;
    let settings = settings(&s3);
    let app = App::on(database.borrowed(), &database.url, &[&borrowed(&settings)[..], &[("WORKER", "false")]].concat()).await;
    let ada = app.user("Ada").await;
    let variables = [&borrowed(&settings)[..], &[("DATABASE_URL", database.url.as_str()), ("PORT", "0")]].concat();
    let mut doomed = Program::start(&["serve"], &variables);
    tests::eventually("it answers", async || doomed.client().get("/readyz").try_send().await.is_ok_and(|status| status == 200)).await;
    let _socket = begun(doomed.address(), &ada.token, 30_000_000, &noise(2 * PART + 100)).await;
    tests::eventually("parts are kept", async || s3.unfinished() > 2).await;
    doomed.kill();
    assert!(s3.unfinished() > 2);
    app.sql("UPDATE uploads SET touched_at = now() - interval '2 hours'").await;
    let _sweeping = App::beside(&app, &borrowed(&settings)).await;
    app.until_count(0, "SELECT count(*) FROM uploads").await;
    assert_eq!((s3.objects(), s3.unfinished()), (0, 0));
}

#[tokio::test]
async fn an_s3_that_refuses_or_is_away_is_said_and_nothing_is_kept() {
    let s3 = S3::start().await;
    let mut wrong = settings(&s3);
    wrong.push(("AWS_SECRET_ACCESS_KEY", "another key".to_owned()));
    let app = App::with(&borrowed(&wrong)).await;
    let ada = app.user("Ada").await;
    for length in [10, PART + 10] {
        let refused = send(&ada, &noise(length)).await.expect_error(500, "INTERNAL_ERROR");
        assert!(!refused.text.contains("AKIA") && !refused.text.contains("127.0.0.1"), "{}", refused.text);
    }
    assert_eq!((s3.objects(), s3.unfinished()), (0, 0));
    let right = App::beside(&app, &borrowed(&settings(&s3))).await;
    let eve = right.user("Eve").await;
    let id = send(&eve, &noise(10)).await.expect(201).text_at("/id");
    s3.stop();
    let unanswered = async {
        send(&eve, &noise(10)).await.expect_error(503, "UNAVAILABLE");
        eve.client.get(&format!("/api/uploads/{id}")).send().await.expect_error(503, "UNAVAILABLE");
    };
    tokio::time::timeout(Duration::from_secs(30), unanswered).await.expect("in time");
    // It is deleted all the same, for everybody but the storage.
    eve.client.delete(&format!("/api/uploads/{id}")).send().await.expect(200);
    eve.client.get(&format!("/api/uploads/{id}/metadata")).send().await.expect_error(404, "NOT_FOUND");
}

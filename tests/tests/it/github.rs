//! What GitHub could not deliver is asked for again, and arrives once.

mod fake;

use std::{sync::Arc, time::Duration};

use persistence::{Db, Sizes};
use serde_json::json;
use tests::{App, command};
use upstream::github::{Error, GitHub, Settings};
use worker::reconcile::{Error as Failure, github::Report, github::once};

use fake::{Fake, HOOK, SECRET, TOKEN};

const SECRETS: &[(&str, &str)] = &[("GITHUB_WEBHOOK_SECRET", SECRET)];

fn client(fake: &Fake, token: &str) -> GitHub {
    GitHub::new(&Settings { token: token.to_owned(), api_base: fake.base(), hook: HOOK.to_owned() }).expect("settings")
}

fn db(app: &App) -> Db {
    let sizes = Sizes { pool: 2, pipelines: 1, pool_wait: Duration::from_secs(5), read: Duration::from_secs(5) };
    Db::new(Arc::new(app.database.connector()), sizes, Arc::default())
}

async fn kept(app: &App) -> i64 {
    app.count("SELECT count(*) FROM webhook_events WHERE provider = 'github'").await
}

/// Why GitHub could not be asked.
async fn trouble(app: &App, fake: &Fake, token: &str) -> Error {
    let failure = once(&db(app), &client(fake, token)).await.expect_err("trouble");
    assert!(!format!("{failure} {failure:?}").contains(token), "{failure:?}");
    let Failure::GitHub(error) = failure else { unreachable!("not GitHub's: {failure}") };
    error
}

#[tokio::test]
async fn what_failed_while_the_server_was_away_arrives_once() {
    let fake = Fake::start();
    fake.fail("lost-1", 7200);
    fake.fail("lost-2", 3600);
    fake.succeed("fine", 1800);
    // Nobody listens yet: these are the failures. Then the server comes, and asks by itself.
    let base = fake.base();
    let settings = [SECRETS, &[("GITHUB_TOKEN", TOKEN), ("GITHUB_HOOK", HOOK), ("GITHUB_API_BASE", &base)]].concat();
    let app = App::with(&settings).await;
    fake.deliver_to(app.address);
    app.until_count(2, "SELECT count(*) FROM webhook_events WHERE provider = 'github'").await;
    fake.settled().await;
    assert_eq!(fake.asked(), ["lost-1", "lost-2"], "the oldest first, each once");
    // Once it has come through there is nothing left to ask for.
    let report = once(&db(&app), &client(&fake, TOKEN)).await.expect("a report");
    assert_eq!(report, Report::default());
    assert_eq!((kept(&app).await, fake.asked().len()), (2, 2));
}

#[tokio::test]
async fn what_is_kept_or_was_asked_for_too_often_or_just_now_is_left_alone() {
    let (fake, app) = (Fake::start(), App::with(SECRETS).await);
    fake.deliver_to(app.address);
    // Kept, but the answer got lost.
    fake.fail("kept", 500);
    assert_eq!(fake.post("kept").await, 200);
    for ago in [400, 300, 200, 100] {
        fake.fail("hopeless", ago);
    }
    fake.fail("just now", 1);
    fake.fail("forgotten", 4 * 24 * 3600);
    fake.fail("lost", 90);
    let report = once(&db(&app), &client(&fake, TOKEN)).await.expect("a report");
    assert_eq!(report, Report { failed: 4, kept: 1, given_up: 1, asked: 1, refused: 0 });
    app.until_count(2, "SELECT count(*) FROM webhook_events WHERE provider = 'github'").await;
    assert_eq!(fake.asked(), ["lost"]);
}

#[tokio::test]
async fn all_pages_are_read_and_a_hundred_are_asked_for_at_a_time() {
    let (fake, app) = (Fake::start(), App::with(SECRETS).await);
    for number in 0..250 {
        fake.fail(&format!("lost-{number}"), 3600 - number);
    }
    let report = once(&db(&app), &client(&fake, TOKEN)).await.expect("a report");
    assert_eq!((report.failed, report.asked, fake.pages()), (250, 100, 3));
    assert_eq!((fake.asked()[0].as_str(), fake.asked()[99].as_str()), ("lost-0", "lost-99"));
    // No more than ten pages, however many there are.
    for number in 0..900 {
        fake.fail(&format!("more-{number}"), 1000);
    }
    let failed = client(&fake, TOKEN).failed_deliveries(chrono::DateTime::UNIX_EPOCH).await.expect("deliveries");
    assert_eq!((failed.len(), fake.pages()), (1000, 13));
}

#[tokio::test]
async fn one_that_github_no_longer_has_does_not_keep_the_others_back() {
    let (fake, app) = (Fake::start(), App::with(SECRETS).await);
    for (guid, ago) in [("gone", 3600), ("refused", 1800), ("lost", 900)] {
        fake.fail(guid, ago);
    }
    fake.refuse("gone", 404);
    fake.refuse("refused", 422);
    let report = once(&db(&app), &client(&fake, TOKEN)).await.expect("a report");
    assert_eq!((report.asked, report.refused), (1, 2));
    // But when GitHub itself is in trouble, that is the end of it for now.
    fake.refuse("lost", 503);
    fake.fail("lost-2", 80);
    assert_eq!(trouble(&app, &fake, TOKEN).await, Error::Busy { retry_after: None });
    assert_eq!(fake.asked(), ["lost"]);
}

#[tokio::test]
async fn troubles_are_told_apart_and_without_the_token() {
    let (fake, app) = (Fake::start(), App::with(SECRETS).await);
    assert_eq!(trouble(&app, &fake, "ghp_another_hunter2").await, Error::Unauthorized);
    let minute = Some(Duration::from_secs(60));
    for (status, header, body, expected) in [
        (429, Some(("retry-after", "60")), "{}".to_owned(), Error::Busy { retry_after: minute }),
        (403, Some(("retry-after", "60")), "{}".to_owned(), Error::Busy { retry_after: minute }),
        (403, Some(("x-ratelimit-remaining", "0")), "{}".to_owned(), Error::Busy { retry_after: None }),
        (403, None, format!(r#"{{"message":"no {TOKEN}"}}"#), Error::Unauthorized),
        (502, None, TOKEN.to_owned(), Error::Busy { retry_after: None }),
        (404, None, TOKEN.to_owned(), Error::NotFound),
        (422, None, TOKEN.to_owned(), Error::Refused(422)),
        (302, Some(("location", "http://127.0.0.1:1/")), TOKEN.to_owned(), Error::Garbage("it is no answer but a redirect or worse")),
        (200, None, format!("<p>{TOKEN}"), Error::Garbage("it is no list of deliveries")),
        (200, None, json!([{ "id": TOKEN }]).to_string(), Error::Garbage("it is no list of deliveries")),
        (200, None, " ".repeat(5 * 1024 * 1024), Error::Garbage("it is too large")),
    ] {
        fake.answer(status, header, &body);
        assert_eq!(trouble(&app, &fake, TOKEN).await, expected);
    }
    fake.stop();
    assert_eq!(trouble(&app, &fake, TOKEN).await, Error::Unreachable);
}

#[tokio::test]
async fn the_command_asks_once_and_says_how_many() {
    let (fake, app) = (Fake::start(), App::with(SECRETS).await);
    fake.deliver_to(app.address);
    fake.fail("lost", 3600);
    let base = fake.base();
    let run = async |hook: &str| {
        let given =
            [("DATABASE_URL", app.database.url.as_str()), ("GITHUB_TOKEN", TOKEN), ("GITHUB_HOOK", hook), ("GITHUB_API_BASE", &base)];
        let mut command = command(&["webhook", "redeliver"], &given);
        tokio::task::spawn_blocking(move || command.output().expect("the program")).await.expect("an end")
    };
    let done = run(HOOK).await;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.starts_with("1 events asked for again; of 1 that failed, 0 were kept"), "{done:?}");
    app.until_count(1, "SELECT count(*) FROM webhook_events WHERE provider = 'github'").await;
    let refused = run("repos/../hooks/1").await;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("GITHUB_HOOK") && !said.contains(TOKEN), "{said}");
}

//! What questions take is counted, whatever happens, and bounded.

use std::time::Duration;

use fake_model::{Script, Step};
use persistence::{Db, Sizes};
use serde_json::json;
use tests::{Database, Proxy};
use worker::sweep::{self, Kept};

use super::World;

fn said(words: &str) -> Step {
    Step::Words(words.to_owned())
}

#[tokio::test]
async fn every_end_is_kept_with_what_it_took() {
    let world = World::with(Script::default(), &[("CHAT_SILENCE_SECONDS", "1")]).await;
    world.whole("text/plain").await.expect(200);
    world.until_kept("done 3 4 false").await;
    world.model.set(Script::refusing(500));
    world.whole("text/plain").await.expect(502);
    world.model.set(Script::steps([said("A long answer"), Step::Hold]));
    world.whole("text/event-stream").await.expect(200);
    world.until_kept("done 3 4 false, failed 0 0 false, failed 3 4 true").await;
    assert_eq!(world.app.text("SELECT DISTINCT model FROM chat_usage").await, "gpt-fake");
    assert_eq!(world.app.count("SELECT count(*) FROM chat_usage WHERE ended_at IS NULL").await, 0);
}

#[tokio::test]
async fn everybody_sees_what_they_used_by_day_and_nobody_elses() {
    let world = World::new(Script::default()).await;
    let bob = world.app.user("Bob").await;
    for _ in 0..2 {
        world.whole("text/plain").await.expect(200);
    }
    world.until_kept("done 3 4 false, done 3 4 false").await;
    let old = "SELECT gen_random_uuid(), user_id, model, 'left', 10, 20, true, started_at - interval '2 days' FROM chat_usage LIMIT 1";
    world
        .app
        .sql(&format!(
            "INSERT INTO chat_usage (id, user_id, model, outcome, prompt_tokens, completion_tokens, estimated, started_at) {old}"
        ))
        .await;
    let usage = world.ada.client.get("/api/chat/usage").send().await.expect(200);
    assert_eq!((usage.at("/tokensPerDay"), usage.at("/tokensToday")), (json!(200_000), json!(14)));
    let count = |day: &str, field: &str| usage.at(&format!("/days/{day}/{field}"));
    let fields = ["questions", "promptTokens", "completionTokens", "estimated"];
    assert_eq!(fields.map(|field| count("0", field)), [2, 6, 8, 0].map(|number| json!(number)));
    assert_eq!(fields.map(|field| count("1", field)), [1, 10, 20, 1].map(|number| json!(number)));
    let recent = world.ada.client.get("/api/chat/usage?days=1").send().await.expect(200);
    assert_eq!(recent.at("/days").as_array().map(Vec::len), Some(1));
    let nothing = bob.client.get("/api/chat/usage").send().await.expect(200);
    assert_eq!((nothing.at("/tokensToday"), nothing.at("/days")), (json!(0), json!([])));
    for wrong in ["0", "367", "x"] {
        world.ada.client.get(&format!("/api/chat/usage?days={wrong}")).send().await.expect_refused(&["days"]);
    }
}

#[tokio::test]
async fn who_used_the_days_tokens_waits_for_the_next() {
    let world = World::with(Script::default(), &[("CHAT_TOKENS_PER_DAY", "8")]).await;
    for _ in 0..2 {
        world.whole("text/plain").await.expect(200);
        world.until_kept(if world.model.calls().len() == 1 { "done 3 4 false" } else { "done 3 4 false, done 3 4 false" }).await;
    }
    let refused = world.whole("text/plain").await.expect_error(429, "RATE_LIMITED");
    let wait: u64 = refused.header("retry-after").expect("a wait").parse().expect("seconds");
    assert!((1..=86_401).contains(&wait), "{wait}");
    assert_eq!(world.model.calls().len(), 2, "the model was not asked");
    // Another account has its own; tomorrow is another day.
    let body = json!({ "prompt": "Hello" });
    world.app.user("Bob").await.client.post("/api/chat").json(&body).send().await.expect(200);
    world.app.sql("UPDATE chat_usage SET started_at = started_at - interval '1 day'").await;
    world.whole("text/plain").await.expect(200);
}

#[tokio::test]
async fn the_budget_can_be_switched_off() {
    let world = World::with(Script::default(), &[("CHAT_TOKENS_PER_DAY", "off")]).await;
    world.whole("text/plain").await.expect(200);
    world.app.sql("UPDATE chat_usage SET prompt_tokens = 9000000000").await;
    world.whole("text/plain").await.expect(200);
    assert_eq!(world.ada.client.get("/api/chat/usage").send().await.expect(200).at("/tokensPerDay"), json!(null));
}

#[tokio::test]
async fn questions_are_rate_limited_by_account() {
    let world = World::with(Script::default(), &[("RATE_LIMIT_CHAT", "2/hour")]).await;
    for _ in 0..2 {
        let answer = world.whole("text/plain").await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"chat\";q=2;w=3600"));
    }
    world.whole("text/plain").await.expect_error(429, "RATE_LIMITED");
    let body = json!({ "prompt": "Hello" });
    world.app.user("Bob").await.client.post("/api/chat").json(&body).send().await.expect(200);
}

#[tokio::test]
async fn what_was_used_while_the_database_was_away_is_written_later() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let script = Script::steps([said("Well"), Step::Hold, said(", fine"), Step::Finish]);
    let world = World::on(database, &url, script, &[]).await;
    let (mut told, mut leaving) = (world.ask("text/plain").await, world.ask("text/plain").await);
    assert_eq!((told.words().await, leaving.words().await), ("Well".to_owned(), "Well".to_owned()));
    proxy.cut();
    drop(leaving);
    tests::eventually("the model is told to stop", async || world.model.calls().iter().any(|call| call.end.is_some())).await;
    world.model.release();
    assert_eq!(told.words().await, ", fine");
    assert_eq!(told.piece().await.expect("a good end"), None);
    assert_eq!(world.app.count("SELECT count(*) FROM chat_usage WHERE outcome = 'running'").await, 2);
    proxy.mend();
    world.until_kept("done 3 2 false, left 3 1 true").await;
}

#[tokio::test]
async fn without_the_database_no_word_goes_out() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let world = World::on(database, &url, Script::default(), &[("CHAT_TOKENS_PER_DAY", "off")]).await;
    world.whole("text/plain").await.expect(200);
    proxy.cut();
    world.whole("text/plain").await.expect_error(503, "UNAVAILABLE");
}

#[tokio::test]
async fn what_is_lost_is_settled_and_what_is_old_removed() {
    let world = World::with(Script::default(), &[("WORKER", "false")]).await;
    for (outcome, age) in [("running", "4 hours"), ("running", "1 hour"), ("done", "9 days"), ("done", "11 days")] {
        let row = format!("gen_random_uuid(), '{}', 'm', '{outcome}', 5, now() - interval '{age}'", world.ada.id);
        world.app.sql(&format!("INSERT INTO chat_usage (id, user_id, model, outcome, prompt_tokens, started_at) SELECT {row}")).await;
    }
    let sizes = Sizes { pool: 2, pipelines: 1, pool_wait: Duration::from_secs(5), read: Duration::from_secs(5) };
    let db = Db::new(std::sync::Arc::new(world.app.database.connector()), sizes, std::sync::Arc::default());
    let days = |days: u64| Duration::from_secs(days * 86_400);
    sweep::once(&db, Kept { audit: days(400), webhooks: days(90), chat: days(10) }).await.expect("a sweep");
    let left = "SELECT string_agg(concat_ws(' ', outcome, prompt_tokens, ended_at IS NOT NULL), ', ' ORDER BY started_at) FROM chat_usage";
    assert_eq!(world.app.text(left).await, "done 5 f, lost 5 t, running 5 f");
}

#[tokio::test]
async fn an_account_that_goes_takes_what_it_used_along() {
    let world = World::new(Script::steps([said("Well"), Step::Hold, Step::Finish])).await;
    let mut told = world.ask("text/plain").await;
    told.words().await;
    world.app.sql(&format!("DELETE FROM users WHERE id = '{}'", world.ada.id)).await;
    world.model.release();
    assert_eq!(told.piece().await.expect("a good end"), None);
    // The next one's is written all the same.
    let bob = world.app.user("Bob").await;
    world.model.set(Script::default());
    bob.client.post("/api/chat").json(&json!({ "prompt": "How are you?" })).send().await.expect(200);
    world.until_kept("done 3 4 false").await;
}

//! The model fails: before its first word that is an ordinary error, after it the answer ends so that it can be seen.

use fake_model::{FakeModel, Script, Step};
use serde_json::json;
use tests::App;

use super::{EVENTS, World};

fn said(words: &str) -> Step {
    Step::Words(words.to_owned())
}

fn error_event() -> Step {
    Step::Event(json!({ "error": { "message": "the secret cause", "type": "server_error", "code": null } }).to_string())
}

#[tokio::test]
async fn what_fails_before_the_first_word_is_an_ordinary_error() {
    let world = World::with(Script::default(), &[("CHAT_EVENT_BYTES", "1024")]).await;
    let garbage = |text: &str| Script::steps([Step::Raw(text.as_bytes().to_vec())]);
    for (what, script, status, code) in [
        ("a bad request", Script::refusing(400), 502, "UPSTREAM_ERROR"),
        ("a wrong key", Script::refusing(401), 503, "NOT_CONFIGURED"),
        ("no such model", Script::refusing(404), 502, "UPSTREAM_ERROR"),
        ("too many", Script::refusing(429), 502, "UPSTREAM_ERROR"),
        ("broken", Script::refusing(500), 502, "UPSTREAM_ERROR"),
        ("a redirect", Script::refusing(302), 502, "UPSTREAM_ERROR"),
        ("nothing", Script::steps([]), 502, "UPSTREAM_ERROR"),
        ("a broken connection", Script::steps([Step::Break]), 502, "UPSTREAM_ERROR"),
        ("an error as an event", Script::steps([error_event(), said("x"), Step::Finish]), 502, "UPSTREAM_ERROR"),
        ("no JSON", garbage("data: {\n\n"), 502, "UPSTREAM_ERROR"),
        ("half an event", garbage("data: {\"choices\""), 502, "UPSTREAM_ERROR"),
        ("no event at all", garbage(&"x".repeat(100_000)), 502, "UPSTREAM_ERROR"),
        ("a huge event", Script::words([&*"x".repeat(2000)]), 502, "UPSTREAM_ERROR"),
        ("a web page", Script { content_type: "text/html", ..Script::default() }, 502, "UPSTREAM_ERROR"),
    ] {
        world.model.set(script);
        for accept in ["text/plain", EVENTS] {
            let answer = world.whole(accept).await;
            assert_eq!((answer.status, answer.text_at("/code").as_str()), (status, code), "{what}: {}", answer.text);
            let answer = answer.expect_error(status, code);
            assert!(!answer.text.contains("secret") && !answer.text.contains("127.0.0.1"), "{what}: {}", answer.text);
        }
    }
    assert_eq!(world.model.calls().len(), 28, "nothing was asked twice");
}

#[tokio::test]
async fn nobody_there_and_nothing_set_are_told_apart() {
    let gone = FakeModel::start(Script::default()).expect("a model").base_url.clone();
    let app = App::with(&[("OPENAI_API_KEY", "x"), ("OPENAI_BASE_URL", &gone)]).await;
    let body = json!({ "prompt": "Hello" });
    app.user("Ada").await.client.post("/api/chat").json(&body).send().await.expect_error(502, "UPSTREAM_ERROR");
    let app = App::start().await;
    app.user("Ada").await.client.post("/api/chat").json(&body).send().await.expect_error(503, "NOT_CONFIGURED");
}

#[tokio::test]
async fn a_first_word_that_does_not_come_is_504() {
    let world = World::with(Script { hold_head: true, ..Script::default() }, &[("CHAT_FIRST_TOKEN_SECONDS", "1")]).await;
    world.whole("text/plain").await.expect_error(504, "UPSTREAM_TIMEOUT");
    // Neither a head nor comments are words.
    let mut steps = vec![Step::Raw(b": soon\n\n".to_vec()), Step::Hold];
    world.model.set(Script::steps(steps.clone()));
    world.whole(EVENTS).await.expect_error(504, "UPSTREAM_TIMEOUT");
    steps.splice(1..1, [error_event()]);
    world.model.set(Script::steps(steps));
    world.whole(EVENTS).await.expect_error(502, "UPSTREAM_ERROR");
}

#[tokio::test]
async fn what_fails_after_the_first_word_ends_events_with_an_error() {
    let world = World::with(Script::default(), &[("CHAT_SILENCE_SECONDS", "1"), ("CHAT_ANSWER_BYTES", "4096")]).await;
    for (what, step, code) in [
        ("silence", Step::Hold, "UPSTREAM_TIMEOUT"),
        ("a byte now and then", Step::Raw(b"data: {".to_vec()), "UPSTREAM_ERROR"),
        ("a broken connection", Step::Break, "UPSTREAM_ERROR"),
        ("an error as an event", error_event(), "UPSTREAM_ERROR"),
        ("an endless answer", Step::Endless("so on and ".to_owned()), "UPSTREAM_ERROR"),
        ("endless emptiness", Step::Endless(String::new()), "UPSTREAM_ERROR"),
    ] {
        world.model.set(Script::steps([said("Well"), step]));
        let answer = world.whole(EVENTS).await.expect(200);
        let (words, error) = answer.text.rsplit_once("event: error\ndata: ").unwrap_or_else(|| panic!("{what}: {}", answer.text));
        assert!(words.starts_with("event: delta\ndata: {\"content\":\"Well"), "{what}: {words}");
        assert!(!words.contains("done") && words.len() < 1 << 20, "{what}");
        let error: serde_json::Value = serde_json::from_str(error.trim()).expect("JSON");
        assert_eq!((error["code"].as_str(), error["requestId"].as_str()), (Some(code), answer.header("x-request-id")), "{what}: {error}");
        assert!(!answer.text.contains("secret"), "{what}");
    }
}

#[tokio::test]
async fn what_fails_after_the_first_word_breaks_plain_text_off() {
    let world = World::with(Script::default(), &[("CHAT_SILENCE_SECONDS", "1"), ("CHAT_ANSWER_BYTES", "4096")]).await;
    for step in [Step::Hold, Step::Break, error_event(), Step::Endless("so on and ".to_owned())] {
        let what = format!("{step:?}");
        world.model.set(Script::steps([said("Well"), step]));
        let mut told = world.ask("text/plain").await;
        assert!(told.words().await.starts_with("Well"), "{what}");
        let end = loop {
            match told.piece().await {
                Ok(Some(_)) => {}
                end => break end,
            }
        };
        assert!(end.is_err(), "{what} looks like a good end");
    }
}

#[tokio::test]
async fn an_answer_that_goes_on_and_on_is_ended_and_the_model_told_to_stop() {
    let script = Script { pace: std::time::Duration::from_millis(50), ..Script::steps([Step::Endless("and ".to_owned())]) };
    let world = World::with(script, &[("CHAT_TOTAL_SECONDS", "1")]).await;
    let answer = world.whole(EVENTS).await.expect(200);
    assert!(answer.text.contains("UPSTREAM_TIMEOUT"), "{}", answer.text);
    tests::eventually("the model stops", async || world.call().end.is_some()).await;
}

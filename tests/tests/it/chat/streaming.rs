//! Words on their way.

use std::time::Duration;

use fake_model::{Script, Step};
use serde_json::{Value, json};
use tests::{contract::document, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{BOUND, EVENTS, World};

fn said(words: &str) -> Step {
    Step::Words(words.to_owned())
}

#[tokio::test]
async fn words_come_one_by_one_whatever_coding_is_offered() {
    let world = World::new(Script::steps([said("Hel"), Step::Hold, said("lo"), Step::Hold, said(" 🦀"), Step::Finish])).await;
    let mut told = world.ask("text/plain").await;
    // The model holds: what comes has come before the rest was said.
    assert_eq!(told.words().await, "Hel");
    world.model.release();
    assert_eq!(told.words().await, "lo");
    world.model.release();
    assert_eq!(told.words().await, " 🦀");
    assert_eq!(told.piece().await.expect("a good end"), None);
    let header = |name| told.response.headers().get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!((header("x-accel-buffering"), header("cache-control")), (Some("no"), Some("no-store, no-transform")));
    assert_eq!(header("content-encoding"), None);
    assert!(header("vary").is_some_and(|vary| vary.starts_with("accept,")), "{:?}", header("vary"));
}

#[tokio::test]
async fn events_come_one_by_one_and_end_with_what_it_took() {
    let world = World::new(Script::steps([said("Hel\n"), Step::Hold, said("lo"), Step::Finish])).await;
    let mut told = world.ask(EVENTS).await;
    assert_eq!(told.event().await, ("delta".to_owned(), json!({ "content": "Hel\n" })));
    world.model.release();
    let mut rest = Vec::new();
    for _ in 0..3 {
        rest.push(told.event().await);
    }
    let usage = json!({ "promptTokens": 3, "completionTokens": 2, "estimated": false });
    let expected = [("delta", json!({ "content": "lo" })), ("usage", usage), ("done", json!({ "finishReason": "stop" }))];
    assert_eq!(rest, expected.map(|(name, data)| (name.to_owned(), data)));
    assert_eq!(told.piece().await.expect("a good end"), None);
    assert_eq!(told.response.headers()["content-type"], EVENTS);
    assert_eq!(world.whole(EVENTS).await.expect(200).header("x-accel-buffering"), Some("no"));
}

#[tokio::test]
async fn signs_of_life_fill_the_silence_between_events() {
    let world = World::with(Script::steps([said("Well"), Step::Hold, Step::Finish]), &[("CHAT_HEARTBEAT_SECONDS", "1")]).await;
    let mut told = world.ask(EVENTS).await;
    let names = [told.event().await.0, told.event().await.0, told.event().await.0];
    assert_eq!(names, ["delta", "life", "life"]);
    world.model.release();
    assert_eq!(told.event().await.0, "usage");
}

#[tokio::test]
async fn events_cut_anywhere_are_put_together() {
    let words = ["größer", " 🦀🦀", " \"quoted\"\\", "\n"];
    let world = World::new(Script::default()).await;
    for cut in [1, 2, 3, 5, 64] {
        world.model.set(Script { cut: Some(cut), ..Script::words(words) });
        assert_eq!(world.whole("*/*").await.expect(200).text, words.concat(), "in pieces of {cut}");
    }
}

#[tokio::test]
async fn broken_utf8_is_marked_and_the_rest_goes_on() {
    let broken = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\xff\xf0\x9fz\"}}]}\n\n".to_vec();
    let script = Script { cut: Some(1), ..Script::steps([said("ok "), Step::Raw(broken), said(" ok"), Step::Finish]) };
    let text = World::new(script).await.whole("text/plain").await.expect(200).text;
    assert!(text.starts_with("ok a\u{fffd}") && text.ends_with("z ok"), "{text}");
}

#[tokio::test]
async fn comments_reasoning_and_other_answers_are_passed_over() {
    let event = |data: Value| Step::Event(data.to_string());
    let steps = vec![
        Step::Raw(b": PROCESSING\r\n\r\nretry: 5\n\n".to_vec()),
        event(json!({ "choices": [{ "index": 0, "delta": { "content": null, "reasoning_content": "hm" } }] })),
        event(json!({ "choices": [{ "index": 1, "delta": { "content": "another" } }] })),
        said("Fine"),
        event(json!({ "choices": [] })),
        Step::FinishUntold,
    ];
    let world = World::new(Script::steps(steps)).await;
    let answer = world.whole(EVENTS).await.expect(200);
    assert!(answer.text.contains("Fine") && !answer.text.contains("another") && !answer.text.contains("hm"), "{}", answer.text);
    // Nobody counted: twelve bytes were asked, one event was said.
    assert!(answer.text.contains(r#"{"promptTokens":3,"completionTokens":1,"estimated":true}"#), "{}", answer.text);
}

#[tokio::test]
async fn an_answer_without_words_is_one() {
    let world = World::new(Script::steps([Step::Finish])).await;
    assert_eq!(world.whole("text/plain").await.expect(200).text, "");
    // An end without [DONE] is one, too, when it had a reason.
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "length" }] }).to_string();
    world.model.set(Script::steps([said("Half"), Step::Event(end)]));
    let answer = world.whole(EVENTS).await.expect(200);
    assert!(answer.text.ends_with("event: done\ndata: {\"finishReason\":\"length\"}\n\n"), "{}", answer.text);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_the_model_up() {
    // Without back pressure all 64 MiB would be taken.
    let bounds = [("CHAT_ANSWER_BYTES", "67108864"), ("WRITE_TIMEOUT_SECONDS", "60"), ("CHAT_SILENCE_SECONDS", "1")];
    let world = World::with(Script::steps([Step::Endless("x".repeat(8000))]), &bounds).await;
    let mut stream = TcpStream::connect(world.app.address).await.expect("a connection");
    let body = r#"{"prompt":"Talk"}"#;
    let head = format!(
        "POST /api/chat HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        world.ada.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut taken = 0;
    let mut calm = 0;
    eventually("nothing more is taken", async || {
        let now = world.model.calls().first().map_or(0, |call| call.bytes);
        calm = if now > 0 && now == taken { calm + 1 } else { 0 };
        taken = now;
        // For longer than the model may be silent: it is not the model's fault.
        calm > 150
    })
    .await;
    assert!(taken < 32 << 20, "{taken} bytes were taken though nobody reads");
    let mut received = vec![0; 1 << 20];
    for _ in 0..5000 {
        let count = tokio::time::timeout(BOUND, stream.read(&mut received)).await.expect("words in time").expect("words");
        assert!(count > 0, "it breaks off");
        if world.call().bytes > taken + (1 << 20) {
            return;
        }
    }
    panic!("the model is not asked for more");
}

#[tokio::test]
async fn many_talk_at_once() {
    let script = Script { pace: Duration::from_millis(20), ..Script::words(["a", "b", "c", "d", "e"]) };
    let world = World::new(script).await;
    let answers = futures::future::join_all((0..50).map(|_| world.whole("text/plain"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text == "abcde"));
}

#[test]
fn both_forms_are_described() {
    let content = &document()["paths"]["/api/chat"]["post"]["responses"]["200"]["content"];
    assert_eq!(content["text/plain"]["schema"]["type"], "string");
    let events = &content["text/event-stream"]["schema"]["x-events"];
    for (event, field) in [("delta", "content"), ("usage", "promptTokens"), ("done", "finishReason"), ("error", "code")] {
        let reference = events[event]["$ref"].as_str().expect("a reference");
        let schema = document().pointer(&reference[1..]).expect("a schema");
        assert!(schema["properties"][field].is_object(), "{event}: {schema}");
    }
}

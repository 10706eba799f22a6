//! Who asked leaves, or the server stops.

use std::time::{Duration, Instant};

use fake_model::{End, FakeModel, Script, Step};
use serde_json::json;
use tests::{Database, Program, eventually};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{EVENTS, World, settings};

/// What is aimed at is a tenth of it; a busy machine may need longer.
const BOUND: Duration = Duration::from_secs(1);

fn said(words: &str) -> Step {
    Step::Words(words.to_owned())
}

/// How long after `left` the model was told to stop, by its own clock.
async fn told_to_stop(world: &World, left: Instant) -> Duration {
    eventually("the model is told to stop", async || world.call().end.is_some()).await;
    let (end, at) = world.call().end.expect("an end");
    assert_eq!(end, End::Left);
    let took = at.saturating_duration_since(left);
    println!("the model was told to stop after {took:?}");
    took
}

#[tokio::test]
async fn leaving_in_the_middle_stops_the_model_at_once() {
    for accept in ["text/plain", EVENTS] {
        let world = World::new(Script::steps([said("Well"), Step::Hold])).await;
        let mut told = world.ask(accept).await;
        assert!(told.words().await.contains("Well"));
        let left = Instant::now();
        drop(told);
        assert!(told_to_stop(&world, left).await < BOUND, "{accept}");
        world.until_kept("left 3 1 true").await;
    }
}

#[tokio::test]
async fn leaving_before_the_first_word_stops_the_model_at_once() {
    let world = World::new(Script { hold_head: true, ..Script::default() }).await;
    let mut stream = TcpStream::connect(world.app.address).await.expect("a connection");
    let body = r#"{"prompt":"How are you?"}"#;
    let head = format!(
        "POST /api/chat HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        world.ada.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("a request");
    eventually("the model is asked", async || world.model.calls().len() == 1).await;
    world.until_kept("running 3 0 true").await;
    drop(stream);
    world.until_kept("left 3 0 true").await;
    world.model.release();
    eventually("the model is told to stop", async || world.call().end.is_some()).await;
}

#[tokio::test]
async fn leaving_a_model_that_talks_on_stops_it() {
    let script = Script { pace: Duration::from_millis(5), ..Script::steps([Step::Endless("and ".to_owned())]) };
    let world = World::new(script).await;
    let mut told = world.ask(EVENTS).await;
    for _ in 0..5 {
        assert_eq!(told.event().await.0, "delta");
    }
    let left = Instant::now();
    drop(told);
    assert!(told_to_stop(&world, left).await < BOUND);
}

#[tokio::test]
async fn closing_ones_own_side_is_leaving() {
    let world = World::new(Script::steps([said("Well"), Step::Hold, Step::Finish])).await;
    let mut stream = TcpStream::connect(world.app.address).await.expect("a connection");
    let body = r#"{"prompt":"How are you?"}"#;
    let head = format!(
        "POST /api/chat HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        world.ada.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut received = String::new();
    eventually("the first word", async || {
        let mut some = [0; 1024];
        let count = stream.try_read(&mut some).unwrap_or(0);
        received.push_str(&String::from_utf8_lossy(&some[..count]));
        received.contains("Well")
    })
    .await;
    let left = Instant::now();
    stream.shutdown().await.expect("half a connection");
    assert!(told_to_stop(&world, left).await < BOUND);
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "what came is not the whole");
}

/// The program, asked by somebody whose answer has begun.
async fn begun(model: &FakeModel, database: &Database, grace: &str) -> (Program, reqwest::Response) {
    let more = [("DATABASE_URL", database.url.as_str()), ("PORT", "0"), ("WORKERS", "1"), ("SHUTDOWN_GRACE_SECONDS", grace)];
    let program = Program::start(&["serve"], &[settings(model), more.to_vec()].concat());
    program.expect_line("Stop");
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": "difference engine 1843" });
    let token = program.client().post("/api/auth/register").json(&body).send().await.expect(201).text_at("/token");
    let request = tests::http().post(format!("http://{}/api/chat", program.address())).bearer_auth(token);
    let mut response = request.json(&json!({ "prompt": "How are you?" })).send().await.expect("an answer");
    assert_eq!(response.chunk().await.expect("words").expect("words"), "Well");
    (program, response)
}

async fn kept(database: &Database) -> String {
    let query = "SELECT concat_ws(' ', outcome, prompt_tokens, completion_tokens, estimated::text) FROM chat_usage";
    database.connect().await.query_one(query, &[]).await.expect("a row").get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_way_is_told_to_its_end_when_the_server_stops() {
    let model = FakeModel::start(Script::steps([said("Well"), Step::Hold, said(", fine"), Step::Finish])).expect("a model");
    let database = Database::empty().await;
    let (mut program, mut response) = begun(&model, &database, "20").await;
    program.terminate();
    program.expect_line("stopping");
    model.release();
    assert_eq!(response.chunk().await.expect("words").expect("words"), ", fine");
    assert!(response.chunk().await.expect("a good end").is_none());
    assert!(program.wait().success(), "{}", program.output());
    assert_eq!(kept(&database).await, "done 3 2 false");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_outlasts_the_grace_is_cut_and_metered() {
    let model = FakeModel::start(Script::steps([said("Well"), Step::Hold])).expect("a model");
    let database = Database::empty().await;
    let (mut program, mut response) = begun(&model, &database, "1").await;
    program.terminate();
    assert!(response.chunk().await.is_err(), "cut is not a good end");
    assert!(program.wait().success(), "{}", program.output());
    assert_eq!(kept(&database).await, "left 3 1 true");
    assert_eq!(model.calls()[0].end.map(|(end, _)| end), Some(End::Left));
}

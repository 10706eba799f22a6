//! What may be asked.

use fake_model::Script;
use serde_json::{Value, json};

use super::World;

#[tokio::test]
async fn a_prompt_or_a_conversation_reaches_the_model_as_it_is() {
    let world = World::new(Script::default()).await;
    let messages = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": "Hello \u{1f980}\n" },
        { "role": "assistant", "content": "Hi" },
        { "role": "user", "content": "Bye" },
    ]);
    let ask = async |body: Value| world.ada.client.post("/api/chat").json(&body).send().await.expect(200).text;
    assert_eq!(ask(json!({ "prompt": " Hello " })).await, "Hello, world!");
    assert_eq!(ask(json!({ "messages": messages })).await, "Hello, world!");
    let asked: Vec<Value> = world.model.calls().into_iter().map(|call| call.body).collect();
    assert_eq!(asked[0]["messages"], json!([{ "role": "user", "content": " Hello " }]));
    assert_eq!(asked[1]["messages"], messages);
    assert_eq!(asked[1]["model"], "gpt-fake");
}

#[tokio::test]
async fn nothing_wrong_reaches_the_model() {
    let world = World::new(Script::default()).await;
    let message = |role: &str, content: &str| json!({ "role": role, "content": content });
    let long = "x".repeat(32_001);
    let full = "x".repeat(32_000);
    for (body, fields) in [
        (json!({}), vec!["prompt"]),
        (json!({ "prompt": "a", "messages": [message("user", "b")] }), vec!["prompt"]),
        (json!({ "prompt": null }), vec!["prompt"]),
        (json!({ "prompt": 7 }), vec!["prompt"]),
        (json!({ "prompt": "" }), vec!["prompt"]),
        (json!({ "prompt": " \n" }), vec!["prompt"]),
        (json!({ "prompt": "a\u{0}b" }), vec!["prompt"]),
        (json!({ "prompt": long }), vec!["prompt"]),
        (json!({ "prompt": "a", "model": "gpt-4" }), vec!["model"]),
        (json!({ "prompt": "a", "stream": false }), vec!["stream"]),
        (json!({ "messages": [] }), vec!["messages"]),
        (json!({ "messages": vec![message("user", "a"); 101] }), vec!["messages"]),
        (json!({ "messages": vec![message("user", &full); 4] }), vec!["messages"]),
        (json!({ "messages": [message("tool", "a")] }), vec!["messages.0.role"]),
        (json!({ "messages": [message("user", "a"), { "role": "user" }] }), vec!["messages.1.content"]),
        (json!({ "messages": [message("user", "")] }), vec!["messages.0.content"]),
        (json!({ "messages": [["user", "a"]] }), vec!["messages.0"]),
        (json!({ "messages": [{ "role": "user", "content": ["a"] }] }), vec!["messages.0.content"]),
        (json!({ "messages": [{ "role": "user", "content": "a", "name": "b" }] }), vec!["messages.0.name"]),
    ] {
        let answer = world.ada.client.post("/api/chat").json(&body).send().await.expect_error(400, "VALIDATION_ERROR");
        let refused = answer.at("/details/fieldErrors");
        for field in fields {
            assert!(refused.get(field).is_some(), "{field} in {}", answer.text);
        }
    }
    for (kind, body) in [("application/json", "{"), ("application/json", "[]"), ("application/json", "\"Hello\"")] {
        world.ada.client.post("/api/chat").body(kind, body).send().await.expect_error(400, "VALIDATION_ERROR");
    }
    world.ada.client.post("/api/chat").body("text/plain", "Hello").send().await.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    let huge = format!("{{\"prompt\":\"{}\"}}", "x".repeat(2 << 20));
    world.ada.client.post("/api/chat").body("application/json", huge).send().await.expect_error(413, "PAYLOAD_TOO_LARGE");
    world.app.anon().post("/api/chat").json(&json!({ "prompt": "a" })).send().await.expect_error(401, "UNAUTHORIZED");
    assert!(world.model.calls().is_empty());
    assert_eq!(world.app.count("SELECT count(*) FROM chat_usage").await, 0);
}

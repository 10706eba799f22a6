//! `/api/chat`: the model's words come as they are said, however it misbehaves and whoever leaves.

mod failures;
mod input;
mod leaving;
mod streaming;
mod usage;

use std::time::Duration;

use fake_model::{Call, FakeModel, KEY, Script};
use reqwest::Response;
use serde_json::{Value, json};
use tests::{App, Caller, Database, eventually};
use tokio::time::timeout;

/// Generous: what matters is that it comes.
const BOUND: Duration = Duration::from_secs(20);
const EVENTS: &str = "text/event-stream";

/// A model, a server that asks it, and somebody who asks.
struct World {
    model: FakeModel,
    app: App,
    ada: Caller,
}

/// The settings for asking a model.
fn settings(model: &FakeModel) -> Vec<(&str, &str)> {
    vec![("OPENAI_API_KEY", KEY), ("OPENAI_BASE_URL", &model.base_url), ("OPENAI_MODEL", "gpt-fake")]
}

impl World {
    async fn new(script: Script) -> Self {
        Self::with(script, &[]).await
    }

    async fn with(script: Script, more: &[(&str, &str)]) -> Self {
        let database = Database::cloned().await;
        let url = database.url.clone();
        Self::on(database, &url, script, more).await
    }

    async fn on(database: Database, url: &str, script: Script, more: &[(&str, &str)]) -> Self {
        let model = FakeModel::start(script).expect("a model");
        let app = App::on(database, url, &[settings(&model), more.to_vec()].concat()).await;
        let ada = app.user("Ada").await;
        Self { model, app, ada }
    }

    /// Asks, and gives the answer while it comes.
    async fn ask(&self, accept: &str) -> Told {
        let request = tests::http().post(format!("http://{}/api/chat", self.app.address)).bearer_auth(&self.ada.token);
        let request =
            request.header("accept", accept).header("accept-encoding", "br, gzip, zstd").json(&json!({ "prompt": "How are you?" }));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        Told { response, rest: String::new() }
    }

    /// Asks, and gives the whole answer, which must be as described.
    async fn whole(&self, accept: &str) -> tests::Answer {
        self.ada.client.post("/api/chat").header("accept", accept).json(&json!({ "prompt": "How are you?" })).send().await
    }

    /// The only call so far.
    fn call(&self) -> Call {
        let mut calls = self.model.calls();
        assert_eq!(calls.len(), 1);
        calls.remove(0)
    }

    /// Waits until this is kept of the questions: outcome, prompt tokens, completion tokens, whether guessed; oldest first.
    async fn until_kept(&self, expected: &str) {
        let query = "SELECT coalesce(string_agg(concat_ws(' ', outcome, prompt_tokens, completion_tokens, estimated::text), ', ' ORDER BY id), '') FROM chat_usage";
        let mut kept = String::new();
        let look = async || {
            kept = self.app.text(query).await;
            kept == expected
        };
        eventually(&format!("{expected:?} in the ledger"), look).await;
    }
}

/// An answer that is coming.
struct Told {
    response: Response,
    rest: String,
}

impl Told {
    /// The next piece that comes over the wire, `None` at a good end.
    async fn piece(&mut self) -> Result<Option<String>, reqwest::Error> {
        let piece = timeout(BOUND, self.response.chunk()).await.expect("a piece in time")?;
        Ok(piece.map(|piece| String::from_utf8(piece.to_vec()).expect("whole characters")))
    }

    /// The next words of plain text.
    async fn words(&mut self) -> String {
        self.piece().await.expect("words").expect("more words")
    }

    /// The next event: its name and its data; signs of life are named `life`.
    async fn event(&mut self) -> (String, Value) {
        while !self.rest.contains("\n\n") {
            let piece = self.words().await;
            self.rest.push_str(&piece);
        }
        let rest = self.rest.clone();
        let (event, rest) = rest.split_once("\n\n").expect("an event");
        rest.clone_into(&mut self.rest);
        if event == ":" {
            return ("life".to_owned(), Value::Null);
        }
        let (name, data) = event.split_once('\n').expect("a name and data");
        let data = data.strip_prefix("data: ").expect("data");
        (name.strip_prefix("event: ").expect("a name").to_owned(), serde_json::from_str(data).expect("JSON"))
    }
}

//! The fake's HTTP side.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    net::TcpListener,
    pin::pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    rt::System,
    web::{self, Bytes, Data},
};
use futures::{Stream, stream};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::yield_now, time::sleep};

use crate::{End, KEY, Script, Step, fake::Shared, record::Recorder};

/// How long what was said before a break has to go out.
const BREAK_AFTER: Duration = Duration::from_millis(50);

/// Serves until it is told to stop, or whoever could tell is gone.
pub(crate) fn run(listener: TcpListener, threads: usize, shared: Arc<Shared>, stop: oneshot::Receiver<()>) -> io::Result<()> {
    System::new().block_on(async move {
        let data = Data::from(shared);
        let server = HttpServer::new(move || App::new().app_data(data.clone()).route("/v1/chat/completions", web::post().to(complete)));
        // Who closes their side has left: that is what a client does that does not want the rest.
        let server = server.h1_allow_half_closed(false).tcp_nodelay(true).workers(threads).disable_signals();
        let mut server = pin!(server.listen(listener)?.run());
        let handle = server.handle();
        tokio::select! {
            ended = &mut server => return ended,
            _ = stop => {}
        }
        // The server stops only while it is polled.
        tokio::join!(server, handle.stop(false)).0
    })
}

async fn complete(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let shown = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if shown != Some(&format!("Bearer {KEY}")) {
        return refuse(401, "invalid_api_key");
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !is_right(&asked) {
        return refuse(400, "invalid_request_error");
    }
    let script = Arc::clone(&shared.script.lock().unwrap_or_else(PoisonError::into_inner));
    let last = asked.get("messages").and_then(Value::as_array).and_then(|messages| messages.last()?.get("content")?.as_str());
    let asked_for = last.filter(|_| script.obey).and_then(Script::asked_for);
    let script = asked_for.map_or(script, Arc::new);
    let recorder = shared.calls.begin(asked.clone());
    if script.hold_head {
        hold(&shared).await;
    }
    if script.status != 200 {
        recorder.end(End::Said);
        return refuse(script.status, "told_to");
    }
    HttpResponse::Ok().content_type(script.content_type).streaming(said(&asked, &script, recorder, shared))
}

/// Whether a call is one that OpenAI would take.
fn is_right(asked: &Value) -> bool {
    let message = |message: &Value| {
        let role = message.get("role").and_then(Value::as_str);
        matches!(role, Some("system" | "user" | "assistant")) && message.get("content").is_some_and(Value::is_string)
    };
    let messages = asked.get("messages").and_then(Value::as_array);
    asked.get("model").is_some_and(Value::is_string)
        && asked.get("stream") == Some(&json!(true))
        && asked.pointer("/stream_options/include_usage") == Some(&json!(true))
        && messages.is_some_and(|messages| !messages.is_empty() && messages.iter().all(message))
}

fn refuse(status: u16, code: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({ "error": { "message": "no, said the model", "type": "refusal", "param": null, "code": code } });
    HttpResponse::build(status).insert_header(("location", "http://127.0.0.1:1/")).json(&body)
}

async fn hold(shared: &Shared) {
    if let Ok(permit) = shared.released.acquire().await {
        permit.forget();
    }
}

/// An answer under way.
struct Saying {
    shared: Data<Shared>,
    recorder: Recorder,
    script: Script,
    steps: VecDeque<Step>,
    /// Pieces of the event under way.
    pieces: VecDeque<Bytes>,
    model: Value,
    prompt_tokens: usize,
    words: u32,
    begun: bool,
}

fn said(asked: &Value, script: &Script, recorder: Recorder, shared: Data<Shared>) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let messages = asked.get("messages").and_then(Value::as_array).into_iter().flatten();
    let texts = messages.filter_map(|message| message.get("content")?.as_str());
    let saying = Saying {
        shared,
        recorder,
        steps: script.steps.iter().cloned().collect(),
        script: script.clone(),
        pieces: VecDeque::new(),
        model: asked.get("model").cloned().unwrap_or_default(),
        prompt_tokens: texts.map(|text| text.split_whitespace().count()).sum(),
        words: 0,
        begun: false,
    };
    stream::unfold(saying, async |mut saying| {
        let piece = saying.next().await?;
        Some((piece, saying))
    })
}

impl Saying {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if !self.begun {
            self.begun = true;
            sleep(self.script.first).await;
            let event = self.chunk(&json!([{ "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null }]));
            self.write(&event);
        }
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                if self.script.cut.is_some() {
                    // Lets what was written before go out by itself.
                    yield_now().await;
                }
                self.recorder.change(|call| call.bytes += piece.len());
                return Some(Ok(piece));
            }
            let Some(step) = self.steps.pop_front() else {
                self.recorder.end(End::Said);
                return None;
            };
            match step {
                Step::Words(words) => self.say(&words).await,
                Step::Endless(words) => {
                    self.say(&words).await;
                    self.steps.push_front(Step::Endless(words));
                }
                Step::Event(data) => self.write(&format!("data: {data}\n\n")),
                Step::Raw(bytes) => self.pieces.push_back(bytes.into()),
                Step::Hold => hold(&self.shared).await,
                Step::Finish => self.finish(true),
                Step::FinishUntold => self.finish(false),
                Step::Break => {
                    // What was said before still goes out.
                    sleep(BREAK_AFTER).await;
                    self.recorder.end(End::Said);
                    return Some(Err(ErrorKind::ConnectionReset.into()));
                }
            }
        }
    }

    async fn say(&mut self, words: &str) {
        if self.words > 0 && !self.script.pace.is_zero() {
            sleep(self.script.pace).await;
        }
        self.words += 1;
        self.recorder.change(|call| call.events += 1);
        let event = self.chunk(&json!([{ "index": 0, "delta": { "content": words }, "logprobs": null, "finish_reason": null }]));
        self.write(&event);
    }

    fn finish(&mut self, told: bool) {
        let mut end = self.chunk(&json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]));
        if told {
            let total = self.prompt_tokens.saturating_add(self.words.try_into().unwrap_or(usize::MAX));
            let usage = json!({ "prompt_tokens": self.prompt_tokens, "completion_tokens": self.words, "total_tokens": total });
            end.push_str(&event(&json!({ "id": "chatcmpl-fake", "choices": [], "usage": usage })));
        }
        end.push_str("data: [DONE]\n\n");
        self.write(&end);
    }

    fn chunk(&self, choices: &Value) -> String {
        event(&json!({
            "id": "chatcmpl-fake",
            "object": "chat.completion.chunk",
            "created": 1_750_000_000,
            "model": self.model,
            "choices": choices,
            "usage": null,
        }))
    }

    fn write(&mut self, text: &str) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let size = self.script.cut.unwrap_or(bytes.len()).max(1);
        self.pieces.extend(bytes.chunks(size).map(Bytes::copy_from_slice));
    }
}

fn event(chunk: &Value) -> String {
    format!("data: {chunk}\n\n")
}

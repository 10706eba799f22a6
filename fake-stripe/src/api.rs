//! Stripe's API: what every call goes through, then the calls themselves.

mod calls;
mod lists;
mod params;

use std::io;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::StatusCode,
    web::{Bytes, Data},
};
use futures::stream;
use serde_json::{Value, json};

use self::params::Params;
use crate::{
    Call, Fault, Refusal,
    server::Shared,
    state::{Remembered, State},
};

/// More than anybody should read of an answer.
const ENDLESS_BYTES: usize = 64 * 1024 * 1024;
const CHUNK: &[u8] = &[b' '; 64 * 1024];

/// Answers a call under `/v1`.
pub(crate) async fn handle(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let fault = {
        let mut state = shared.state();
        state.calls.push(seen(&request));
        state.faults.next()
    };
    if let Some(answer) = fault.and_then(answer_of) {
        return answer;
    }
    if let Some(fault) = fault {
        actix_web::rt::time::sleep(fault.delay()).await;
    }
    let (request_id, outcome) = shared.change(|state| {
        // Whoever asks must see what has become due since.
        let now = state.now();
        state.catch_up(now);
        (state.id("req"), answer(state, &request, &body))
    });
    if fault == Some(Fault::Cut) {
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(io::Error::other("cut"))]);
        return HttpResponse::Ok().streaming(broken);
    }
    let (status, replayed, body) = match outcome {
        Ok(Answer { replayed, body }) => (200, replayed, body),
        Err(refusal) => (refusal.status, false, refusal.body()),
    };
    let mut response = respond(status);
    response.insert_header(("Request-Id", request_id)).content_type("application/json");
    for (name, echo) in [("Stripe-Version", "stripe-version"), ("Idempotency-Key", "idempotency-key")] {
        if let Some(value) = request.headers().get(echo) {
            response.insert_header((name, value.clone()));
        }
    }
    if replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    response.body(body)
}

struct Answer {
    /// Whether it was given before.
    replayed: bool,
    body: String,
}

fn answer(state: &mut State, request: &HttpRequest, body: &[u8]) -> Result<Answer, Refusal> {
    authorize(state, request)?;
    let method = request.method().as_str();
    let params = Params::parse(request.query_string(), body);
    let key = text(request, "idempotency-key").filter(|_| method == "POST");
    let this = format!("{method} {} {params:?}", request.path());
    if let Some(first) = key.as_ref().and_then(|key| state.remembered.get(key)) {
        if first.request != this {
            let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
            return Err(Refusal { kind: "idempotency_error", ..Refusal::invalid(None, message, None) });
        }
        return Ok(Answer { replayed: true, body: first.body.clone() });
    }
    let path: Vec<&str> = request.path().trim_start_matches("/v1").split('/').filter(|part| !part.is_empty()).collect();
    let body = pretty(&dispatch(state, method, &path, &params)?);
    if let Some(key) = key {
        state.remembered.insert(key, Remembered { request: this, body: body.clone() });
    }
    Ok(Answer { replayed: false, body })
}

fn dispatch(state: &mut State, method: &str, path: &[&str], params: &Params) -> Result<Value, Refusal> {
    match (method, path) {
        ("POST", ["customers"]) => calls::create_customer(state, params),
        ("POST", ["checkout", "sessions"]) => calls::create_session(state, params),
        ("POST", ["billing_portal", "sessions"]) => calls::create_portal(state, params),
        ("GET", ["checkout", "sessions", id]) => calls::session(state, params, id),
        ("GET", ["customers", id]) => calls::customer(state, params, id),
        ("GET", ["subscriptions", id]) => calls::subscription(state, params, id),
        ("GET", ["invoices", id]) => calls::invoice(state, params, id),
        ("GET", ["events", id]) => calls::event(state, params, id),
        ("GET", ["subscriptions"]) => lists::subscriptions(state, params),
        ("GET", ["events"]) => lists::events(state, params),
        ("GET", ["products"]) => lists::products(state, params),
        ("GET", ["prices"]) => lists::prices(state, params),
        _ => {
            let message = format!("Unrecognized request URL ({method}: /v1/{}).", path.join("/"));
            Err(Refusal { status: 404, ..Refusal::invalid(None, message, None) })
        }
    }
}

fn authorize(state: &State, request: &HttpRequest) -> Result<(), Refusal> {
    let refusal = |message: &str| Refusal { status: 401, ..Refusal::invalid(None, message, None) };
    let shown = text(request, "authorization").and_then(|text| text.strip_prefix("Bearer ").map(str::to_owned));
    match shown {
        Some(key) if key == state.settings.secret_key => Ok(()),
        // Stripe repeats the end of the key; a careless client would log it.
        Some(key) => Err(refusal(&format!("Invalid API Key provided: {key}"))),
        None => Err(refusal("You did not provide an API key.")),
    }
}

/// The whole answer of those faults that let nothing happen.
fn answer_of(fault: Fault) -> Option<HttpResponse> {
    let told = |status, kind, message| {
        let refusal = Refusal { status, kind, ..Refusal::invalid(None, message, None) };
        (respond(status), refusal.body())
    };
    let (mut response, body) = match fault {
        Fault::Down => told(503, "api_error", "Service unavailable."),
        Fault::TooMany(_) => told(429, "invalid_request_error", "Too many requests."),
        Fault::Locked => told(409, "idempotency_error", "There is currently another in-progress request using this Idempotent Key."),
        Fault::Hopeless => told(500, "api_error", "Something went wrong."),
        Fault::Garbage => (respond(200), "<html>Welcome to the captive portal</html>".to_owned()),
        Fault::Endless => {
            let chunks = stream::iter((0..ENDLESS_BYTES / CHUNK.len()).map(|_| Ok::<_, io::Error>(Bytes::from_static(CHUNK))));
            return Some(HttpResponse::Ok().streaming(chunks));
        }
        Fault::Slow(_) | Fault::Cut => return None,
    };
    if let Fault::TooMany(seconds) = fault {
        response.insert_header(("Retry-After", seconds.to_string()));
    }
    if fault == Fault::Hopeless {
        response.insert_header(("Stripe-Should-Retry", "false"));
    }
    Some(response.content_type("application/json").body(body))
}

impl Refusal {
    /// The refusal as an answer.
    pub(crate) fn body(&self) -> String {
        let Self { kind, code, message, param, .. } = self;
        pretty(&json!({ "error": { "type": kind, "code": code, "message": message, "param": param } }))
    }
}

/// A response with that status.
pub(crate) fn respond(status: u16) -> HttpResponseBuilder {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn seen(request: &HttpRequest) -> Call {
    Call {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        idempotency_key: text(request, "idempotency-key"),
        version: text(request, "stripe-version"),
    }
}

fn text(request: &HttpRequest, header: &str) -> Option<String> {
    request.headers().get(header)?.to_str().ok().map(str::to_owned)
}

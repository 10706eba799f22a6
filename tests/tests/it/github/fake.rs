//! A stand-in for GitHub: the deliveries of one webhook, and asking for one again. Asked for, it sends the event, signed.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::type_complexity,
    reason = "a stand-in for GitHub, with a clock and errors of its own"
)]

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    rt::System,
    web::{self, Data, Path, Query},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tests::{Client, eventually};
use tokio::sync::oneshot;
use webhooks::{Provider, Secret, github};

pub(super) const HOOK: &str = "repos/octo-cat/Hello.World/hooks/12";
pub(super) const TOKEN: &str = "ghp_hunter2";
pub(super) const SECRET: &str = "It's a Secret to Everybody";

/// The fake, on a thread of its own; it stops with its handle.
pub(super) struct Fake {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    deliveries: Vec<Delivery>,
    asked: Vec<String>,
    pages: usize,
    under_way: usize,
    receiver: Option<SocketAddr>,
    refused: HashMap<String, u16>,
    /// What is answered instead.
    answer: Option<(u16, Option<(String, String)>, String)>,
}

struct Delivery {
    id: u64,
    guid: String,
    at: DateTime<Utc>,
    redelivery: bool,
    status: u16,
}

impl State {
    fn record(&mut self, guid: &str, at: DateTime<Utc>, status: u16) {
        let redelivery = self.deliveries.iter().any(|earlier| earlier.guid == guid);
        // Larger than what a double holds exactly.
        let id = 9_007_199_254_740_993 + u64::try_from(self.deliveries.len()).expect("a few");
        self.deliveries.push(Delivery { id, guid: guid.to_owned(), at, redelivery, status });
    }
}

type Shared = Data<Mutex<State>>;

impl Fake {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Data::from(Arc::clone(&state));
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let app = move || {
                    let hook = web::scope(&format!("/{HOOK}/deliveries"));
                    let hook = hook.route("", web::get().to(list)).route("/{id}/attempts", web::post().to(redeliver));
                    App::new().app_data(shared.clone()).service(hook)
                };
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).expect("a listener").run();
                let handle = server.handle();
                let running = actix_web::rt::spawn(server);
                let _ = stopped.await;
                handle.stop(false).await;
                let _ = running.await;
            });
        });
        Self { address, state, stop: Mutex::new(Some(stop)), thread: Mutex::new(Some(thread)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the fake's state")
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A delivery so many seconds ago to which nobody answered.
    pub(super) fn fail(&self, guid: &str, seconds_ago: i64) {
        self.state().record(guid, Utc::now() - TimeDelta::seconds(seconds_ago), 0);
    }

    /// One that came through.
    pub(super) fn succeed(&self, guid: &str, seconds_ago: i64) {
        self.state().record(guid, Utc::now() - TimeDelta::seconds(seconds_ago), 200);
    }

    /// Where events go; what was asked for before waits for it.
    pub(super) fn deliver_to(&self, receiver: SocketAddr) {
        self.state().receiver = Some(receiver);
    }

    /// Sends an event without taking note of it.
    pub(super) async fn post(&self, guid: &str) -> u16 {
        let receiver = self.state().receiver.expect("a receiver");
        post(receiver, guid).await
    }

    /// From now on this event is not delivered again.
    pub(super) fn refuse(&self, guid: &str, status: u16) {
        self.state().refused.insert(guid.to_owned(), status);
    }

    /// From now on everything is answered like this.
    pub(super) fn answer(&self, status: u16, header: Option<(&str, &str)>, body: &str) {
        let header = header.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.state().answer = Some((status, header, body.to_owned()));
    }

    /// The events that were asked for, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    /// How many pages were read.
    pub(super) fn pages(&self) -> usize {
        self.state().pages
    }

    /// Waits until all that was asked for has been delivered.
    pub(super) async fn settled(&self) {
        eventually("deliveries", async || self.state().under_way == 0).await;
    }

    pub(super) fn stop(&self) {
        if let Some(stop) = self.stop.lock().expect("the handle").take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.lock().expect("the handle").take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What every call must have; else, or where a test wants it, an answer instead.
fn turned_away(request: &HttpRequest, state: &State) -> Option<HttpResponse> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("authorization") != format!("Bearer {TOKEN}") {
        return Some(HttpResponse::Unauthorized().json(json!({ "message": "Bad credentials" })));
    }
    let versions = (header("accept"), header("x-github-api-version"));
    if versions != ("application/vnd.github+json", "2022-11-28") || !header("user-agent").starts_with("Handrail/") {
        return Some(HttpResponse::BadRequest().finish());
    }
    state.answer.as_ref().map(|(status, header, body)| {
        let mut answer = HttpResponse::build(StatusCode::from_u16(*status).expect("a status"));
        if let Some((name, value)) = header {
            answer.insert_header((name.as_str(), value.as_str()));
        }
        answer.body(body.clone())
    })
}

async fn list(request: HttpRequest, query: Query<HashMap<String, String>>, state: Shared) -> HttpResponse {
    let mut state = state.lock().expect("the fake's state");
    if let Some(answer) = turned_away(&request, &state) {
        return answer;
    }
    state.pages += 1;
    let number = |name: &str| query.get(name).and_then(|text| text.trim_start_matches("v1_").parse::<usize>().ok());
    let (from, count) = (number("cursor").unwrap_or(0), number("per_page").unwrap_or(30));
    let mut newest_first: Vec<&Delivery> = state.deliveries.iter().collect();
    newest_first.sort_by_key(|delivery| std::cmp::Reverse(delivery.at));
    let page: Vec<Value> = newest_first.iter().skip(from).take(count).map(|delivery| shown(delivery)).collect();
    let mut answer = HttpResponse::Ok();
    if from + count < state.deliveries.len() {
        // Under another address, as GitHub does it.
        let next = format!("https://api.github.com/repositories/1/hooks/12/deliveries?per_page={count}&cursor=v1_{}", from + count);
        answer.insert_header(("link", format!(r#"<{next}>; rel="next""#)));
    }
    answer.json(page)
}

fn shown(delivery: &Delivery) -> Value {
    let status = if delivery.status == 200 { "OK" } else { "failed to connect to host" };
    json!({ "id": delivery.id, "guid": delivery.guid, "delivered_at": delivery.at, "redelivery": delivery.redelivery, "duration": 0.27,
        "status": status, "status_code": delivery.status, "event": "issues", "action": "opened", "installation_id": null,
        "repository_id": 1, "throttled_at": null })
}

async fn redeliver(request: HttpRequest, id: Path<u64>, shared: Shared) -> HttpResponse {
    let guid = {
        let mut state = shared.lock().expect("the fake's state");
        if let Some(answer) = turned_away(&request, &state) {
            return answer;
        }
        let Some(guid) = state.deliveries.iter().find(|delivery| delivery.id == *id).map(|delivery| delivery.guid.clone()) else {
            return HttpResponse::NotFound().finish();
        };
        if let Some(status) = state.refused.get(&guid) {
            return HttpResponse::build(StatusCode::from_u16(*status).expect("a status")).finish();
        }
        state.asked.push(guid.clone());
        state.under_way += 1;
        guid
    };
    actix_web::rt::spawn(async move {
        let mut receiver = None;
        eventually("a receiver", async || {
            receiver = shared.lock().expect("the fake's state").receiver;
            receiver.is_some()
        })
        .await;
        let status = post(receiver.expect("a receiver"), &guid).await;
        let mut state = shared.lock().expect("the fake's state");
        state.record(&guid, Utc::now(), status);
        state.under_way -= 1;
    });
    HttpResponse::Accepted().json(json!({}))
}

/// Delivers as GitHub does.
async fn post(receiver: SocketAddr, guid: &str) -> u16 {
    let body = json!({ "action": "opened", "repository": { "id": 1, "owner": { "login": "octo-cat" } } }).to_string();
    let secret = Secret::parse(Provider::GitHub, SECRET).expect("a secret");
    let request =
        Client::new(receiver, None).post("/api/webhooks/github").header("x-hub-signature-256", &github::sign(&secret, body.as_bytes()));
    let request = request.header("x-github-event", "issues").header("x-github-delivery", guid);
    request.body("application/json", body).try_send().await.unwrap_or(0)
}

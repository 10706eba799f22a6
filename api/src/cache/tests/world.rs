//! A few routes whose handler can be held up or made to fail.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use actix_http::Request;
use actix_web::{
    App,
    body::{MessageBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode, header::HeaderMap},
    middleware::Compress,
    test::{TestRequest, init_service},
    web::Data,
};
use domain::{Code, Error, PostId, Result};
use garde::Validate;
use persistence::Revocations;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::{
    cache::Cache,
    extract::{Path, Query},
    respond::Json,
    table::{Row, at},
};

pub(super) const SETTINGS: config::Cache =
    config::Cache { bytes_max: 1 << 20, stale_max: Duration::from_secs(86_400), edge: Duration::ZERO };

/// What a handler does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Mode {
    #[default]
    Cook,
    Fail(Code),
    Panic,
}

/// Where answers are made.
pub(super) struct Kitchen {
    made: AtomicUsize,
    content: Mutex<String>,
    mode: Mutex<Mode>,
    gate: Semaphore,
}

impl Default for Kitchen {
    fn default() -> Self {
        Self { made: AtomicUsize::new(0), content: Mutex::new("old".into()), mode: Mutex::default(), gate: Semaphore::new(1_000_000) }
    }
}

impl Kitchen {
    pub(super) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    /// Waits until so many were begun.
    pub(super) async fn until_made(&self, count: usize) {
        let waiting = async {
            while self.made() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("in time");
    }

    pub(super) fn write(&self, content: &str) {
        *self.content.lock().unwrap() = content.to_owned();
    }

    pub(super) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// Lets nothing out any more.
    pub(super) fn close(&self) {
        self.gate.forget_permits(usize::MAX >> 4);
    }

    /// Lets so many out.
    pub(super) fn open(&self, count: usize) {
        self.gate.add_permits(count);
    }

    /// Reads at once and answers when it is let.
    async fn cook(&self) -> Result<Json<String>> {
        let content = self.content.lock().unwrap().clone();
        self.made.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.expect("an open gate").forget();
        let mode = *self.mode.lock().unwrap();
        match mode {
            Mode::Cook => {}
            Mode::Fail(code) => return Err(Error::new(code, "It failed")),
            Mode::Panic => panic!("it went up in flames"),
        }
        Ok(Json(content))
    }
}

/// Which one.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[garde(range(max = 1_000_000))]
    number: u32,
    #[serde(default)]
    #[garde(length(max = 5000))]
    name: String,
}

async fn dish(kitchen: Data<Kitchen>) -> Result<Json<String>> {
    kitchen.cook().await
}

async fn one(Path(id): Path<PostId>, kitchen: Data<Kitchen>) -> Result<Json<String>> {
    kitchen.cook().await.map(|Json(text)| Json(format!("{text} {id}")))
}

async fn chosen(Query(which): Query<Which>, kitchen: Data<Kitchen>) -> Result<Json<String>> {
    kitchen.cook().await.map(|Json(text)| Json(format!("{text} {} {}", which.number, which.name)))
}

fn rows() -> Vec<Row> {
    vec![
        at("/dish").revalidate("Keep it for an hour", 3600, &["dishes"], dish),
        at("/brief").revalidate("Keep it for no time", 0, &["dishes"], dish),
        at("/fixed").force_static("Keep it", dish),
        at("/dishes/{id}").revalidate("Keep each", 3600, &["dishes"], one),
        at("/chosen").revalidate("Keep those asked for", 3600, &[], chosen),
    ]
}

pub(super) struct World {
    pub(super) cache: Data<Cache>,
    pub(super) kitchen: Data<Kitchen>,
    pub(super) revocations: Arc<Revocations>,
    over: Arc<AtomicBool>,
}

impl World {
    /// One that is sure to hear of purges.
    pub(super) fn listening() -> Self {
        Self::with(SETTINGS, true)
    }

    /// One that hears of nothing.
    pub(super) fn deaf() -> Self {
        Self::with(SETTINGS, false)
    }

    pub(super) fn with(settings: config::Cache, listens: bool) -> Self {
        let revocations = Arc::new(Revocations::default());
        let over = Arc::new(AtomicBool::new(!listens));
        if listens {
            revocations.be_sure(revocations.now());
            let (heard, ended) = (Arc::clone(&revocations), Arc::clone(&over));
            thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    heard.be_sure(heard.now());
                    thread::sleep(Duration::from_millis(50));
                }
            });
        }
        let cache = Cache::new(settings, Arc::clone(&revocations), rows().iter().map(Row::path).collect());
        Self { cache: Data::new(cache), kitchen: Data::default(), revocations, over }
    }

    pub(super) async fn serve(
        &self,
    ) -> Served<impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = actix_web::Error>> {
        slog_scope::set_global_logger(slog::Logger::root(slog::Discard, slog::o!())).cancel_reset();
        let app = App::new().app_data(self.cache.clone()).app_data(self.kitchen.clone());
        let app = app.configure(|app| rows().into_iter().for_each(|row| row.register(app)));
        Served(init_service(app.wrap(Compress::default())).await)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// The routes.
pub(super) struct Served<S>(S);

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    pub(super) bytes: usize,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name);
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} twice");
        value
    }
}

impl<S, B> Served<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }

    pub(super) async fn ask(&self, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        let request = TestRequest::with_uri(path).method(method);
        let request = headers.iter().fold(request, |request, header| request.insert_header(*header));
        let (status, headers, body) = match self.0.call(request.to_request()).await {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                let body = to_bytes(response.into_body()).await.unwrap_or_else(|_| panic!("a body"));
                (status, headers, body)
            }
            Err(error) => (error.as_response_error().status_code(), HeaderMap::new(), bytes::Bytes::new()),
        };
        Answer { status, headers, bytes: body.len(), body: String::from_utf8_lossy(&body).into_owned() }
    }
}

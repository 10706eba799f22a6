//! Webhooks on their way: signed, sent, tried again, and spoiled on purpose.

use std::{cmp::Reverse, time::Duration};

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    header::{CONTENT_TYPE, USER_AGENT},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};
use webhooks::stripe;

use crate::{
    server::Shared,
    state::{Outcome, State, real_time},
};

/// How long a receiver may take.
const RECEIVER_TIMEOUT: Duration = Duration::from_secs(10);

type Http = Client<HttpConnector, Full<Bytes>>;

/// What goes wrong with deliveries. The same seed spoils the same events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chaos {
    /// How many of a hundred events are lost.
    pub drop_percent: u8,
    /// How many of a hundred are sent twice.
    pub duplicate_percent: u8,
    /// Whether what is due at the same time goes out in any order.
    pub shuffle: bool,
    /// How long each waits before it is sent.
    #[serde(rename = "delay_ms", deserialize_with = "millis")]
    pub delay: Duration,
    /// How many are under way at the same time; 1 keeps the order.
    pub parallel: usize,
    /// Where the dice begin.
    pub seed: u64,
}

impl Default for Chaos {
    fn default() -> Self {
        Self { drop_percent: 0, duplicate_percent: 0, shuffle: false, delay: Duration::ZERO, parallel: 1, seed: 0 }
    }
}

fn millis<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

/// A delivery to be made.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) event: String,
    pub(crate) due: Instant,
    pub(crate) attempt: usize,
}

impl State {
    pub(crate) fn set_chaos(&mut self, chaos: Chaos) {
        self.chaos = chaos;
        self.rng = StdRng::seed_from_u64(chaos.seed);
    }

    /// Takes what is due out of the queue.
    fn take_due(&mut self) -> Vec<Job> {
        let now = Instant::now();
        let (mut due, later): (Vec<Job>, Vec<Job>) = self.queue.drain(..).partition(|job| job.due <= now);
        self.queue = later;
        if self.chaos.shuffle {
            due.shuffle(&mut self.rng);
        } else {
            // First attempts stay in the order of their events; a retry does not hold them up.
            due.sort_by_key(|job| Reverse(job.attempt == 0));
        }
        self.in_flight += due.len();
        due
    }

    fn done(&mut self, job: Job, status: Option<u16>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let delivered = status.is_some_and(|status| (200..300).contains(&status));
        let again = self.settings.redelivery.get(job.attempt).copied();
        let Some(event) = self.event_mut(&job.event) else { return };
        event.attempts += 1;
        event.status = status;
        match again {
            // One of two copies may have arrived before.
            _ if delivered || event.outcome == Outcome::Delivered => event.outcome = Outcome::Delivered,
            Some(wait) => self.queue.push(Job { due: Instant::now() + wait, attempt: job.attempt + 1, ..job }),
            None => event.outcome = Outcome::Failed,
        }
    }

    /// Whether nothing is under way or waiting.
    pub(crate) fn is_settled(&self) -> bool {
        self.queue.is_empty() && self.in_flight == 0
    }
}

/// Delivers for as long as the fake runs.
pub(crate) async fn deliver(shared: &Shared) {
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    loop {
        let (due, next, parallel) = {
            let mut state = shared.state();
            let due = state.take_due();
            (due, state.queue.iter().map(|job| job.due).min(), state.chaos.parallel.max(1))
        };
        if !due.is_empty() {
            futures::stream::iter(due).for_each_concurrent(parallel, |job| attempt(shared, &http, job)).await;
        } else if let Some(next) = next {
            tokio::select! {
                () = sleep_until(next) => {}
                () = shared.wake.notified() => {}
            }
        } else {
            shared.wake.notified().await;
        }
    }
}

async fn attempt(shared: &Shared, http: &Http, job: Job) {
    let request = request(&shared.state(), &job.event);
    let status = match request {
        // The answer is read to its end, so that the connection can be used again.
        Some(request) => timeout(RECEIVER_TIMEOUT, async {
            let answer = http.request(request).await.ok()?;
            let status = answer.status().as_u16();
            answer.into_body().collect().await.ok()?;
            Some(status)
        })
        .await
        .unwrap_or_default(),
        None => None,
    };
    shared.state().done(job, status);
}

fn request(state: &State, event: &str) -> Option<Request<Full<Bytes>>> {
    let event = state.events.iter().find(|kept| kept.id == event)?;
    let body = serde_json::to_string_pretty(&event.render(state.settings.shape.api_version())).ok()?;
    let signature = stripe::sign(std::slice::from_ref(&state.settings.webhook_secret), real_time(), body.as_bytes());
    Request::post(state.settings.webhook_url.as_deref()?)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header(USER_AGENT, "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header(stripe::SIGNATURE, signature)
        .body(Full::from(body))
        .ok()
}

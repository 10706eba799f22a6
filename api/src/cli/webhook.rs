//! `handrail webhook`: events without an account at any provider, and those that GitHub could not deliver.

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use config::Config;
use rand::seq::SliceRandom;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use webhooks::{Provider, Secret, github, lemon_squeezy, standard, stripe};

use super::startup;
use crate::{background, clock};

/// What to send.
#[derive(Args)]
pub(crate) struct Send {
    /// As whom.
    source: Source,
    /// The type of the event, such as `customer.subscription.updated`.
    event_type: String,
    /// The body instead of a made-up one: a file, or `-` for standard input.
    #[arg(long)]
    body: Option<std::path::PathBuf>,
    /// How many events; each has an id of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    times: u32,
    /// In any order.
    #[arg(long)]
    shuffle: bool,
    /// The server.
    #[arg(long)]
    url: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Source {
    Stripe,
    Github,
    LemonSqueezy,
    Standard,
}

/// Sends, and says what is answered.
pub(crate) fn send(config: &Config, send: &Send) -> Result<()> {
    let base = send.url.clone().unwrap_or_else(|| format!("http://127.0.0.1:{}", config.http.port));
    let mut bodies = (0..send.times).map(|number| body(send, number)).collect::<Result<Vec<_>>>()?;
    if send.shuffle {
        bodies.shuffle(&mut rand::rng());
    }
    Runtime::new()?.block_on(async {
        let mut refused = 0;
        for body in bodies {
            let (path, headers) = sign(config, send, &body)?;
            let status = post(&format!("{base}{path}"), headers, body).await?;
            println!("{path}: {status}");
            refused += u32::from(status != 200);
        }
        ensure!(refused == 0, "{refused} of {} were refused", send.times);
        Ok(())
    })
}

/// Has GitHub deliver again what failed, and says how many.
pub(crate) fn redeliver(config: &Config) -> Result<()> {
    let github = background::github(config)?.context("GITHUB_TOKEN and GITHUB_HOOK are not set")?;
    startup::with_database(config, async |connector| {
        let db = startup::small_db(config, &connector);
        println!("{}.", worker::reconcile::github::once(&db, &github).await?);
        Ok(())
    })
}

type Headers = Vec<(&'static str, String)>;

fn sign(config: &Config, send: &Send, body: &[u8]) -> Result<(&'static str, Headers)> {
    let now = clock::unix_seconds();
    let webhooks = &config.webhooks;
    let secret = |provider, name: &str, set: &Option<config::Secret<String>>| {
        let text = set.as_ref().with_context(|| format!("{name} is not set"))?;
        let newest = text.expose().split(',').next().unwrap_or_default();
        Secret::parse(provider, newest).with_context(|| format!("{name} cannot be used"))
    };
    let id = format!("msg_{}", uuid::Uuid::new_v4().simple());
    Ok(match send.source {
        Source::Stripe => {
            let secret = secret(Provider::Stripe, "STRIPE_WEBHOOKS_SECRET", &webhooks.stripe)?;
            ("/api/webhooks/stripe", vec![("stripe-signature", stripe::sign(&[secret], now, body))])
        }
        Source::Github => {
            let secret = secret(Provider::GitHub, "GITHUB_WEBHOOK_SECRET", &webhooks.github)?;
            let signed = ("x-hub-signature-256", github::sign(&secret, body));
            ("/api/webhooks/github", vec![signed, ("x-github-event", send.event_type.clone()), ("x-github-delivery", id)])
        }
        Source::LemonSqueezy => {
            let secret = secret(Provider::LemonSqueezy, "LEMON_SQUEEZY_SIGNING_SECRET", &webhooks.lemon_squeezy)?;
            ("/api/webhooks/lemon-squeezy", vec![("x-signature", lemon_squeezy::sign(&secret, body))])
        }
        Source::Standard => {
            let text = webhooks.standard.as_ref().context("STANDARD_WEBHOOK_SECRET is not set")?;
            let newest = text.expose().split(',').next().unwrap_or_default();
            let key = standard::SigningKey::parse(newest).context("STANDARD_WEBHOOK_SECRET cannot sign")?;
            let signature = standard::sign(&[key], &id, now, body);
            ("/api/webhooks/standard", vec![("webhook-id", id), ("webhook-timestamp", now.to_string()), ("webhook-signature", signature)])
        }
    })
}

fn body(send: &Send, number: u32) -> Result<Vec<u8>> {
    if let Some(path) = &send.body {
        return Ok(if path.as_os_str() == "-" { std::io::read_to_string(std::io::stdin())?.into_bytes() } else { std::fs::read(path)? });
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    let body: Value = match send.source {
        Source::Stripe => fixture(&send.event_type, &id, number),
        Source::Github => json!({ "action": "opened", "repository": { "id": 1, "full_name": "example/example" }, "number": number }),
        Source::LemonSqueezy => {
            json!({ "meta": { "event_name": send.event_type, "test_mode": true }, "data": { "type": "subscriptions", "id": number.to_string() } })
        }
        Source::Standard => json!({ "type": send.event_type, "data": { "id": id } }),
    };
    Ok(serde_json::to_vec_pretty(&body)?)
}

/// A made-up event of Stripe's, of one and the same subscription, a second later each time.
fn fixture(event_type: &str, id: &str, number: u32) -> Value {
    let created = clock::unix_seconds() + i64::from(number);
    let status = if event_type.ends_with(".deleted") { "canceled" } else { "active" };
    let object = if event_type.starts_with("invoice.") {
        json!({ "id": "in_fixture", "object": "invoice", "customer": "cus_fixture", "status": "paid", "currency": "eur", "amount_due": 1900,
            "amount_paid": 1900, "attempt_count": 1, "created": created, "lines": { "data": [] },
            "parent": { "subscription_details": { "subscription": "sub_fixture" } } })
    } else {
        let item = json!({ "id": "si_fixture", "quantity": number + 1, "price": { "id": "price_fixture", "product": "prod_fixture" },
            "current_period_start": created, "current_period_end": created + 2_592_000 });
        json!({ "id": "sub_fixture", "object": "subscription", "customer": "cus_fixture", "status": status, "created": created,
            "livemode": false, "cancel_at_period_end": false, "items": { "data": [item] }, "metadata": {} })
    };
    json!({ "id": format!("evt_{id}"), "object": "event", "type": event_type, "created": created, "livemode": false,
        "api_version": "2025-03-31.basil", "data": { "object": object } })
}

/// The smallest client there is: one request over a socket of its own.
async fn post(url: &str, headers: Headers, body: Vec<u8>) -> Result<u16> {
    upstream::plain::post(url, &headers, body).await.with_context(|| format!("{url} does not answer; is the server running?"))
}

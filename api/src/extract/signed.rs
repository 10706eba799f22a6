//! A webhook whose signature is right.

use std::{collections::HashMap, future::Future, marker::PhantomData, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use domain::{Code, Details, Error, Result};
use persistence::inbox::NewEvent;
use serde_json::{Map, Value, json};
use webhooks::{Headers, Keys, Problem, Provider, Reject, Request};

use super::body::{self, Limits};
use crate::{
    clock,
    describe::{Describe, Operation},
    metrics::InboxHealth,
};

/// The headers that are kept with an event: they say what it is, and none of them signs it.
const KEPT: [&str; 7] =
    ["content-type", "user-agent", "x-github-event", "x-github-delivery", "webhook-id", "webhook-timestamp", "i-twilio-idempotency-token"];

/// The secrets of the providers that are configured, and the address they know us by.
pub struct Receivers {
    /// By provider.
    pub keys: HashMap<Provider, Keys>,
    /// The public address, without a trailing slash: Twilio signs it.
    pub public_url: String,
}

/// Who sends to a route.
pub trait Sender: 'static {
    /// The provider.
    const PROVIDER: Provider;
    /// Its name in texts.
    const NAME: &'static str;
}

/// A verified event, ready to be kept. Nothing is read of the body before there is a signature, and nothing believed before it is right.
pub struct Signed<S>(pub NewEvent, PhantomData<S>);

impl<S: Sender> FromRequest for Signed<S> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let receivers = request.app_data::<Data<Receivers>>().ok_or_else(|| Error::internal("no receivers"))?;
            let keys = receivers.keys.get(&S::PROVIDER);
            let keys = keys.ok_or_else(|| Error::new(Code::NotConfigured, format!("Webhooks of {} are not configured", S::NAME)))?;
            let limit = S::PROVIDER.body_bytes_max();
            body::admit(&request, limit)?;
            let pairs: Vec<(&str, &[u8])> = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            let headers = Headers::new(&pairs);
            let refused = |reject: Reject| refused(&request, S::PROVIDER, reject);
            keys.present(headers).map_err(refused)?;
            let bytes = body::read(&request, payload, limit, Limits::of(&request)?.deadline()).await?;
            let url = format!("{}{}", receivers.public_url, request.uri());
            let verified = keys.verify(&Request { headers, url: &url, body: &bytes }, clock::unix_seconds());
            let verified = verified.map_err(refused)?;
            let envelope = verified.envelope();
            if envelope.problem == Some(Problem::NotJson) {
                return Err(Error::invalid_body(Details::form("The body is no event")));
            }
            Ok(Self(worker::inbox::event(envelope, kept(&request), bytes.to_vec()), PhantomData))
        })
    }
}

fn refused(request: &HttpRequest, provider: Provider, reject: Reject) -> Error {
    log::warn!("a webhook of {provider} was refused: {}", reject.reason());
    let (code, outcome) = match reject {
        Reject::Missing => (Code::MissingSignature, "missing_signature"),
        Reject::Stale { .. } => (Code::InvalidSignature, "stale"),
        Reject::Invalid => (Code::InvalidSignature, "invalid_signature"),
    };
    if let Some(health) = request.app_data::<Data<InboxHealth>>() {
        health.count(provider.name(), outcome);
    }
    Error::new(code, reject.to_string())
}

fn kept(request: &HttpRequest) -> Value {
    let text = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.chars().take(255).collect::<String>());
    Value::Object(KEPT.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?.into()))).collect::<Map<_, _>>())
}

impl<S: Sender> Describe for Signed<S> {
    fn describe(operation: &mut Operation<'_>) {
        operation.notes.push(format!(
            "Called by {}; the signature is checked over the raw body, of at most {} bytes.",
            S::NAME,
            S::PROVIDER.body_bytes_max()
        ));
        operation.takes("application/json", &json!({ "type": "object" }));
        operation.fails(&[Code::MissingSignature, Code::InvalidSignature, Code::NotConfigured]);
    }
}

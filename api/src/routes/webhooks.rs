//! Where providers send their events. An event is verified, kept, and only then acknowledged; what follows from it is the worker's.

use actix_web::web::Data;
use domain::Result;
use schemars::JsonSchema;
use serde::Serialize;
use webhooks::Provider;

use crate::{
    extract::{Sender, Signed},
    ingest::Ingest,
    metrics::InboxHealth,
    respond::Json,
};

/// `{"received": true}`.
#[derive(Serialize, JsonSchema)]
pub struct Received {
    /// Always true.
    received: bool,
}

async fn keep<S: Sender>(signed: Signed<S>, ingest: Data<Ingest>, health: Data<InboxHealth>) -> Result<Json<Received>> {
    let kept = ingest.keep(signed.0).await;
    health.count(S::PROVIDER.name(), if kept.is_ok() { "kept" } else { "failed" });
    kept.map(|()| Json(Received { received: true }))
}

macro_rules! senders {
    ($($handler:ident $sender:ident $name:literal)*) => {
        $(
            #[doc = concat!("Events of ", $name, ".")]
            pub struct $sender;

            impl Sender for $sender {
                const PROVIDER: Provider = Provider::$sender;
                const NAME: &'static str = $name;
            }

            #[doc = concat!("Keeps an event of ", $name, ".")]
            ///
            /// # Errors
            /// `MISSING_SIGNATURE`, `INVALID_SIGNATURE`, `NOT_CONFIGURED`, `UNAVAILABLE`.
            pub async fn $handler(event: Signed<$sender>, ingest: Data<Ingest>, health: Data<InboxHealth>) -> Result<Json<Received>> {
                keep(event, ingest, health).await
            }
        )*
    };
}
senders! {
    stripe Stripe "Stripe"
    github GitHub "GitHub"
    twilio Twilio "Twilio"
    lemon_squeezy LemonSqueezy "Lemon Squeezy"
    standard Standard "a sender that keeps to Standard Webhooks"
}

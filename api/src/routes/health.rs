//! Signs of life, for orchestrators and those who watch.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, web::Data};
use domain::{Code, Error, Result};
use persistence::Db;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::{
    describe::{Describe, Operation},
    metrics::{self, Metrics},
    respond::Json,
    server::Readiness,
};

/// How the process is.
#[derive(Serialize, JsonSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// 200 while the process lives. It asks nobody, so that a database outage restarts no server.
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// 200 when the server is not draining, migrations are in and the database answers; else 503 naming the failing check.
///
/// # Errors
/// `UNAVAILABLE`.
pub async fn ready(readiness: Data<Readiness>, db: Data<Db>) -> Result<Json<Health>> {
    let failing = if readiness.is_draining() {
        Some("draining")
    } else if db.ping().await.is_err() {
        Some("database")
    } else if !readiness.is_started() {
        Some("migrations")
    } else {
        None
    };
    match failing {
        None => Ok(Json(Health { status: "ok" })),
        Some(check) => Err(Error::new(Code::Unavailable, format!("Not ready: {check}"))),
    }
}

/// Metrics as text.
pub struct Exposition(String);

impl Responder for Exposition {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().content_type(metrics::MEDIA_TYPE).body(self.0)
    }
}

impl Describe for Exposition {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_as(200, "application/openmetrics-text", &json!({ "type": "string" }));
        operation.fails(&[Code::NotFound]);
    }
}

/// The metrics, unless they have a listener of their own.
///
/// # Errors
/// `NOT_FOUND` when they have.
pub async fn metrics(metrics: Option<Data<Metrics>>) -> Result<Exposition> {
    let metrics = metrics.ok_or_else(|| Error::new(Code::NotFound, "Not found"))?;
    metrics.text().map(Exposition).map_err(Error::internal)
}

//! Signs of life, for orchestrators.

use actix_web::web::Data;
use domain::{Code, Error, Result};
use persistence::Db;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{respond::Json, server::Readiness};

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

//! The listener for metrics alone, where they are not to be seen from outside.

use std::{io, net::SocketAddr};

use actix_web::{App, HttpServer, web::Data};

use crate::{metrics::Metrics, routes::health, table::at};

/// Serves `/metrics` and nothing else, as long as the process lives.
pub(super) fn serve(address: SocketAddr, metrics: Data<Metrics>) -> io::Result<()> {
    let app = move || {
        let row = at("/metrics").get("What can be watched", health::metrics);
        App::new().app_data(metrics.clone()).configure(|app| row.register(app))
    };
    tokio::spawn(HttpServer::new(app).workers(1).disable_signals().bind(address)?.run());
    Ok(())
}

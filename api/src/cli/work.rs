//! `handrail worker`: what is done beside requests, in a process of its own.

use std::sync::Arc;

use anyhow::Result;
use config::Config;
use persistence::{Due, Revocations};
use tokio::runtime::Runtime;

use super::{
    serve::Signals,
    startup::{self, Source},
};
use crate::{background, server, uploads};

/// Works until a signal. An event or a mail that is cut off is taken up again, by this process or another.
pub(crate) fn run(config: &Config) -> Result<()> {
    let source = Source::open(&config.database)?;
    let worked = Runtime::new()?.block_on(work(config, &source));
    source.close()?;
    worked
}

async fn work(config: &Config, source: &Source) -> Result<()> {
    let mut signals = Signals::new()?;
    let stripe = server::stripe(config)?;
    uploads::store(config)?;
    let github = background::github(config)?;
    let post = background::post(config, config.http.port)?;
    let db = startup::background_db(config, &source.connector);
    let due = Arc::new(Due::default());
    let starting = async {
        startup::wait_aloud(config, &source.connector).await?;
        startup::settle_schema(config, &source.connector, &db).await
    };
    tokio::select! {
        started = starting => started?,
        () = signals.next() => return Ok(()),
    }
    slog_scope::info!("working"; "version" => env!("CARGO_PKG_VERSION"));
    let listening = persistence::listen(Arc::new(Revocations::default()), Arc::clone(&due), source.connector.clone());
    let working = background::work(config.clone(), db, post, stripe, github, due, Arc::default());
    tokio::select! {
        _ = listening => {}
        () = working => {}
        () = signals.next() => slog_scope::info!("stopped"),
    }
    Ok(())
}

//! `handrail serve`: from an empty machine to answers, and back.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use config::{Config, Environment};
use persistence::{Connector, Db};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    time::{sleep, timeout},
};

use super::startup::{self, Source};
use crate::{
    background, chat,
    server::{self, Bound, Readiness},
    uploads,
};

/// What the last questions to the model took is written within this time, should the database be slow.
const LEDGER_TIME: Duration = Duration::from_secs(5);

/// Serves until a signal, then stops everything it started.
pub(crate) fn run(config: &Config) -> Result<()> {
    let source = Source::open(&config.database)?;
    let served = Runtime::new()?.block_on(serve(config, &source));
    source.close()?;
    served
}

async fn serve(config: &Config, source: &Source) -> Result<()> {
    let mut signals = Signals::new()?;
    server::receivers(config)?;
    server::stripe(config)?;
    chat::model(config)?;
    uploads::store(config)?;
    let github = background::github(config)?;
    let bound = server::bind(config, &source.connector)
        .with_context(|| format!("cannot listen on {}:{} (HOST and PORT set another address)", config.http.host, config.http.port))?;
    let Bound { address, server, handle, readiness, revocations, due, stripe, inbox, ledger } = bound;
    let post = background::post(config, address.port())?;
    let running = tokio::spawn(server);
    slog_scope::info!("listening"; "address" => address.to_string(), "version" => env!("CARGO_PKG_VERSION"));

    let db = startup::small_db(config, &source.connector);
    let starting = start(config, &source.connector, &db, &readiness);
    let started = tokio::select! {
        started = starting => started,
        () = signals.next() => {
            handle.stop(false).await;
            return Ok(());
        }
    };
    if let Err(error) = started {
        handle.stop(false).await;
        return Err(error);
    }
    if config.environment == Environment::Development {
        welcome(config, source, &db, address).await;
    }
    let listening = tokio::spawn(persistence::listen(revocations, Arc::clone(&due), source.connector.clone()));
    let working = config.worker.then(|| {
        tokio::spawn(background::work(config.clone(), startup::background_db(config, &source.connector), post, stripe, github, due, inbox))
    });

    signals.next().await;
    slog_scope::info!("stopping"; "drain_s" => config.http.drain.as_secs(), "grace_s" => config.http.shutdown_grace.as_secs());
    readiness.drain();
    let ending = async {
        sleep(config.http.drain).await;
        handle.stop(true).await;
        let _ = running.await;
        let _ = timeout(LEDGER_TIME, ledger).await;
    };
    tokio::select! {
        () = ending => slog_scope::info!("stopped"),
        () = signals.next() => slog_scope::warn!("stopped at once by a second signal"),
    }
    if let Some(working) = working {
        working.abort();
    }
    listening.abort();
    Ok(())
}

/// Waits for the database, brings it up to date, makes the first administrator, and opens `/api`.
async fn start(config: &Config, connector: &Connector, db: &Db, readiness: &Arc<Readiness>) -> Result<()> {
    startup::wait_aloud(config, connector).await?;
    startup::settle_schema(config, connector, db).await?;
    startup::first_admin(config, db).await?;
    readiness.start();
    Ok(())
}

/// Tells a developer where everything is.
async fn welcome(config: &Config, source: &Source, db: &Db, address: std::net::SocketAddr) {
    let database = source.private_dir().map_or_else(|| source.connector.place(), |folder| format!("private, in {}", folder.display()));
    println!("\n  Handrail   http://{address}");
    println!("  Docs       http://{address}/docs");
    println!("  Database   {database}");
    if let Some(password) = startup::kept_password(config)
        && startup::is_kept_password(db, &password).await
    {
        println!("  Admin      {}  {password}", startup::DEVELOPMENT_ADMIN);
    }
    println!("  Stop       Ctrl-C\n");
}

/// Ctrl-C and SIGTERM.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

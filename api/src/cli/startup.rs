//! Gets to a database: the one that is set, or a private one; waits for it; brings it up to date; makes the first administrator.

use std::{fs, io::Write, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use auth::Passwords;
use cluster::Cluster;
use config::{Config, Database, Environment};
use persistence::{Connector, Db, Sizes, Timeouts, migrate, users};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};

use super::admin;

/// The first administrator of a development database.
pub(crate) const DEVELOPMENT_ADMIN: &str = "admin@example.com";
/// The database of the private cluster.
const DATABASE: &str = "postgres";
/// The file in the data folder that keeps the password made for it.
const PASSWORD_FILE: &str = "admin-password";

/// A database to connect to, and the private cluster behind it, if it is one.
pub(crate) struct Source {
    pub(crate) connector: Connector,
    cluster: Option<Cluster>,
}

impl Source {
    /// Takes the database that is set, or starts the private one. Called from the main thread, before any runtime.
    pub(crate) fn open(database: &Database) -> Result<Self> {
        Self::find(database, |_, in_use| Err(in_use.into()))
    }

    /// The same, but joins a private one that a running server has started.
    pub(crate) fn join(database: &Database) -> Result<Self> {
        Self::find(database, |settings, _| Ok(Cluster::url_of_running(settings, DATABASE)?))
    }

    fn find(database: &Database, in_use: impl FnOnce(&cluster::Settings, cluster::Error) -> Result<String>) -> Result<Self> {
        let timeouts = Timeouts { connect: database.connect_timeout, statement: database.statement_timeout, lock: database.lock_timeout };
        let (url, cluster) = if let Some(url) = &database.url {
            (url.expose().clone(), None)
        } else {
            let settings = cluster::Settings {
                data_dir: std::path::absolute(database.data_dir.join("postgres"))?,
                bin_dir: database.bin_dir.clone(),
                durable: true,
                max_connections: 200,
            };
            match Cluster::start(&settings) {
                Ok(cluster) => (cluster.url(DATABASE), Some(cluster)),
                Err(error @ cluster::Error::InUse { .. }) => (in_use(&settings, error)?, None),
                Err(error) => return Err(error.into()),
            }
        };
        let connector = Connector::new(&url, timeouts).context("DATABASE_URL cannot be used")?;
        Ok(Self { connector, cluster })
    }

    /// Where the private database keeps its data.
    pub(crate) fn private_dir(&self) -> Option<&std::path::Path> {
        self.cluster.as_ref().map(Cluster::data_dir)
    }

    /// Stops the private cluster.
    pub(crate) fn close(self) -> Result<()> {
        self.cluster.map_or(Ok(()), |cluster| cluster.stop().context("the private PostgreSQL did not stop"))
    }
}

/// Runs a command that needs the database and then ends.
pub(crate) fn with_database(config: &Config, work: impl AsyncFnOnce(Connector) -> Result<()>) -> Result<()> {
    let source = Source::join(&config.database)?;
    let connector = source.connector.clone();
    let done = Runtime::new()?.block_on(async {
        wait(&connector, config.database.start_timeout, |_| {}).await?;
        work(connector).await
    });
    source.close()?;
    done
}

/// Waits until the database answers. `tell` gets the reason of each vain try.
pub(crate) async fn wait(connector: &Connector, bound: Duration, tell: impl Fn(&str)) -> Result<()> {
    let deadline = Instant::now() + bound;
    let mut pause = Duration::from_millis(100);
    loop {
        let Err(error) = connector.probe().await else { return Ok(()) };
        if error.hopeless {
            bail!("the database {} refuses: {error}", connector.place());
        }
        if Instant::now() + pause > deadline {
            bail!("the database {} did not answer within {} s: {error}", connector.place(), bound.as_secs());
        }
        tell(&error.to_string());
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Waits until the database answers, and says in the log why it has to.
pub(crate) async fn wait_aloud(config: &Config, connector: &Connector) -> Result<()> {
    let place = connector.place();
    wait(connector, config.database.start_timeout, |reason| {
        slog_scope::warn!("waiting for the database"; "place" => &place, "reason" => reason);
    })
    .await
}

/// Brings the schema up to date, or waits until somebody else did.
pub(crate) async fn settle_schema(config: &Config, connector: &Connector, db: &Db) -> Result<()> {
    if config.database.migrate_on_start {
        let done = migrate::run(connector).await.context("the migrations failed")?;
        if !done.is_empty() {
            slog_scope::info!("migrated"; "versions" => done.join(", "));
        }
        return Ok(());
    }
    let mut told = false;
    while !migrate::is_current(db).await.unwrap_or(false) {
        if !told {
            slog_scope::warn!("the schema is not the one of this version: waiting for `handrail migrate`");
            told = true;
        }
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Makes the first administrator when there is none. Of several replicas that start at once, one does.
pub(crate) async fn first_admin(config: &Config, db: &Db) -> Result<()> {
    if users::has_admin(db).await? {
        return Ok(());
    }
    let (email, password) = match &config.admin {
        Some(given) => (given.email.clone(), given.password.expose().clone()),
        None if config.environment == Environment::Production => {
            slog_scope::warn!("there is no administrator: set ADMIN_EMAIL and ADMIN_PASSWORD, or run `handrail admin create`");
            return Ok(());
        }
        None => (DEVELOPMENT_ADMIN.to_owned(), auth::Token::generate()?.reveal()),
    };
    let made = admin::ensure(db, &Passwords::new(1, 1), email, "Administrator".to_owned(), password.clone()).await;
    match made {
        Err(_) if users::has_admin(db).await? => Ok(()),
        Err(error) => Err(error.context("the first administrator cannot be made")),
        Ok(()) if config.admin.is_none() => keep_password(config, &password),
        Ok(()) => Ok(()),
    }
}

/// The password made for the development administrator, while its file is there.
pub(crate) fn kept_password(config: &Config) -> Option<String> {
    fs::read_to_string(config.database.data_dir.join(PASSWORD_FILE)).ok().map(|text| text.trim().to_owned())
}

/// Whether this is the password of the development administrator of this very database: the file may be another's.
pub(crate) async fn is_kept_password(db: &Db, password: &str) -> bool {
    let Ok(Some(account)) = users::account(db, DEVELOPMENT_ADMIN).await else { return false };
    Passwords::new(1, 1).verify(password, account.password_hash.as_deref()).await.unwrap_or(false)
}

fn keep_password(config: &Config, password: &str) -> Result<()> {
    let folder = &config.database.data_dir;
    fs::create_dir_all(folder)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(folder.join(PASSWORD_FILE))?, "{password}").context("cannot keep the administrator's password")
}

/// A way to the database for commands and start-up, beside those of the workers.
pub(crate) fn small_db(config: &Config, connector: &Connector) -> Db {
    db_of(config, connector, 2)
}

/// A way to the database for what is done beside requests: an event holds a connection while its provider is asked, and that must hold up
/// neither the mail nor the sweeps.
pub(crate) fn background_db(config: &Config, connector: &Connector) -> Db {
    db_of(config, connector, worker::inbox::AT_ONCE + 4)
}

fn db_of(config: &Config, connector: &Connector, pool: usize) -> Db {
    let sizes = Sizes { pool, pipelines: 1, pool_wait: config.database.pool_wait, read: config.database.read_timeout };
    Db::new(Arc::new(connector.clone()), sizes, Arc::default())
}

//! Opens connections, each with its time-outs set in the start-up message, so that they cost no round trip.

use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use tokio_postgres::{Client, Config, Connection, NoTls, Socket, tls::NoTlsStream};

/// The bounds of every connection.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// The longest wait for a new connection.
    pub connect: Duration,
    /// The longest a statement may run; the server ends it.
    pub statement: Duration,
    /// The longest a statement may wait for a lock; the server ends it.
    pub lock: Duration,
}

/// Knows where the database is and how to talk to it.
#[derive(Clone)]
pub struct Connector {
    config: Config,
    timeouts: Timeouts,
}

impl Connector {
    /// Reads a database URL.
    ///
    /// # Errors
    /// When the URL cannot be read; the text does not repeat it, as it holds a password.
    pub fn new(url: &str, timeouts: Timeouts) -> Result<Self, tokio_postgres::Error> {
        let mut config: Config = url.parse()?;
        let options = format!(
            "{} -c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout=10000",
            config.get_options().unwrap_or_default(),
            timeouts.statement.as_millis(),
            timeouts.lock.as_millis(),
        );
        config
            .options(options)
            .connect_timeout(timeouts.connect)
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        if config.get_application_name().is_none() {
            config.application_name("handrail");
        }
        Ok(Self { config, timeouts })
    }

    /// The bounds of its connections.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// The same database without the bounds on statements, for work that may take long: migrations, demo data.
    #[must_use]
    pub fn unbounded(&self) -> Self {
        let mut connector = self.clone();
        connector.config.options("-c statement_timeout=0 -c lock_timeout=0");
        connector
    }

    /// Where the database is, for people: host and name, no credentials.
    #[must_use]
    pub fn place(&self) -> String {
        let host = self.config.get_hosts().first().map_or_else(String::new, |host| match host {
            tokio_postgres::config::Host::Tcp(name) => {
                format!("{name}:{}", self.config.get_ports().first().copied().unwrap_or(5432))
            }
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
        });
        format!("{} at {host}", self.config.get_dbname().unwrap_or("the default database"))
    }

    /// Opens a connection, within the connect time-out in all.
    pub(crate) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        let opening = async {
            let (client, connection) = self.config.connect(NoTls).await.map_err(|error| bad_connection(&error))?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        };
        self.in_time(opening).await
    }

    /// Opens a connection whose messages the caller drives, under a name of its own.
    pub(crate) async fn open(&self, name: &str) -> ConnectionResult<(Client, Connection<Socket, NoTlsStream>)> {
        let mut config = self.config.clone();
        config.application_name(name);
        self.in_time(async { config.connect(NoTls).await.map_err(|error| bad_connection(&error)) }).await
    }

    /// The driver's own time-out covers the socket, not a server that accepts and then stays silent.
    async fn in_time<T>(&self, opening: impl Future<Output = ConnectionResult<T>>) -> ConnectionResult<T> {
        tokio::time::timeout(self.timeouts.connect, opening)
            .await
            .unwrap_or_else(|_| Err(ConnectionError::BadConnection("no answer within the connect time-out".to_owned())))
    }

    /// Opens a connection, to see whether the database can be reached.
    ///
    /// # Errors
    /// [`Unreachable`], which says whether waiting can help.
    pub async fn probe(&self) -> Result<(), Unreachable> {
        let opening = self.config.connect(NoTls);
        match tokio::time::timeout(self.timeouts.connect, opening).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Unreachable { hopeless: is_hopeless(&error), reason: reason(&error) }),
            Err(_) => Err(Unreachable { hopeless: false, reason: "no answer".to_owned() }),
        }
    }
}

/// Why the database cannot be reached.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct Unreachable {
    /// Whether waiting cannot help: wrong password, no such database.
    pub hopeless: bool,
    /// What the server or the socket said.
    pub reason: String,
}

fn is_hopeless(error: &tokio_postgres::Error) -> bool {
    // Classes 28 (authorization) and 3D (no such database) do not pass by waiting.
    error.code().is_some_and(|code| code.code().starts_with("28") || code.code().starts_with("3D"))
}

/// The driver's own text stops at "error connecting to server"; the cause says what people need.
fn reason(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn bad_connection(error: &tokio_postgres::Error) -> ConnectionError {
    ConnectionError::BadConnection(reason(error))
}

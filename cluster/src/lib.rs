//! A private PostgreSQL cluster that a program starts as its child and stops.
//!
//! The server listens on a unix socket only, belongs to one program at a time, and ends with that program:
//! by [`Cluster::stop`], by dropping the [`Cluster`], and on Linux also when the program is killed.

mod account;
mod binaries;
mod child;
mod error;
mod initdb;
mod leftover;
mod places;
mod server;

use std::path::{Path, PathBuf};

pub use error::Error;

use account::Account;
use places::{Lock, Places};
use server::Server;

/// What to start and where.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the data is kept, such as `.data/postgres`; made when absent. `<data_dir>.lock` is kept beside it.
    pub data_dir: PathBuf,
    /// Folder that holds `postgres` and `initdb`; nothing else is looked at when it is set.
    pub bin_dir: Option<PathBuf>,
    /// `false` turns off everything that makes data survive a crash of the machine: for throw-away test data.
    pub durable: bool,
    /// How many connections the server accepts.
    pub max_connections: u32,
}

/// A running server, stopped when dropped.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    places: Places,
    _lock: Lock,
}

impl Cluster {
    /// Starts the server and returns when it accepts connections (at most 60 seconds).
    ///
    /// Makes the cluster when there is none yet, with the superuser `app` and no database beyond the usual
    /// `postgres`; clears what a killed predecessor left. As root, the server runs as the owner of the data, else
    /// as `postgres` or `nobody`, and the data goes to the system's temporary folder when that user cannot reach
    /// the folder asked for: see [`Cluster::data_dir`].
    ///
    /// # Errors
    /// Every variant of [`Error`].
    pub fn start(settings: &Settings) -> Result<Self, Error> {
        let (places, account) = places::choose(&settings.data_dir, Account::choose()?)?;
        let lock = Lock::take(&places)?;
        let made_by = initdb::major(&places.data_dir)?;
        let binaries = binaries::find(settings, &places, &account, made_by)?;
        leftover::clear(&places)?;
        if made_by.is_none() {
            initdb::run(&binaries, &account, &places.data_dir)?;
        }
        places.make_socket_dir(&account)?;
        let server = Server::start(&binaries, &account, &places, settings)?;
        Ok(Self { server, places, _lock: lock })
    }

    /// Connection URL of a database over the unix socket, for `tokio-postgres` and `psql`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(&self.places, database)
    }

    /// Connection URL of a database of the server that another program runs on this data, for those who met [`Error::InUse`].
    ///
    /// # Errors
    /// [`Error::NoUser`] and [`Error::Io`], as for [`Cluster::start`].
    pub fn url_of_running(settings: &Settings, database: &str) -> Result<String, Error> {
        let (places, _) = places::choose(&settings.data_dir, Account::choose()?)?;
        Ok(url(&places, database))
    }

    /// Absolute path of the data, which is not the one asked for when the server's user cannot reach that.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.places.data_dir
    }

    /// Process id of the server itself.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Disconnects everybody, stops the server and waits until it is gone (at most 40 seconds, by force at the end).
    ///
    /// # Errors
    /// [`Error::Stuck`] when the process outlives even SIGKILL.
    pub fn stop(mut self) -> Result<(), Error> {
        self.server.stop()
    }
}

fn url(places: &Places, database: &str) -> String {
    format!(
        "postgresql://app@/{}?host={}",
        percent_encoded(database.as_bytes()),
        percent_encoded(places.socket_dir.as_os_str().as_encoded_bytes()),
    )
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.server.stop() {
            log::error!("{error}");
        }
        self.places.remove_temporary();
    }
}

fn percent_encoded(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|&byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

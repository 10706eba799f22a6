//! What can go wrong, each said so that the reader knows what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// Why the cluster did not start or stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No usable `postgres` and `initdb` were found.
    #[error(
        "no PostgreSQL server was found (looked in {}). Do one of these: install PostgreSQL (Debian and Ubuntu: \
         apt-get install postgresql; macOS: brew install postgresql), set PG_BIN_DIR to the folder that holds \
         `postgres` and `initdb`, set DATABASE_URL to a server that runs already, or start one with `make up`",
        list(looked_in)
    )]
    NotFound {
        /// Folders without usable binaries, in the order tried.
        looked_in: Vec<PathBuf>,
    },
    /// The data belongs to another major version of PostgreSQL than those installed.
    #[error(
        "{} was made by PostgreSQL {needed}, but only these versions were found: {}. Set PG_BIN_DIR to the binaries \
         of version {needed}, or move the folder away to start with empty data",
        data_dir.display(), list(found)
    )]
    Version {
        /// The data.
        data_dir: PathBuf,
        /// Major version that made the data.
        needed: u32,
        /// Versions that are here, each with its folder.
        found: Vec<String>,
    },
    /// Another program has a server running on this data.
    #[error(
        "{} is in use by process {pid}: another `make run` is using it. Stop that one first, or set DATABASE_URL",
        data_dir.display()
    )]
    InUse {
        /// The data.
        data_dir: PathBuf,
        /// The running server, or the program that is just starting or stopping one; 0 when it cannot be told.
        pid: u32,
    },
    /// The folder holds something that is not a cluster.
    #[error("{} is not empty and not a PostgreSQL data folder: move it away, or choose another", .0.display())]
    NotACluster(PathBuf),
    /// Root may not run PostgreSQL, and there is nobody else to run it.
    #[error("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`")]
    NoUser,
    /// `initdb` failed.
    #[error("initdb could not make {}: {output}", data_dir.display())]
    Initdb {
        /// The data to be made.
        data_dir: PathBuf,
        /// What it said.
        output: String,
    },
    /// The server ended before it was ready.
    #[error("PostgreSQL ended while starting ({status}). Its last words, from {}:\n{tail}", log.display())]
    Exited {
        /// How it ended.
        status: String,
        /// Where its log is.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The server was not ready in time.
    #[error("PostgreSQL was not ready after {seconds} s. Its last words, from {}:\n{tail}", log.display())]
    TimedOut {
        /// How long it had.
        seconds: u64,
        /// Where its log is.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The server cannot be ended.
    #[error("PostgreSQL (process {pid}) does not end, not even by SIGKILL")]
    Stuck {
        /// The server.
        pid: u32,
    },
    /// A file or process operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: an [`Error::Io`] that names the operation and the path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

fn list<T: AsRef<std::ffi::OsStr>>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(|item| item.as_ref().to_string_lossy()).collect();
    if items.is_empty() { "no folder at all".to_owned() } else { items.join(", ") }
}

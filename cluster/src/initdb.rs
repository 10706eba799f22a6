//! Makes the cluster, whole or not at all, and says which version made it.

use std::fs;
use std::io;
use std::path::Path;

use crate::Error;
use crate::account::Account;
use crate::binaries::{Binaries, leading_number};
use crate::places::beside;

/// Like `C.UTF-8`, which macOS does not have.
#[cfg(target_os = "macos")]
const LOCALE: [&str; 2] = ["--locale=C", "--lc-ctype=UTF-8"];
/// Sorts by code point and knows the letters of all languages; the same on every Linux.
#[cfg(not(target_os = "macos"))]
const LOCALE: [&str; 1] = ["--locale=C.UTF-8"];

/// Major version that made the data, `None` when there is no data yet.
pub(crate) fn major(data_dir: &Path) -> Result<Option<u32>, Error> {
    let version = data_dir.join("PG_VERSION");
    match fs::read_to_string(&version) {
        Ok(text) => leading_number(text.trim()).map(Some).ok_or_else(|| Error::NotACluster(data_dir.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let empty = fs::read_dir(data_dir).map_or(true, |mut entries| entries.next().is_none());
            if empty { Ok(None) } else { Err(Error::NotACluster(data_dir.to_owned())) }
        }
        Err(error) => Err(Error::io("read", &version)(error)),
    }
}

/// Makes the cluster under another name and renames it: what `initdb` left when it was interrupted never counts.
pub(crate) fn run(binaries: &Binaries, account: &Account, data_dir: &Path) -> Result<(), Error> {
    let unfinished = beside(data_dir, ".new");
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", &unfinished)(error));
        }
        _ => account.make_private_dir(&unfinished)?,
    }
    let output = binaries
        .command(&binaries.initdb, account)
        // Becomes the time zone of the server.
        .env("TZ", "UTC")
        .args(["-A", "trust", "-U", "app", "-E", "UTF8"])
        .args(LOCALE)
        .args(["--no-instructions", "--no-sync", "-D"])
        .arg(&unfinished)
        .output()
        .map_err(Error::io("run", &binaries.initdb))?;
    if !output.status.success() {
        return Err(Error::Initdb { data_dir: data_dir.to_owned(), output: String::from_utf8_lossy(&output.stderr).trim().to_owned() });
    }
    fs::rename(&unfinished, data_dir).map_err(Error::io("put in place", data_dir))
}

//! Finds the PostgreSQL programs: those named, on PATH, or where systems put them.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::places::Places;
use crate::{Error, Settings};

/// The programs of one installed version.
#[derive(Debug)]
pub(crate) struct Binaries {
    /// Runs the server.
    pub(crate) postgres: PathBuf,
    /// Makes a cluster.
    pub(crate) initdb: PathBuf,
    /// `setpriv` of util-linux, where there is one that can set the parent-death signal.
    setpriv: Option<PathBuf>,
}

impl Binaries {
    /// A command that runs one of the programs, and interrupts it where possible when the calling thread ends.
    pub(crate) fn command(&self, program: &Path, account: &Account) -> Command {
        let Some(setpriv) = &self.setpriv else {
            return account.command(program);
        };
        // `setpriv` runs as that user already: a change of user would clear the signal.
        let mut command = account.command(setpriv);
        command.args(PARENT_DEATH_SIGNAL).arg(program);
        command
    }
}

const PARENT_DEATH_SIGNAL: [&str; 3] = ["--pdeathsig", "INT", "--"];

/// Folders that hold one `bin` per installed version: where they lie and how their names start.
const VERSIONED: [(&str, &str); 4] =
    [("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/opt/homebrew/opt", "postgresql"), ("/usr/local/opt", "postgresql")];

/// The first programs that run, of the major version that made the data when there is data.
pub(crate) fn find(settings: &Settings, places: &Places, account: &Account, made_by: Option<u32>) -> Result<Binaries, Error> {
    let mut found = Vec::new();
    let mut looked_in = Vec::new();
    for dir in candidates(settings, places) {
        let (postgres, initdb) = (dir.join("postgres"), dir.join("initdb"));
        if postgres.exists() && initdb.exists() {
            match major(account.command(&postgres)) {
                Ok(version) if made_by.is_none_or(|needed| needed == version) => {
                    return Ok(Binaries { setpriv: setpriv(account), postgres, initdb });
                }
                Ok(version) => found.push(format!("{version} in {}", dir.display())),
                Err(why) => {
                    log::warn!("{} is there but does not run: {why}", postgres.display());
                }
            }
        }
        looked_in.push(dir);
    }
    match made_by {
        Some(needed) if !found.is_empty() => Err(Error::Version { data_dir: places.data_dir.clone(), needed, found }),
        _ => Err(Error::NotFound { looked_in }),
    }
}

fn candidates(settings: &Settings, places: &Places) -> Vec<PathBuf> {
    if let Some(named) = &settings.bin_dir {
        return vec![std::path::absolute(named).unwrap_or_else(|_| named.clone())];
    }
    let mut dirs: Vec<PathBuf> =
        on_path("postgres").filter_map(|program| Some(program.canonicalize().ok()?.parent()?.to_owned())).collect();
    for (above, start) in VERSIONED {
        let mut versions = versions(Path::new(above), start);
        versions.sort_by_key(|&(major, _)| Reverse(major));
        if versions.is_empty() {
            dirs.push(Path::new(above).join(format!("{start}*/bin")));
        }
        dirs.extend(versions.into_iter().map(|(_, dir)| dir.join("bin")));
    }
    dirs.push(places.asked.with_file_name("pg").join("bin"));
    // The same folder is often both on PATH and in its usual place.
    let mut seen = HashSet::new();
    dirs.retain(|dir| seen.insert(dir.clone()));
    dirs
}

#[expect(clippy::disallowed_methods, reason = "PATH is no setting of ours, but where programs are looked up")]
fn on_path(program: &str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let program = program.to_owned();
    dirs.into_iter().map(move |dir| dir.join(&program)).filter(|file| file.is_absolute() && file.is_file())
}

fn versions(above: &Path, start: &str) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(above).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let rest = name.to_str()?.strip_prefix(start)?;
            // Homebrew's plain `postgresql` counts as the oldest: what it links to is there under its number too.
            let major = leading_number(rest.trim_start_matches('@')).unwrap_or(0);
            entry.path().join("bin").is_dir().then(|| (major, entry.path()))
        })
        .collect()
}

/// Asks the program itself, which also shows that the server's user can run it.
fn major(mut postgres: Command) -> Result<u32, String> {
    let output = postgres.arg("--version").output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.split_whitespace()
        .nth(2)
        .and_then(leading_number)
        .filter(|_| output.status.success())
        .ok_or_else(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// The major version at the start of a version such as `15.4` or `18beta1`.
pub(crate) fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

fn setpriv(account: &Account) -> Option<PathBuf> {
    // BusyBox has a `setpriv` too, which does not know this option.
    on_path("setpriv").find(|setpriv| {
        let tried = account.command(setpriv).args(PARENT_DEATH_SIGNAL).arg(setpriv).arg("--version").output();
        tried.is_ok_and(|tried| tried.status.success())
    })
}

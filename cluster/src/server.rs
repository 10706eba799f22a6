//! The running server: how it is started, when it is ready, how it is stopped.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::child::Supervised;
use crate::places::Places;
use crate::{Error, Settings, leftover};

/// Recovery after a crash takes seconds.
const READY_WAIT: Duration = Duration::from_secs(60);
/// A connection of a killed predecessor notices when its query ends.
const PREDECESSOR_WAIT: Duration = Duration::from_secs(30);
/// What to send to stop it, and how long to wait before the next.
const STOP: [(Signal, Duration); 3] =
    [(Signal::INT, Duration::from_secs(30)), (Signal::QUIT, Duration::from_secs(5)), (Signal::KILL, Duration::from_secs(5))];
/// The log is started anew when it is longer.
const LOG_BYTES_MAX: u64 = 10 << 20;

/// A server that is a child of this program.
#[derive(Debug)]
pub(crate) struct Server {
    process: Supervised,
    stopped: bool,
}

impl Server {
    /// Starts it and waits until it accepts connections.
    pub(crate) fn start(binaries: &Binaries, account: &Account, places: &Places, settings: &Settings) -> Result<Self, Error> {
        let began = Instant::now();
        loop {
            match Self::start_once(binaries, account, places, settings) {
                // The connections of a killed server hold its memory until they notice.
                Err(Error::Exited { tail, .. })
                    if tail.contains("pre-existing shared memory block") && began.elapsed() < PREDECESSOR_WAIT =>
                {
                    std::thread::sleep(Duration::from_millis(500));
                }
                outcome => return outcome,
            }
        }
    }

    fn start_once(binaries: &Binaries, account: &Account, places: &Places, settings: &Settings) -> Result<Self, Error> {
        let path = places.log();
        let log = open_log(&path, account).map_err(Error::io("open", &path))?;
        let log_start = log.metadata().map_or(0, |log| log.len());
        let mut command = binaries.command(&binaries.postgres, account);
        command.args(arguments(places, settings));
        // Ctrl-C in a terminal goes to the whole process group: it is the program's to handle.
        command.process_group(0);
        let for_stdout = log.try_clone().map_err(Error::io("open", &path))?;
        command.stdout(for_stdout).stderr(log);
        let process = Supervised::spawn(command).map_err(Error::io("run", &binaries.postgres))?;
        let mut server = Self { process, stopped: false };
        server.wait_until_ready(places, log_start)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, places: &Places, log_start: u64) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            // Another pid there is a stale file's, whatever it says.
            if leftover::recorded(&places.data_dir).is_some_and(|recorded| recorded.ready && recorded.pid == self.pid()) {
                self.process.expect_to_run();
                return Ok(());
            }
            if let Some(status) = self.process.wait(Duration::from_millis(10)) {
                return Err(Error::Exited { status: status.to_string(), tail: tail(&places.log(), log_start), log: places.log() });
            }
            if began.elapsed() > READY_WAIT {
                return Err(Error::TimedOut { seconds: READY_WAIT.as_secs(), tail: tail(&places.log(), log_start), log: places.log() });
            }
        }
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Stops it, more firmly each time it does not listen.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        if self.stopped {
            return Ok(());
        }
        self.stopped = true;
        for (signal, wait) in STOP {
            if let Err(error) = self.process.signal(signal) {
                log::warn!("cannot signal PostgreSQL (process {}): {error}", self.pid());
            }
            if let Some(status) = self.process.wait(wait) {
                if !status.success() {
                    log::warn!("PostgreSQL (process {}) ended with {status}", self.pid());
                }
                return Ok(());
            }
            log::warn!("PostgreSQL (process {}) still runs {} s after {signal:?}", self.pid(), wait.as_secs());
        }
        Err(Error::Stuck { pid: self.pid() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            log::error!("{error}");
        }
    }
}

fn arguments(places: &Places, settings: &Settings) -> Vec<OsString> {
    let mut arguments = vec!["-D".into(), places.data_dir.clone().into()];
    arguments.extend(leftover::OWN_OPTIONS.map(OsString::from));
    arguments.push(quoted(&places.socket_dir));
    let connections = format!("max_connections={}", settings.max_connections);
    let mut options =
        vec!["listen_addresses=", "shared_buffers=128MB", "logging_collector=off", "log_destination=stderr", connections.as_str()];
    if !settings.durable {
        options.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
    }
    arguments.extend(options.into_iter().flat_map(|option| ["-c".into(), option.into()]));
    arguments
}

/// The server takes a list of folders, in which a comma separates.
fn quoted(dir: &Path) -> OsString {
    let doubled = dir.as_os_str().as_bytes().iter().flat_map(|&byte| [byte].repeat(if byte == b'"' { 2 } else { 1 }));
    OsString::from_vec([b'"'].into_iter().chain(doubled).chain([b'"']).collect())
}

fn open_log(path: &Path, account: &Account) -> io::Result<File> {
    // The folder is the server's: root must not follow a link put there.
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let log = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    account.give(&log)?;
    if log.metadata()?.len() > LOG_BYTES_MAX {
        log.set_len(0)?;
    }
    Ok(log)
}

/// The last lines of what was logged since `start`.
fn tail(log: &Path, start: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(start.max(end.saturating_sub(8 << 10))))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<&str> = text.lines().rev().take(20).collect();
    lines.reverse();
    lines.join("\n")
}

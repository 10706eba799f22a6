//! What a killed predecessor left: its pid file, its socket, or the server itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Error;
use crate::places::Places;

/// How long a server whose program is gone may take to end, checkpoint included.
const ORPHAN_WAIT_MAX: Duration = Duration::from_secs(30);

/// What this crate gives a server after `-D` and the data folder. The port only names the socket, and PGPORT must
/// not rename it.
pub(crate) const OWN_OPTIONS: [&str; 3] = ["-p", "5432", "-k"];

/// What `postmaster.pid` says.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The server that wrote it.
    pub(crate) pid: u32,
    /// Whether that server accepted connections.
    pub(crate) ready: bool,
}

/// Reads `postmaster.pid`; `None` when it is absent or just being written.
pub(crate) fn recorded(data_dir: &Path) -> Option<Recorded> {
    let text = fs::read_to_string(data_dir.join("postmaster.pid")).ok()?;
    Some(Recorded {
        pid: text.lines().next()?.trim().parse().ok()?,
        ready: text.lines().nth(7).is_some_and(|status| status.starts_with("ready")),
    })
}

/// Makes room for a new server. To be called with the lock held: no other program of ours uses the data.
pub(crate) fn clear(places: &Places) -> Result<(), Error> {
    let asked_at = Instant::now();
    let mut signalled = false;
    while let Some(Recorded { pid, .. }) = recorded(&places.data_dir) {
        match process(pid, &places.data_dir) {
            Process::Gone => break,
            Process::Ours if asked_at.elapsed() < ORPHAN_WAIT_MAX => {
                // It stops by itself where the parent-death signal works, and takes a second SIGINT for the same.
                if !signalled {
                    log::warn!("stopping PostgreSQL (process {pid}), left running by a program that is gone");
                    signal(pid);
                    signalled = true;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            Process::Ours | Process::Foreign => {
                return Err(Error::InUse { data_dir: places.data_dir.clone(), pid });
            }
        }
    }
    remove(&places.data_dir.join("postmaster.pid"))?;
    remove(&places.socket_dir.join(".s.PGSQL.5432"))?;
    remove(&places.socket_dir.join(".s.PGSQL.5432.lock"))
}

/// Who has the recorded pid now.
enum Process {
    /// Nobody, a zombie, or a process that has nothing to do with this data.
    Gone,
    /// A server that this crate started on this data.
    Ours,
    /// A server that somebody else started, as far as can be told on this data.
    Foreign,
}

fn process(pid: u32, data_dir: &Path) -> Process {
    let Some(seen) = seen(pid).filter(|seen| !seen.zombie && matches!(seen.program.as_str(), "postgres" | "postmaster")) else {
        return Process::Gone;
    };
    // A server works in its data folder; where neither that nor the argument tells, better to be careful.
    let its_data = match seen.data_dir {
        Some(named) if named.is_absolute() => Some(named),
        _ => fs::read_link(format!("/proc/{pid}/cwd")).ok(),
    };
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match its_data {
        Some(its_data) if real(&its_data) != real(data_dir) => Process::Gone,
        Some(_) if seen.like_ours => Process::Ours,
        _ => Process::Foreign,
    }
}

/// What the system tells about a process.
struct Seen {
    zombie: bool,
    program: String,
    /// What it was started on, when it is a server and that was its first argument.
    data_dir: Option<PathBuf>,
    /// Whether the arguments that follow are those that this crate gives.
    like_ours: bool,
}

#[cfg(target_os = "linux")]
fn seen(pid: u32) -> Option<Seen> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name before the state may hold spaces and parentheses itself.
    let state = stat.rsplit(')').next()?.trim_start().chars().next()?;
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut arguments = arguments.split(|&byte| byte == 0).map(OsStr::from_bytes);
    let program = Path::new(arguments.next()?).file_name().unwrap_or_default();
    let named = arguments.next() == Some(OsStr::new("-D"));
    Some(Seen {
        zombie: matches!(state, 'Z' | 'X'),
        program: program.to_string_lossy().into_owned(),
        data_dir: arguments.next().filter(|_| named).map(PathBuf::from),
        like_ours: arguments.take(OWN_OPTIONS.len()).eq(OWN_OPTIONS),
    })
}

#[cfg(not(target_os = "linux"))]
fn seen(pid: u32) -> Option<Seen> {
    let ps = |column: &str| {
        let output = std::process::Command::new("ps").args(["-ww", "-o", column, "-p", &pid.to_string()]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let program = ps("comm=")?;
    let arguments = ps("args=")?;
    let options = format!(" {} ", OWN_OPTIONS.join(" "));
    // Where an argument ends cannot be seen, except in front of those that this crate gives.
    let data_dir =
        arguments.split_once(" -D ").and_then(|(_, rest)| rest.split_once(&options)).map(|(data_dir, _)| PathBuf::from(data_dir));
    Some(Seen {
        zombie: ps("state=")?.starts_with('Z'),
        program: program.rsplit('/').next()?.to_owned(),
        like_ours: data_dir.is_some(),
        data_dir,
    })
}

fn signal(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::INT)) {
        log::warn!("cannot signal it: {error}");
    }
}

fn remove(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", file)(error)),
        _ => Ok(()),
    }
}

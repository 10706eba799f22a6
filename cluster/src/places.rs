//! Where data, socket and lock lie, given what the server's user can reach and how long a socket path may be.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;
use crate::account::{Account, require_own_dir};
use crate::leftover;

/// A unix socket address holds 103 bytes on macOS and 107 on Linux; `/.s.PGSQL.5432` takes 14 of them.
const SOCKET_DIR_BYTES_MAX: usize = 88;

/// The folders of one cluster, all absolute.
#[derive(Debug)]
pub(crate) struct Places {
    /// The data as asked for.
    pub(crate) asked: PathBuf,
    /// The data.
    pub(crate) data_dir: PathBuf,
    /// Holds the socket; inside the data unless that path is too long.
    pub(crate) socket_dir: PathBuf,
}

/// Decides on the folders, makes those above the data, and settles who runs the server.
pub(crate) fn choose(asked: &Path, account: Account) -> Result<(Places, Account), Error> {
    let asked = made_parent(asked)?;
    let account = account.or_owner_of(&asked.join("PG_VERSION"));
    let reachable = asked.parent().is_none_or(|above| account.can_enter(above));
    let (data_dir, account) = if reachable {
        (asked.clone(), account)
    } else {
        let data_dir = temporary(&asked, &account)?.join("postgres");
        log::warn!(
            "the user that runs PostgreSQL in place of root cannot reach {}: its data is kept in {}",
            asked.display(),
            data_dir.display()
        );
        let account = account.or_owner_of(&data_dir.join("PG_VERSION"));
        (data_dir, account)
    };
    let within = data_dir.join("socket");
    let socket_dir = if within.as_os_str().len() <= SOCKET_DIR_BYTES_MAX { within } else { temporary(&asked, &account)?.join("socket") };
    let places = Places { asked, data_dir, socket_dir };
    Ok((places, account))
}

impl Places {
    /// Makes the folder that holds the socket; whoever can enter it is superuser.
    pub(crate) fn make_socket_dir(&self, account: &Account) -> Result<(), Error> {
        account.make_private_dir(&self.socket_dir)
    }

    /// The server's log.
    pub(crate) fn log(&self) -> PathBuf {
        self.data_dir.join("server.log")
    }

    /// Removes what lies in the temporary folder for the socket alone.
    pub(crate) fn remove_temporary(&self) {
        if !self.socket_dir.starts_with(&self.data_dir) {
            // Each of these is kept when it is not empty, which is as it should be.
            let _ = fs::remove_dir(&self.socket_dir);
            let _ = self.socket_dir.parent().map(fs::remove_dir);
        }
    }
}

/// Held as long as a program uses the data, whether or not its server runs yet.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Takes `<data_dir>.lock`, which the system gives back by itself when the program dies.
    pub(crate) fn take(places: &Places) -> Result<Self, Error> {
        let path = beside(&places.data_dir, ".lock");
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(Error::io("open", &path))?;
        // A process that is just being forked holds a copy of the lock for a moment.
        for _ in 0..10 {
            match file.try_lock() {
                Ok(()) => {
                    file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).map_err(Error::io("write", &path))?;
                    return Ok(Self(file));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
            }
        }
        let mut holder = String::new();
        file.read_to_string(&mut holder).map_err(Error::io("read", &path))?;
        Err(Error::InUse {
            pid: leftover::recorded(&places.data_dir).map(|recorded| recorded.pid).or_else(|| holder.parse().ok()).unwrap_or_default(),
            data_dir: places.data_dir.clone(),
        })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough while a process being forked has a copy.
        if let Err(error) = self.0.unlock() {
            log::warn!("cannot give back the lock of the data folder: {error}");
        }
    }
}

/// `path` with `ending` put after its last name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

fn made_parent(asked: &Path) -> Result<PathBuf, Error> {
    let asked = std::path::absolute(asked).map_err(Error::io("find", asked))?;
    let (Some(above), Some(name)) = (asked.parent(), asked.file_name()) else {
        return Err(Error::NotACluster(asked));
    };
    fs::create_dir_all(above).map_err(Error::io("make", above))?;
    // What counts is whether the real folders can be entered, not those of a link to them.
    let real = above.canonicalize().map_err(Error::io("find", above))?;
    Ok(real.join(name))
}

/// A folder under the system's temporary one, the same at every start with the same data.
fn temporary(asked: &Path, account: &Account) -> Result<PathBuf, Error> {
    let uid = rustix::process::geteuid().as_raw();
    let name = format!("handrail-{uid}-{:016x}", fnv1a(asked.as_os_str().as_encoded_bytes()));
    let fits = |dir: &PathBuf| account.can_enter(dir) && dir.join(&name).join("postgres/socket").as_os_str().len() <= SOCKET_DIR_BYTES_MAX;
    let system = std::env::temp_dir().canonicalize().ok().filter(fits);
    let dir = system.unwrap_or_else(|| PathBuf::from("/tmp")).join(name);
    match DirBuilder::new().mode(0o700).create(&dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => require_own_dir(&dir, uid)?,
        made => made.map_err(Error::io("make", &dir))?,
    }
    // Not by `mode` above, from which the umask may take the bit that lets the server's user in.
    fs::set_permissions(&dir, Permissions::from_mode(0o711)).map_err(Error::io("open up", &dir))?;
    Ok(dir)
}

/// The standard library's hashes may change between its versions.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

//! The user that runs the server: the current one, or an unprivileged one in place of root.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown, fchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Error;

/// Whom the server and `initdb` run as.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
    in_place_of_root: bool,
}

impl Account {
    /// The current user; for root `postgres`, else `nobody`.
    pub(crate) fn choose() -> Result<Self, Error> {
        let uid = rustix::process::geteuid();
        if !uid.is_root() {
            return Ok(Self { uid: uid.as_raw(), gid: rustix::process::getegid().as_raw(), in_place_of_root: false });
        }
        let passwd = Path::new("/etc/passwd");
        let users = fs::read_to_string(passwd).map_err(Error::io("read", passwd))?;
        ["postgres", "nobody"].iter().find_map(|name| entry(&users, name)).ok_or(Error::NoUser)
    }

    /// In place of root, the owner of what is there already: data made by `nobody` stays usable when a user
    /// `postgres` appears.
    pub(crate) fn or_owner_of(self, path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(found) if self.in_place_of_root && found.uid() != 0 => Self { uid: found.uid(), gid: found.gid(), in_place_of_root: true },
            _ => self,
        }
    }

    /// A command that runs as this user, apart from the terminal, with messages in English.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
        if self.in_place_of_root {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this user can enter `dir` and every folder above it; taken for granted for the current user.
    pub(crate) fn can_enter(&self, dir: &Path) -> bool {
        !self.in_place_of_root
            || dir.ancestors().all(|dir| {
                fs::metadata(dir).is_ok_and(|found| {
                    let bit = if found.uid() == self.uid {
                        0o100
                    } else if found.gid() == self.gid {
                        0o010
                    } else {
                        0o001
                    };
                    found.mode() & bit != 0
                })
            })
    }

    /// Makes a folder that only this user can enter, or takes the one that is there when it is this user's own.
    pub(crate) fn make_private_dir(&self, dir: &Path) -> Result<(), Error> {
        match DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) if self.in_place_of_root => chown(dir, Some(self.uid), Some(self.gid)).map_err(Error::io("change owner of", dir)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => require_own_dir(dir, self.uid),
            made => made.map_err(Error::io("make", dir)),
        }
    }

    /// Hands an open file over to this user.
    pub(crate) fn give(&self, file: &fs::File) -> io::Result<()> {
        if self.in_place_of_root {
            fchown(file, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }
}

/// Refuses a link, a file, and a folder that somebody else put there: `/tmp` is everybody's.
pub(crate) fn require_own_dir(dir: &Path, uid: u32) -> Result<(), Error> {
    let found = fs::symlink_metadata(dir).map_err(Error::io("look at", dir))?;
    if found.is_dir() && found.uid() == uid {
        return Ok(());
    }
    let refusal = io::Error::new(io::ErrorKind::PermissionDenied, format!("it is not a folder of user {uid}"));
    Err(Error::io("use", dir)(refusal))
}

fn entry(users: &str, name: &str) -> Option<Account> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        Some(Account { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()?, in_place_of_root: true })
    })
}

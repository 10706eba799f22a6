//! A folder of mails, for development: a file each, which mail programs open.

use std::{
    fmt,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::Error;

/// Where the files go.
#[derive(Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Writes one file, which is there in full or not at all, and says where it is.
    pub(super) async fn write(&self, bytes: Vec<u8>) -> Result<PathBuf, Error> {
        let folder = self.path.clone();
        let written = tokio::task::spawn_blocking(move || write(&folder, &bytes)).await;
        written.map_err(io::Error::other).flatten().map_err(Error::Folder)
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "folder {}", self.path.display())
    }
}

/// The name is a version 7 UUID: it sorts by time, and nothing of the mail is in it.
fn write(folder: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name = Uuid::now_v7();
    let (part, path) = (folder.join(format!(".{name}.part")), folder.join(format!("{name}.eml")));
    let complete = write_new(&part, bytes).and_then(|()| fs::rename(&part, &path));
    if complete.is_err() {
        let _ = fs::remove_file(&part);
    }
    complete.map(|()| path)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

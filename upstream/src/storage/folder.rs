//! A folder as a store.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path as Folder, PathBuf},
};

use bytes::Bytes;
use futures::{Stream, stream};
use object_store::{local::LocalFileSystem, path::Path};
use tokio::task::spawn_blocking;

use super::{Error, Unusable};

/// How much is read at a time: less costs a change of threads more often, more costs memory.
const PIECE_BYTES: u64 = 128 * 1024;

/// Opens a folder, and makes it when it is not there: for this account's eyes only.
pub(super) fn open(path: &Folder) -> Result<LocalFileSystem, Unusable> {
    let wrong = |error: &dyn std::fmt::Display| Unusable(format!("the folder {} cannot be used: {error}", path.display()));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| wrong(&error))?;
    let store = LocalFileSystem::new_with_prefix(path).map_err(|error| wrong(&error))?;
    // A file that was acknowledged survives a loss of power, as it does on S3.
    Ok(store.with_fsync(true))
}

/// Reads a part of a file on threads that may wait for the disk. A file that has become shorter is an error, not an end.
pub(super) fn read(file: File, range: Range<u64>) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    stream::try_unfold((file, range), |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let piece = spawn_blocking(move || piece(file, &range)).await.map_err(io::Error::other)?;
        Ok(Some(piece?))
    })
}

fn piece(mut file: File, range: &Range<u64>) -> io::Result<(Bytes, (File, Range<u64>))> {
    let wanted = PIECE_BYTES.min(range.end - range.start);
    let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
    file.seek(SeekFrom::Start(range.start))?;
    let read = Read::by_ref(&mut file).take(wanted).read_to_end(&mut bytes)?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let read = u64::try_from(read).unwrap_or(u64::MAX);
    Ok((bytes.into(), (file, range.start.saturating_add(read)..range.end)))
}

/// Removes what a process that ended midway has left of a file: it is written under another name until it is complete. Nobody else writes
/// under this key, so there is one such name at most.
pub(super) async fn remove_unfinished(store: &LocalFileSystem, path: &Path) -> Result<(), Error> {
    let mut name = store.path_to_filesystem(path)?.into_os_string();
    name.push("#1");
    match tokio::fs::remove_file(PathBuf::from(name)).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

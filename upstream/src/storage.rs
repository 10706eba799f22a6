//! Where uploaded files are kept: a folder of this machine, or a bucket of S3 or of a server that speaks its protocol.
//!
//! An object is there whole or not at all. What an unfinished one leaves behind is cleared by its key, and on S3 by the number its parts
//! are kept under, which [`Writing::begin`] tells in time to be written down.

mod error;
mod folder;
mod s3;
mod writing;

use std::{fmt, ops::Range, path::Path as Folder, pin::Pin, sync::Arc};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::{
    GetOptions, GetResultPayload, ObjectStore, ObjectStoreExt, aws::AmazonS3, local::LocalFileSystem, multipart::MultipartStore, path::Path,
};

pub use error::{Error, Unusable};
pub use s3::{Keys, S3};
pub use writing::Writing;

/// How large every part but the last is, in bytes: the least that S3 takes.
pub const PART_BYTES: usize = 5 * 1024 * 1024;

/// What is in an object, piece by piece.
pub type Content = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// Where objects are kept; cheap to clone. To be used within a Tokio runtime.
#[derive(Clone)]
pub struct Store {
    place: Place,
    /// What all keys begin with.
    prefix: Arc<str>,
}

#[derive(Clone)]
enum Place {
    Folder(LocalFileSystem),
    S3(AmazonS3),
}

impl Store {
    /// A folder, which is made when it is not there.
    ///
    /// # Errors
    /// `Unusable` when it cannot be made.
    pub fn folder(path: &Folder) -> Result<Self, Unusable> {
        Ok(Self { place: Place::Folder(folder::open(path)?), prefix: "".into() })
    }

    /// A bucket. Nothing is connected yet.
    ///
    /// # Errors
    /// `Unusable` when a setting is wrong; its text does not repeat the keys.
    pub fn s3(settings: &S3) -> Result<Self, Unusable> {
        let prefix = settings.prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { place: Place::S3(s3::open(settings)?), prefix: prefix.into() })
    }

    /// Begins to write an object.
    #[must_use]
    pub fn write(&self, key: &str) -> Writing {
        Writing::new(self.place.clone(), self.path(key))
    }

    /// Reads these bytes of an object; the range must lie within it.
    ///
    /// # Errors
    /// `Absent` when it is not there, `Away` or `Fault`.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Content, Error> {
        let path = self.path(key);
        let store: &dyn ObjectStore = match &self.place {
            Place::Folder(store) => store,
            Place::S3(store) => store,
        };
        let found = store.get_opts(&path, GetOptions::new().with_range(Some(range))).await?;
        let range = found.range.clone();
        Ok(match found.payload {
            GetResultPayload::File(file, _) => Box::pin(folder::read(file, range)),
            GetResultPayload::Stream(stream) => Box::pin(stream.map_err(Into::into)),
        })
    }

    /// Removes an object and whatever an unfinished one has left, `parts` being the number that its parts are kept under. May be done
    /// again.
    ///
    /// # Errors
    /// `Away` or `Fault`: something may be left.
    pub async fn clear(&self, key: &str, parts: Option<&str>) -> Result<(), Error> {
        let path = self.path(key);
        let absent = |error: &object_store::Error| matches!(error, object_store::Error::NotFound { .. });
        match &self.place {
            Place::Folder(store) => {
                folder::remove_unfinished(store, &path).await?;
                store.delete(&path).await.or_else(|error| if absent(&error) { Ok(()) } else { Err(error.into()) })
            }
            Place::S3(store) => {
                if let Some(parts) = parts {
                    let aborted = store.abort_multipart(&path, &parts.to_owned()).await;
                    aborted.or_else(|error| if absent(&error) { Ok(()) } else { Err(error) })?;
                }
                store.delete(&path).await.or_else(|error| if absent(&error) { Ok(()) } else { Err(error.into()) })
            }
        }
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}{key}", self.prefix))
    }
}

/// Says where objects are kept, for the log. No keys.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Folder(store) => store.fmt(f),
            Place::S3(store) => write!(f, "{store}/{}", self.prefix),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({self})")
    }
}

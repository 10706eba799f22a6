//! An object while it is written.

use bytes::Bytes;
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
    multipart::{MultipartStore, PartId},
    path::Path,
};

use super::{Error, Place};

/// An object while it is written: nothing of it can be read before [`Writing::finish`]. One that is dropped has to be cleared
/// ([`super::Store::clear`]), after its last call has come to an end.
pub struct Writing {
    place: Place,
    path: Path,
    begun: Begun,
}

/// A small object is put in one go; only with its second part does one become a thing of parts.
enum Begun {
    No,
    Folder(Box<dyn MultipartUpload>),
    S3 { id: String, parts: Vec<PartId> },
}

impl Writing {
    pub(super) fn new(place: Place, path: Path) -> Self {
        Self { place, path, begun: Begun::No }
    }

    /// Makes ready to write more than one part, and tells the number that the parts are kept under, where there is such a thing.
    ///
    /// # Errors
    /// `Full`, `Away` or `Fault`.
    pub async fn begin(&mut self) -> Result<Option<&str>, Error> {
        if matches!(self.begun, Begun::No) {
            self.begun = match &self.place {
                Place::Folder(store) => {
                    Begun::Folder(store.put_multipart_opts(&self.path, object_store::PutMultipartOptions::default()).await?)
                }
                Place::S3(store) => Begun::S3 { id: store.create_multipart(&self.path).await?, parts: Vec::new() },
            };
        }
        Ok(match &self.begun {
            Begun::S3 { id, .. } => Some(id),
            Begun::No | Begun::Folder(_) => None,
        })
    }

    /// Writes a part, of [`super::PART_BYTES`].
    ///
    /// # Errors
    /// `Full`, `Away` or `Fault`.
    pub async fn part(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.begin().await?;
        let payload = PutPayload::from_bytes(bytes);
        match (&mut self.begun, &self.place) {
            (Begun::Folder(upload), _) => upload.put_part(payload).await?,
            (Begun::S3 { id, parts }, Place::S3(store)) => parts.push(store.put_part(&self.path, id, parts.len(), payload).await?),
            (Begun::No | Begun::S3 { .. }, _) => return Err(Error::Fault("an object that is not begun".into())),
        }
        Ok(())
    }

    /// Writes the last part, of any size that is not larger, and makes the object be there.
    ///
    /// # Errors
    /// `Full`, `Away` or `Fault`.
    pub async fn finish(mut self, last: Bytes) -> Result<(), Error> {
        if matches!(self.begun, Begun::No) {
            let payload = PutPayload::from_bytes(last);
            match &self.place {
                Place::Folder(store) => store.put(&self.path, payload).await?,
                Place::S3(store) => store.put(&self.path, payload).await?,
            };
            return Ok(());
        }
        if !last.is_empty() {
            self.part(last).await?;
        }
        match (self.begun, &self.place) {
            (Begun::Folder(mut upload), _) => upload.complete().await?,
            (Begun::S3 { id, parts }, Place::S3(store)) => store.complete_multipart(&self.path, &id, parts).await?,
            (Begun::No | Begun::S3 { .. }, _) => return Err(Error::Fault("an object that is not begun".into())),
        };
        Ok(())
    }
}

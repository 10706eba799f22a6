//! What goes wrong with a store, told apart by what can be done about it.

use std::{error::Error as _, io};

/// A setting of the store is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub(super) String);

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An object could not be written, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no room.
    #[error("the storage is full")]
    Full(#[source] Source),
    /// It does not answer, or is broken for now.
    #[error("the storage is away")]
    Away(#[source] Source),
    /// The object is not there.
    #[error("the storage does not have the object")]
    Absent(#[source] Source),
    /// It refuses: a setting is wrong, or rights are missing.
    #[error("the storage refuses")]
    Fault(#[source] Source),
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as Store;
        match error {
            Store::NotFound { .. } => Self::Absent(error.into()),
            Store::PermissionDenied { .. } | Store::Unauthenticated { .. } | Store::NotSupported { .. } | Store::NotImplemented { .. } => {
                Self::Fault(error.into())
            }
            _ => match io_kind(&error) {
                Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge) => Self::Full(error.into()),
                Some(io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory | io::ErrorKind::ReadOnlyFilesystem) => {
                    Self::Fault(error.into())
                }
                _ => Self::Away(error.into()),
            },
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        object_store::Error::Generic { store: "folder", source: error.into() }.into()
    }
}

/// What the operating system said, if it was asked.
fn io_kind(error: &object_store::Error) -> Option<io::ErrorKind> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(error) = source.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        next = source.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_passes_and_a_forbidden_folder_does_not() {
        assert!(matches!(Error::from(io::Error::from(io::ErrorKind::StorageFull)), Error::Full(_)));
        assert!(matches!(Error::from(io::Error::from(io::ErrorKind::PermissionDenied)), Error::Fault(_)));
        assert!(matches!(Error::from(io::Error::from(io::ErrorKind::ConnectionReset)), Error::Away(_)));
    }
}

//! What becomes of a change that was asked for.

use domain::{Code, Error};

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// It was made.
    Made(T),
    /// Who asked may not make it.
    Forbidden,
    /// There is nothing to change, or nothing that who asked may see.
    Absent,
    /// It contradicts what is stored.
    Refused(Code, &'static str),
}

impl<T> Change<T> {
    /// The changed thing, or what to tell the caller. `noun` names the thing.
    ///
    /// # Errors
    /// `FORBIDDEN`, `NOT_FOUND`, or the code it was refused with.
    pub fn made(self, noun: &str) -> domain::Result<T> {
        match self {
            Self::Made(value) => Ok(value),
            Self::Forbidden => Err(Error::forbidden()),
            Self::Absent => Err(Error::not_found(noun)),
            Self::Refused(code, text) => Err(Error::new(code, text)),
        }
    }
}

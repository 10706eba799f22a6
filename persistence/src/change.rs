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
    /// The same, with what was made turned into something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Made(value) => Change::Made(turn(value)),
            Self::Forbidden => Change::Forbidden,
            Self::Absent => Change::Absent,
            Self::Refused(code, text) => Change::Refused(code, text),
        }
    }

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

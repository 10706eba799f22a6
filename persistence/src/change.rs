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
    /// It is not any more what who asked had seen.
    Outdated,
    /// It contradicts what is stored.
    Refused(Code, &'static str),
}

/// Whether a thing, as it is at the moment of a change, is the one its editor saw; `None` when any will do.
pub type Expected<'a, T> = Option<&'a dyn Fn(&T) -> bool>;

impl<T> Change<T> {
    /// What speaks against changing a thing that is held: that it is not there, or not what is expected.
    pub(crate) fn against<C>(held: Option<&C>, expected: Expected<'_, C>) -> Option<Self> {
        match (held, expected) {
            (None, _) => Some(Self::Absent),
            (Some(held), Some(fits)) if !fits(held) => Some(Self::Outdated),
            _ => None,
        }
    }

    /// The change, when there was something to change.
    pub(crate) fn found(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Made)
    }

    /// The same, with what was made turned into something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Made(value) => Change::Made(turn(value)),
            Self::Forbidden => Change::Forbidden,
            Self::Absent => Change::Absent,
            Self::Outdated => Change::Outdated,
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
            Self::Outdated => Err(Error::new(Code::PreconditionFailed, format!("{noun} has changed meanwhile"))),
            Self::Refused(code, text) => Err(Error::new(code, text)),
        }
    }
}

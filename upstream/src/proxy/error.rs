//! Why a call has no answer.

use std::{error::Error, time::Duration};

use super::target::Refused;

/// Why a call has no answer.
#[derive(Debug)]
pub enum Failure<E> {
    /// The path is not passed on; nothing was sent.
    Path(Refused),
    /// The service keeps failing and is left alone for so long; nothing was sent.
    Open(Duration),
    /// There are too many calls to it at the same time; nothing was sent.
    Busy,
    /// It did not answer in time.
    Timeout,
    /// It could not be reached, or the connection broke; the causes are for the log.
    Unreachable(String),
    /// It answered something that cannot be passed on.
    Nonsense(&'static str),
    /// The request's body could not be sent.
    Sending(E),
}

impl<E> Failure<E> {
    pub(super) fn from_reqwest(error: reqwest::Error) -> Self {
        // The address has the caller's path and query, which no log should have.
        let error = error.without_url();
        let mut causes = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            causes = format!("{causes}: {cause}");
            next = cause.source();
        }
        Self::Unreachable(causes)
    }
}

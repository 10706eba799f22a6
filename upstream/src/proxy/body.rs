//! Bodies on their way: bounded, never more than a piece or two in memory, and never mistaken for complete when they were cut off.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt, stream};
use reqwest::{Body, Response};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::{Instant, Sleep, sleep, sleep_until},
};

/// A piece of a body.
pub type Piece = bytes::Bytes;

/// Pieces that may wait to be taken.
const WAITING_MAX: usize = 1;

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Nothing came for too long.
    #[error("nothing came for too long")]
    Silent,
    /// It took too long as a whole.
    #[error("it took too long")]
    Late,
    /// It is larger than may be passed on.
    #[error("it is too large")]
    TooLarge,
    /// The sender gave up.
    #[error("it was given up")]
    GivenUp,
    /// The connection broke.
    #[error("the connection broke")]
    Connection(#[source] reqwest::Error),
}

/// The service takes no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

enum Sent {
    Piece(Piece),
    End,
}

/// Where the pieces of a request's body are put in.
pub struct Sender(mpsc::Sender<Sent>);

impl Sender {
    /// Hands on a piece, as soon as the service has taken the ones before.
    ///
    /// # Errors
    /// When the service takes no more.
    pub async fn send(&self, piece: Piece) -> Result<(), Closed> {
        // A piece without bytes is nothing to send, and would be the end to some.
        if piece.is_empty() { Ok(()) } else { self.0.send(Sent::Piece(piece)).await.map_err(|_| Closed) }
    }

    /// Says that this was all. Without it the body counts as cut off.
    ///
    /// # Errors
    /// When the service takes no more.
    pub async fn finish(self) -> Result<(), Closed> {
        self.0.send(Sent::End).await.map_err(|_| Closed)
    }
}

/// A request's body on its way.
pub struct Upload {
    pub(super) length: Option<u64>,
    pieces: mpsc::Receiver<Sent>,
}

/// A request's body, of a length that may be known.
#[must_use]
pub fn upload(length: Option<u64>) -> (Sender, Upload) {
    let (sender, pieces) = mpsc::channel(WAITING_MAX);
    (Sender(sender), Upload { length, pieces })
}

impl From<Upload> for Body {
    fn from(upload: Upload) -> Self {
        let pieces = stream::unfold(Some(upload.pieces), async |pieces| {
            let mut pieces = pieces?;
            match pieces.recv().await {
                Some(Sent::Piece(piece)) => Some((Ok(piece), Some(pieces))),
                Some(Sent::End) => None,
                None => Some((Err(Broken::GivenUp), None)),
            }
        });
        Self::wrap_stream(pieces)
    }
}

/// An answer's body. It is read no faster than it is asked for; time counts as silence only while somebody waits for the service.
pub struct AnswerBody {
    pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Piece>> + Send>>,
    left: u64,
    silence: Duration,
    quiet: Option<Pin<Box<Sleep>>>,
    late: Pin<Box<Sleep>>,
    /// The call's place among those at the same time.
    _place: OwnedSemaphorePermit,
}

impl AnswerBody {
    pub(super) fn new(answer: Response, bytes_max: u64, silence: Duration, deadline: Instant, place: OwnedSemaphorePermit) -> Self {
        let pieces = answer.bytes_stream().filter(|piece| std::future::ready(piece.as_ref().map_or(true, |piece| !piece.is_empty())));
        Self { pieces: Box::pin(pieces), left: bytes_max, silence, quiet: None, late: Box::pin(sleep_until(deadline)), _place: place }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Piece, Broken>>> {
        if self.late.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(Broken::Late)));
        }
        let piece = match self.pieces.as_mut().poll_next(context) {
            Poll::Ready(piece) => piece,
            Poll::Pending => {
                let silence = self.silence;
                let quiet = self.quiet.get_or_insert_with(|| Box::pin(sleep(silence)));
                return quiet.as_mut().poll(context).map(|()| Some(Err(Broken::Silent)));
            }
        };
        self.quiet = None;
        Poll::Ready(match piece {
            None => None,
            Some(Err(error)) => Some(Err(Broken::Connection(error.without_url()))),
            Some(Ok(piece)) => {
                let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                match self.left.checked_sub(size) {
                    Some(left) => {
                        self.left = left;
                        Some(Ok(piece))
                    }
                    None => Some(Err(Broken::TooLarge)),
                }
            }
        })
    }
}

impl Stream for AnswerBody {
    type Item = Result<Piece, Broken>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().next(context)
    }
}

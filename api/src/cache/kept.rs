//! An answer that is kept, with its compressed forms, which are made when they are first asked for.

use std::sync::{Mutex, PoisonError};

use actix_http::{ResponseHead, encoding::Encoder};
use actix_web::{
    body,
    http::{
        StatusCode,
        header::{ContentEncoding, HeaderValue},
    },
};
use bytes::Bytes;
use domain::{Error, Result};
use persistence::revocations::Moment;
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::{conditional::Tag, respond::Json};

/// What an entry takes beside its bytes, at most.
const OVERHEAD: usize = 1024;

/// The body of a 200 with its media type.
pub struct Made {
    /// The media type.
    pub content_type: HeaderValue,
    /// The body.
    pub body: Bytes,
}

/// An answer that depends on nothing but what it is made of: neither on the request nor on who reads it.
pub trait Keep {
    /// Makes its bytes.
    ///
    /// # Errors
    /// What the handler answers instead; it is not kept.
    fn keep(self) -> Result<Made>;
}

impl<T: Serialize> Keep for Json<T> {
    fn keep(self) -> Result<Made> {
        let body = serde_json::to_vec(&self.0).map_err(Error::internal)?.into();
        Ok(Made { content_type: HeaderValue::from_static("application/json"), body })
    }
}

impl<T: Keep> Keep for Result<T> {
    fn keep(self) -> Result<Made> {
        self.and_then(Keep::keep)
    }
}

/// An answer that is kept.
pub(super) struct Kept {
    made: Made,
    /// The moment before what it is made of was read.
    pub(super) read: Moment,
    /// The tag of the body as it is.
    pub(super) tag: Tag,
    coded: [OnceCell<Bytes>; 4],
    /// When making a new one last failed.
    failed: Mutex<Option<Moment>>,
}

impl Kept {
    pub(super) fn new(made: Made, read: Moment) -> Self {
        let tag = Tag::of(&made.body);
        Self { made, read, tag, coded: [const { OnceCell::const_new() }; 4], failed: Mutex::default() }
    }

    pub(super) fn content_type(&self) -> HeaderValue {
        self.made.content_type.clone()
    }

    /// The body in this coding.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when it cannot be compressed.
    pub(super) async fn body(&self, coding: ContentEncoding) -> Result<Bytes> {
        match self.coded.get(place(coding)) {
            Some(coded) if coding != ContentEncoding::Identity => {
                coded.get_or_try_init(|| encode(self.made.body.clone(), coding)).await.cloned()
            }
            _ => Ok(self.made.body.clone()),
        }
    }

    /// What it may come to take, with all its forms: a compressed one is never much larger than the body.
    pub(super) fn weight(&self, key: &str) -> u32 {
        let forms = 1 + self.coded.len();
        u32::try_from(self.made.body.len().saturating_mul(forms).saturating_add(key.len() * 2 + OVERHEAD)).unwrap_or(u32::MAX)
    }

    /// When making a new one last failed.
    pub(super) fn failed(&self) -> Option<Moment> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that making a new one failed.
    pub(super) fn fail(&self, now: Moment) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

/// The path within a key.
pub(super) fn path_of(key: &str) -> &str {
    if key.starts_with('/') { key } else { key.split_once(' ').map_or(key, |(_, path)| path) }
}

/// Where the form of a coding stands; the body itself has no place.
fn place(coding: ContentEncoding) -> usize {
    match coding {
        ContentEncoding::Brotli => 0,
        ContentEncoding::Gzip => 1,
        ContentEncoding::Deflate => 2,
        ContentEncoding::Zstd => 3,
        _ => usize::MAX,
    }
}

/// Compresses as the compression around all other answers does; it does not touch what is compressed already.
async fn encode(body: Bytes, coding: ContentEncoding) -> Result<Bytes> {
    let encoder = Encoder::response(coding, &mut ResponseHead::new(StatusCode::OK), body);
    body::to_bytes(encoder).await.map_err(|error| Error::internal(error.to_string()))
}

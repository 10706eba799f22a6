//! Lists that are read to their end: batch by batch, one ahead of the client, and with no connection held while the client reads.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{
        Method, Version,
        header::{self, ContentEncoding, HeaderValue},
    },
};
use bytes::Bytes;
use domain::{
    Code, Error, Result,
    page::{Cursor, Page},
};
use futures::stream;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::{sync::mpsc, task::JoinHandle};

use super::Listed;
use crate::{
    describe::{Describe, Operation},
    server::Lifeline,
};

/// The media type of NDJSON: one JSON value a line.
pub const NDJSON: &str = "application/x-ndjson";
/// The media type of CSV (RFC 4180).
pub const CSV: &str = "text/csv";

/// How many bytes are handed to the connection at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// How long to wait before what failed is tried again.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(600), Duration::from_secs(2)];

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON value a line.
    Ndjson,
    /// A table whose first line names the columns.
    Csv,
}

impl Format {
    fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => NDJSON,
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// What one reading brought.
pub struct Batch<P> {
    /// As it is sent.
    pub bytes: Bytes,
    /// Where to read on, if there may be more.
    pub next: Option<P>,
}

/// A whole list, sent as fast as the client takes it. One that breaks off ends without the final chunk (over HTTP/1.0, in a reset), so that
/// the client can tell it from one that is complete.
pub struct Exported {
    name: &'static str,
    format: Format,
    first: Bytes,
    rest: Option<Rest>,
}

/// What is read behind the first batch. `None` among the batches is the end: without it something went wrong.
struct Rest {
    batches: mpsc::Receiver<Result<Option<Bytes>>>,
    reading: JoinHandle<()>,
}

impl Drop for Rest {
    fn drop(&mut self) {
        // The client is gone, or will get no more: what is being read would hold its connection to the end.
        self.reading.abort();
    }
}

impl Exported {
    /// Begins at a place. The first batch is read at once, so that what fails then is an ordinary error. `name` is that of the file.
    ///
    /// # Errors
    /// Those of the first batch.
    pub async fn begin<P: Copy + 'static>(
        name: &'static str,
        format: Format,
        from: P,
        read: impl AsyncFn(P) -> Result<Batch<P>> + 'static,
    ) -> Result<Self> {
        let Batch { bytes, next } = read(from).await?;
        let rest = next.map(|next| {
            let (out, batches) = mpsc::channel(1);
            Rest { batches, reading: actix_web::rt::spawn(read_ahead(next, read, out)) }
        });
        Ok(Self { name, format, first: bytes, rest })
    }
}

/// Reads a batch whenever the client has begun to take the one before, whether or not it goes on taking it: so no query waits for it.
async fn read_ahead<P: Copy>(from: P, read: impl AsyncFn(P) -> Result<Batch<P>>, out: mpsc::Sender<Result<Option<Bytes>>>) {
    let mut place = Some(from);
    while let Ok(permit) = out.reserve().await {
        let Some(from) = place else { return permit.send(Ok(None)) };
        match persist(from, &read).await {
            Ok(batch) => {
                place = batch.next;
                permit.send(Ok(Some(batch.bytes)));
            }
            Err(error) => {
                log::warn!("an export broke off: {error}: {}", error.causes());
                return permit.send(Err(error));
            }
        }
    }
}

/// Reads a batch, and again after a pause when the database is busy or away: what was sent so far need not be in vain.
async fn persist<P: Copy>(from: P, read: &impl AsyncFn(P) -> Result<Batch<P>>) -> Result<Batch<P>> {
    for pause in PAUSES {
        match read(from).await {
            Err(error) if error.code() == Code::Unavailable => {
                log::debug!("an export waits: {}", error.causes());
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
    read(from).await
}

/// What is being sent.
struct Sending {
    now: Bytes,
    rest: Option<Rest>,
    /// The connection, where only a reset can say that this broke off.
    reset: Option<Arc<Lifeline>>,
}

impl Sending {
    /// The next bytes; never none of them, as an empty chunk would be the end.
    async fn chunk(&mut self) -> Option<Result<Bytes>> {
        while self.now.is_empty() {
            match self.rest.as_mut()?.batches.recv().await {
                Some(Ok(Some(bytes))) => self.now = bytes,
                Some(Ok(None)) => self.rest = None,
                Some(Err(error)) => return Some(Err(self.broken(error))),
                None => return Some(Err(self.broken(Error::internal("an export was not read to its end")))),
            }
        }
        let size = self.now.len().min(CHUNK_BYTES);
        Some(Ok(self.now.split_to(size)))
    }

    fn broken(&self, error: Error) -> Error {
        if let Some(connection) = &self.reset {
            connection.end_in_reset();
        }
        error
    }
}

impl Responder for Exported {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response
            .content_type(self.format.content_type())
            .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.{}\"", self.name, self.format.extension())))
            .append_header((header::VARY, HeaderValue::from_static("accept")));
        if request.method() == Method::HEAD {
            // actix would read a body to its end, to send nothing of it.
            return response.streaming(stream::empty::<Result<Bytes>>());
        }
        let chunked = request.version() > Version::HTTP_10;
        let reset = if chunked { None } else { Lifeline::of(request) };
        let sending = Sending { now: self.first, rest: self.rest, reset };
        let sending = stream::unfold(sending, async |mut sending| sending.chunk().await.map(|chunk| (chunk, sending)));
        if chunked {
            return response.streaming(sending);
        }
        // The compressor would have it chunked again.
        let mut response = response.force_close().insert_header(ContentEncoding::Identity).streaming(sending);
        response.head_mut().no_chunking(true);
        response
    }
}

/// A page of a list as JSON, or all of it as NDJSON.
pub enum ListedOr<T> {
    /// A page.
    Page(Listed<T>),
    /// All of it.
    Export(Exported),
}

/// Begins the export of a list that is read by pages, behind an item or at the top.
///
/// # Errors
/// Those of the first page.
pub async fn export_pages<T: Serialize>(
    name: &'static str,
    from: Option<Cursor>,
    read: impl AsyncFn(Option<Cursor>) -> Result<Page<T>> + 'static,
) -> Result<Exported> {
    let batch = async move |after| {
        let page = read(after).await?;
        Ok(Batch { bytes: lines(&page.items)?, next: page.next.map(Some) })
    };
    Exported::begin(name, Format::Ndjson, from, batch).await
}

fn lines<T: Serialize>(items: &[T]) -> Result<Bytes> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, item).map_err(Error::internal)?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

impl<T: Serialize> Responder for ListedOr<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Page(page) => {
                let mut response = page.respond_to(request);
                response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
                response
            }
            Self::Export(export) => export.respond_to(request),
        }
    }
}

impl<T: JsonSchema> Describe for ListedOr<T> {
    fn describe(operation: &mut Operation<'_>) {
        Listed::<T>::describe(operation);
        let schema = operation.output::<T>();
        operation.answers_as(200, NDJSON, &schema);
        operation.notes.push(format!("With `Accept: {NDJSON}` all of it from the cursor on, one item a line."));
    }
}

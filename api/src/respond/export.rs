//! Lists that are read to their end as NDJSON: one JSON value a line.

use std::pin::Pin;

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody};
use bytes::Bytes;
use domain::{
    Error, Result,
    page::{Cursor, Page},
};
use futures::{Stream, StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;

use super::Listed;
use crate::describe::{Describe, Operation};

/// The media type of NDJSON.
pub const NDJSON: &str = "application/x-ndjson";

type Lines = Pin<Box<dyn Stream<Item = Result<Bytes>>>>;

/// A list as NDJSON, read batch by batch as fast as the client takes it. One that breaks off ends without the final chunk, so that the
/// client can tell it from one that is complete.
pub struct Exported(Lines);

impl Exported {
    /// Begins behind an item, or at the top. The first batch is read at once, so that what fails then is an ordinary error.
    ///
    /// # Errors
    /// Those of the first batch.
    pub async fn begin<T: Serialize + 'static>(
        from: Option<Cursor>,
        read: impl AsyncFn(Option<Cursor>) -> Result<Page<T>> + 'static,
    ) -> Result<Self> {
        let batch = async move |after| {
            let page = read(after).await?;
            Ok::<_, Error>((lines(&page.items)?, page.next))
        };
        let (first, next) = batch(from).await?;
        let rest = stream::unfold((next, batch), async |(after, batch)| {
            let (lines, next) = match batch(Some(after?)).await {
                Ok((lines, next)) => (Ok(lines), next),
                Err(error) => {
                    log::warn!("an export broke off: {error}: {}", error.causes());
                    (Err(error), None)
                }
            };
            Some((lines, (next, batch)))
        });
        Ok(Self(Box::pin(stream::iter([Ok(first)]).chain(rest))))
    }
}

fn lines<T: Serialize>(items: &[T]) -> Result<Bytes> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, item).map_err(Error::internal)?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

/// A page of a list as JSON, or all of it as NDJSON.
pub enum ListedOr<T> {
    /// A page.
    Page(Listed<T>),
    /// All of it.
    Export(Exported),
}

impl<T: Serialize> Responder for ListedOr<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = match self {
            Self::Page(page) => page.respond_to(request),
            // An empty batch is no line, and an empty chunk would be the end.
            Self::Export(Exported(lines)) => HttpResponse::Ok()
                .content_type(NDJSON)
                .streaming(lines.filter(|batch| std::future::ready(batch.as_ref().map_or(true, |lines| !lines.is_empty())))),
        };
        response.headers_mut().append(actix_web::http::header::VARY, actix_web::http::header::HeaderValue::from_static("accept"));
        response
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

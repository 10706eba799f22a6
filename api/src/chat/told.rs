//! The model's words on their way to the client: as plain text, or as events.

use std::{pin::Pin, sync::Arc, task::Poll, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::header::{CACHE_CONTROL, ContentEncoding, VARY},
    web::Bytes,
};
use domain::{
    Error, ErrorBody, Result,
    chat::{Delta, Done, Outcome, Tokens},
};
use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use serde_json::json;
use tokio::{task::yield_now, time::sleep};
use upstream::chat::{Answer, End, Piece};

use super::{Meter, failed};
use crate::{
    describe::{Describe, Operation},
    server::Lifeline,
};

const TEXT: &str = "text/plain";
const EVENTS: &str = "text/event-stream";
/// What a whole stream of events looks like.
const EVENTS_PATTERN: &str = r"^(event: (delta|usage|done|error)\ndata: [^\n]*\n\n|:\n\n)*$";

/// How the words are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they are.
    Text,
    /// As server-sent events, with a sign of life when there was nothing else for so long.
    Events(Duration),
}

/// An answer that is being told. The model is asked for more only when the client has taken what there was.
pub(crate) struct Telling {
    pub(crate) answer: Answer,
    pub(crate) meter: Meter,
    pub(crate) form: Form,
    /// The id of the request, for errors and the log.
    pub(crate) request_id: String,
    over: bool,
}

impl Telling {
    pub(crate) fn new(answer: Answer, meter: Meter, form: Form, request_id: String) -> Self {
        Self { answer, meter, form, request_id, over: false }
    }

    async fn next(&mut self) -> Option<Result<Bytes>> {
        if self.over {
            return None;
        }
        let piece = match self.form {
            Form::Text => self.answer.next().await,
            Form::Events(heartbeat) => tokio::select! {
                biased;
                piece = self.answer.next() => piece,
                () = sleep(heartbeat) => return Some(Ok(Bytes::from_static(b":\n\n"))),
            },
        };
        self.meter.told(self.answer.usage());
        match piece {
            Piece::Words(words) => {
                self.meter.count(&words);
                Some(match self.form {
                    Form::Text => Ok(words.text.into()),
                    Form::Events(_) => event("delta", &Delta { content: &words.text }),
                })
            }
            Piece::End(end) => {
                self.over = true;
                if end.is_err() && self.form == Form::Text {
                    // Nothing is written any more after an error: what was said goes out first.
                    yield_now().await;
                }
                self.end(end)
            }
        }
    }

    fn end(&mut self, end: Result<End, upstream::chat::Error>) -> Option<Result<Bytes>> {
        self.meter.end(if end.is_ok() { Outcome::Done } else { Outcome::Failed });
        match (end, self.form) {
            (Ok(_), Form::Text) => None,
            (Ok(end), Form::Events(_)) => {
                let usage = event("usage", &self.meter.tokens());
                let done = event("done", &Done { finish_reason: end.finish_reason.as_deref() });
                Some(usage.and_then(|usage| Ok([usage, done?].concat().into())))
            }
            (Err(error), form) => {
                let error = failed(error);
                log::warn!("an answer of the model broke off, request {}: {}", self.request_id, error.causes());
                Some(match form {
                    // The connection is closed without the final chunk.
                    Form::Text => Err(error),
                    Form::Events(_) => event("error", &error.body(&self.request_id)),
                })
            }
        }
    }
}

fn event(name: &str, data: &impl Serialize) -> Result<Bytes> {
    let mut event = format!("event: {name}\ndata: ").into_bytes();
    serde_json::to_writer(&mut event, data).map_err(Error::internal)?;
    event.extend_from_slice(b"\n\n");
    Ok(event.into())
}

/// 200 with the model's words as they come.
pub struct Told(pub(crate) Telling);

impl Responder for Told {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let kind = match self.0.form {
            Form::Text => "text/plain; charset=utf-8",
            Form::Events(_) => EVENTS,
        };
        let words = stream::unfold(self.0, async |mut telling| {
            let piece = telling.next().await?;
            Some((piece, telling))
        });
        HttpResponse::Ok()
            .content_type(kind)
            .insert_header((VARY, "accept"))
            // Whoever stands between must neither gather words nor pack them; packing them here would take a coder's memory per answer.
            .insert_header(("x-accel-buffering", "no"))
            .insert_header((CACHE_CONTROL, "no-store, no-transform"))
            .insert_header(ContentEncoding::Identity)
            .streaming(until_left(words.boxed_local(), Lifeline::of(request)))
    }
}

/// Ends when the client closes its side: actix looks at the body whenever the connection has news, and then goes on to write all the same.
fn until_left(words: Pin<Box<dyn Stream<Item = Result<Bytes>>>>, lifeline: Option<Arc<Lifeline>>) -> impl Stream<Item = Result<Bytes>> {
    let mut words = Some(words);
    stream::poll_fn(move |context| {
        let Some(stream) = words.as_mut() else { return Poll::Ready(None) };
        let polled = stream.as_mut().poll_next(context);
        if polled.is_pending()
            && let Some(lifeline) = lifeline.as_ref().filter(|lifeline| lifeline.has_left())
        {
            words = None;
            // Nobody is to take what came so far for the whole.
            lifeline.cut();
            return Poll::Ready(None);
        }
        polled
    })
}

impl Describe for Told {
    fn describe(operation: &mut Operation<'_>) {
        let data = [
            ("delta", operation.output::<Delta<'_>>()),
            ("usage", operation.output::<Tokens>()),
            ("done", operation.output::<Done<'_>>()),
            ("error", operation.output::<ErrorBody<'_>>()),
        ];
        let data: serde_json::Map<_, _> = data.map(|(name, schema)| (name.to_owned(), schema)).into_iter().collect();
        operation.answers(200, "The model's words, as they come", None);
        operation.answers_as(200, TEXT, &json!({ "type": "string" }));
        operation.answers_as(200, EVENTS, &json!({ "type": "string", "pattern": EVENTS_PATTERN, "x-events": data }));
        operation.notes.push(format!(
            "With `Accept: {EVENTS}` as server-sent events: `delta` as often as there are words, then `usage` and `done`, or `error`; \
             the data of each is JSON, see `x-events`. Plain text that breaks off ends without the final chunk.",
        ));
    }
}

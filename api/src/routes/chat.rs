//! Questions to the language model, and what they took.

use actix_web::{HttpRequest, web::Data};
use auth::{Caller, Throttle, limits, scope};
use domain::{
    ChatId, Code, Error, Result,
    chat::{Period, Question, Usage},
};
use futures::{TryFutureExt, future::try_join};
use persistence::{Db, chat_usage};
use upstream::chat::Message;

use crate::{
    chat::{Chat, Form, Telling, Told, failed},
    extract::{Accepts, Body, Query},
    middleware::request_id_of,
    respond::Json,
    server::Lifeline,
};

/// Asks the model. What goes wrong before its first word is an ordinary error.
///
/// # Errors
/// `VALIDATION_ERROR`, `RATE_LIMITED` when the tokens of the day are used, `NOT_CONFIGURED`, `UPSTREAM_ERROR`, `UPSTREAM_TIMEOUT`.
pub async fn create(
    caller: Caller<scope::Chat>,
    _: Throttle<limits::Chat>,
    Body(question): Body<Question>,
    accepts: Accepts,
    db: Data<Db>,
    chat: Data<Chat>,
    request: HttpRequest,
) -> Result<Told> {
    let model = chat.model()?;
    chat.admit(&db, caller.user).await?;
    let messages: Vec<Message<'_>> =
        question.conversation().map(|(speaker, content)| Message { role: speaker.as_str(), content }).collect();
    let id = ChatId::new();
    let meter = chat.meter(id, &messages);
    // The row is there before a word goes out, and costs no time: the model takes longer.
    let begun = chat_usage::begin(&db, id, caller.user, model.name(), meter.guessed_prompt()).map_err(Error::from);
    let asked = async { Ok(model.ask(&messages).await) };
    let ((), answer) = tokio::select! {
        biased;
        answered = try_join(begun, asked) => answered?,
        () = Lifeline::left(&request) => return Err(Error::new(Code::RequestTimeout, "The client left")),
    };
    let form = match accepts.best(&[("text/plain", false), ("text/event-stream", true)]) {
        Some(true) => Form::Events(chat.heartbeat()),
        // Who accepts neither gets text, as from the article's handler.
        _ => Form::Text,
    };
    match answer {
        Ok(answer) => Ok(Told(Telling::new(answer, meter, form, request_id_of(&request)))),
        Err(error) => {
            meter.fail(&error);
            Err(failed(error))
        }
    }
}

/// Shows what the caller's questions took, by day.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn usage(caller: Caller<scope::Chat>, Query(period): Query<Period>, db: Data<Db>, chat: Data<Chat>) -> Result<Json<Usage>> {
    Ok(Json(chat.usage(&db, caller.user, period.days).await?))
}

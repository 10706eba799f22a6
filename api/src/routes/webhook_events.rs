//! The webhook inbox, for operators.

use std::sync::Arc;

use actix_web::web::Data;
use auth::{Admin, Require};
use domain::{
    Details, Error, Result, WebhookEventId,
    webhook::{Detail, Event, Filter, Replay, Replayed},
};
use persistence::{Db, Due, inbox};

use crate::{
    extract::{Body, List, Path},
    respond::{Json, Listed, Resource},
};

/// Lists events, newest first.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn list(_: Require<Admin>, List(filter, window): List<Filter>, db: Data<Db>) -> Result<Listed<Event>> {
    let page = inbox::list(&db, &filter, &window).await?;
    Ok(Listed { page, window })
}

/// Shows an event with what was sent.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn show(_: Require<Admin>, Path(id): Path<WebhookEventId>, db: Data<Db>) -> Result<Resource<Detail>> {
    inbox::find(&db, id).await?.map(Resource).ok_or_else(absent)
}

/// Has an event processed again.
///
/// # Errors
/// `NOT_FOUND`, also when its body is no longer kept.
pub async fn replay(_: Require<Admin>, Path(id): Path<WebhookEventId>, db: Data<Db>, due: Data<Arc<Due>>) -> Result<Json<Event>> {
    let event = inbox::replay(&db, id).await?.ok_or_else(absent)?;
    due.webhooks.notify_one();
    Ok(Json(event))
}

/// Has all events of a type that arrived within some time processed again.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn replay_many(_: Require<Admin>, db: Data<Db>, due: Data<Arc<Due>>, Body(which): Body<Replay>) -> Result<Json<Replayed>> {
    if which.until <= which.since {
        return Err(Error::invalid_body(Details::field("until", "Must be later than since")));
    }
    let replayed = inbox::replay_many(&db, &which).await?.try_into().unwrap_or(u64::MAX);
    due.webhooks.notify_one();
    Ok(Json(Replayed { replayed }))
}

fn absent() -> Error {
    Error::not_found("Event")
}

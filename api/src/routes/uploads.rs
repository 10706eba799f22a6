//! Files that users keep.

mod download;
mod intake;

use actix_web::{HttpRequest, rt, web::Data};
use auth::{Caller, scope};
use domain::{Code, Error, Result, Role, UploadId, upload::Upload};
use persistence::{
    Db, Tx,
    uploads::{self, Reader},
};

use crate::{
    conditional::IfMatch,
    extract::{Everything, List, Path},
    once::{Answered, Once},
    respond::{Created, DONE, Done, Json, Listed, Resource},
    uploads::{Deposit, Job, Uploads, failed},
};
use download::{Asked, Download};
use intake::Incoming;

/// Takes in a file.
///
/// # Errors
/// `QUOTA_EXCEEDED`, `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE` for what is no form or no file of the kinds that are taken.
pub async fn create(
    caller: Caller<scope::WriteUploads>,
    db: Data<Db>,
    uploads: Data<Uploads>,
    incoming: Incoming,
    once: Once,
) -> Result<Answered<Created<Upload>>> {
    let place = uploads.places.take(caller.user)?;
    if once.is_known(&db).await? {
        // What was kept already must neither be written again nor find the quota full of itself.
        incoming.receive(&uploads, None).await?;
        return once.before(&db).await?.ok_or_else(|| Error::unavailable("the idempotency key has just expired"));
    }
    let job = Job { db: db.clone(), store: uploads.store()?.clone(), user: caller.user, quota: uploads.quota, place };
    let mut deposit = Deposit::begin(job, incoming.bytes_min()).await?;
    let (whole, last) = incoming.receive(&uploads, Some(&mut deposit)).await?;
    let stored = deposit.finish(last, whole.size).await?;
    let effect = async |tx: &mut Tx<'_>| uploads::finish(tx, stored.id, &whole).await?.made("Upload");
    let answer = |upload: Upload| Created { location: format!("/api/uploads/{}", upload.id), body: upload };
    once.run_alone(&db, &caller.actor, effect, answer).await
}

/// Lists the caller's files.
///
/// # Errors
/// `UNAUTHORIZED`.
pub async fn list(caller: Caller<scope::ReadUploads>, List(_, window): List<Everything>, db: Data<Db>) -> Result<Listed<Upload>> {
    let page = uploads::list(&db, caller.user, &window).await?;
    Ok(Listed { page, window })
}

/// Sends a file's bytes, all or a range of them; administrators get everybody's.
///
/// # Errors
/// `NOT_FOUND`, `RANGE_NOT_SATISFIABLE`.
pub async fn show(
    caller: Caller<scope::ReadUploads>,
    Path(id): Path<UploadId>,
    db: Data<Db>,
    uploads: Data<Uploads>,
    request: HttpRequest,
) -> Result<Download> {
    let store = uploads.store()?;
    let upload = uploads::find(&db, id, reader(&caller)).await?.ok_or_else(absent)?;
    let asked = Asked::of(&request, &upload)?;
    let content = match asked.range(&upload) {
        Some(range) => match store.read(&worker::uploads::key(id), range).await {
            Ok(content) => Some(content),
            // It was deleted since it was looked up, or it is lost.
            Err(upstream::storage::Error::Absent(_)) if uploads::find(&db, id, reader(&caller)).await?.is_none() => return Err(absent()),
            Err(error) => return Err(failed(error)),
        },
        None => None,
    };
    Ok(Download { upload, asked, content })
}

/// Tells about a file.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn metadata(caller: Caller<scope::ReadUploads>, Path(id): Path<UploadId>, db: Data<Db>) -> Result<Resource<Upload>> {
    uploads::find(&db, id, reader(&caller)).await?.map(Resource).ok_or_else(absent)
}

/// Deletes a file; administrators delete everybody's. Downloads that have begun may go on to their end.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn delete(
    caller: Caller<scope::WriteUploads>,
    Path(id): Path<UploadId>,
    db: Data<Db>,
    uploads: Data<Uploads>,
    if_match: IfMatch,
) -> Result<Json<Done>> {
    // The bytes of a file never change, so that one look is enough.
    let file = uploads::find(&db, id, reader(&caller)).await?.ok_or_else(absent)?;
    if !if_match.names(&download::tag(&file)) {
        return Err(Error::new(Code::PreconditionFailed, "The file is another one"));
    }
    let gone = uploads::delete(&db, id, reader(&caller)).await?.ok_or_else(absent)?;
    if let Some(store) = uploads.store.clone() {
        // Not waited for: it is deleted, and a sweep removes what this cannot.
        rt::spawn(async move {
            if let Err(error) = worker::uploads::remove(&db, &store, &gone).await {
                log::warn!("file {id} is removed later: {error}");
            }
        });
    }
    Ok(DONE)
}

fn reader<S>(caller: &Caller<S>) -> Reader {
    match caller.role {
        Role::Admin => Reader::Admin,
        Role::User => Reader::Owner(caller.user),
    }
}

fn absent() -> Error {
    Error::not_found("Upload")
}

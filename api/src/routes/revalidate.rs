//! Purging what is kept of answers, in every process.

use actix_web::web::Data;
use auth::{Admin, Require};
use domain::{
    Error, Result,
    purge::{Purge, Revalidation},
};
use persistence::{Db, revocations::purge};

use crate::{
    cache::Cache,
    extract::Body,
    respond::{DONE, Done, Json},
};

/// Purges the answers with a tag, or those of a path.
///
/// # Errors
/// `VALIDATION_ERROR` for a path of which nothing is ever kept.
pub async fn revalidate(_: Require<Admin>, db: Data<Db>, cache: Data<Cache>, Body(given): Body<Revalidation>) -> Result<Json<Done>> {
    let name = match Purge::try_from(given)? {
        // Another version of the server, beside this one, may have other tags.
        Purge::Tag(tag) => tag,
        Purge::Path(path) if cache.has_path(&path) => path,
        Purge::Path(_) => return Err(Error::invalid_field("path", "No answers of this path are kept")),
    };
    purge(&db, &name).await?;
    Ok(DONE)
}

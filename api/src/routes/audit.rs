//! The audit log, of an organisation and of everything: a page at a time, or all of it as NDJSON.

use actix_web::web::Data;
use auth::{Admin, Org, Require, scope};
use domain::{
    Result,
    audit::{Event, Filter},
    page::{Page, Start, Window},
};
use persistence::{Db, audit, orgs};

use crate::{
    extract::{Accepts, List},
    respond::{Exported, Listed, ListedOr, NDJSON, export_pages},
};

/// How many events of an export are read at a time.
const BATCH: u32 = 500;

/// Lists the events of an organisation, newest first.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn of_org(
    org: Org<orgs::Admin, scope::ReadAudit>,
    List(filter, window): List<Filter>,
    accepts: Accepts,
    db: Data<Db>,
) -> Result<ListedOr<Event>> {
    if exports(&accepts) {
        let read = async move |window| Ok(audit::of_organisation(&db, &org.proof, &filter, &window).await?);
        return export(&window, read).await.map(ListedOr::Export);
    }
    let page = audit::of_organisation(&db, &org.proof, &filter, &window).await?;
    Ok(ListedOr::Page(Listed { page, window }))
}

/// Lists all events, newest first.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn everywhere(_: Require<Admin>, List(filter, window): List<Filter>, accepts: Accepts, db: Data<Db>) -> Result<ListedOr<Event>> {
    if exports(&accepts) {
        let read = async move |window| Ok(audit::everywhere(&db, &filter, &window).await?);
        return export(&window, read).await.map(ListedOr::Export);
    }
    let page = audit::everywhere(&db, &filter, &window).await?;
    Ok(ListedOr::Page(Listed { page, window }))
}

/// Whether all of it is wanted rather than a page.
fn exports(accepts: &Accepts) -> bool {
    accepts.best(&[("application/json", false), (NDJSON, true), ("application/ndjson", true)]) == Some(true)
}

/// Everything from the beginning of the window on.
async fn export(window: &Window, read: impl AsyncFn(Window) -> Result<Page<Event>> + 'static) -> Result<Exported> {
    let from = match window.start {
        Start::After(cursor) => cursor,
        Start::Page(_) => None,
    };
    export_pages("audit", from, async move |after| read(Window { start: Start::After(after), limit: BATCH }).await).await
}

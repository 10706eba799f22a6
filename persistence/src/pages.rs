//! Lists a page at a time: by number with a total, by cursor without.

use domain::page::{Cursor, Page, Start, Window};

use crate::{Db, Result, counted, page_offset};

/// What part of a list to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// How many rows at most.
    pub(crate) limit: i64,
    /// How many to pass over.
    pub(crate) offset: i64,
    /// Behind which row to begin.
    pub(crate) after: Option<Cursor>,
}

/// Reads the page of a window. `key` names the list, for its total, which is remembered a moment while it is large.
pub(crate) async fn read<R>(
    db: &Db,
    window: &Window,
    key: &str,
    rows: impl AsyncFn(Reach) -> Result<Vec<R>>,
    count: impl AsyncFn() -> Result<i64>,
    cursor: impl Fn(&R) -> Cursor,
) -> Result<Page<R>> {
    let limit = i64::from(window.limit);
    match window.start {
        Start::Page(page) => {
            let offset = page_offset(page, window.limit);
            let items = rows(Reach { limit, offset, after: None }).await?;
            let seen = i64::try_from(items.len()).unwrap_or(limit);
            let total = match db.totals.get(key) {
                Some(total) => total,
                // A first page that is not full, or a last one, tells the total by itself.
                None if seen < limit && (seen > 0 || offset == 0) => counted(db, key.to_owned(), offset + seen),
                None => counted(db, key.to_owned(), count().await?),
            };
            Ok(Page { items, total: Some(total), next: None })
        }
        Start::After(after) => {
            let items = rows(Reach { limit: limit + 1, offset: 0, after }).await?;
            Ok(Page::after(items, window.limit, cursor))
        }
    }
}

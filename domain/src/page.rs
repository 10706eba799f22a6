//! Paging: by page number where a list is short, by keyset cursor where it can grow without bound.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The last page that can be asked for by number: beyond it `OFFSET` gets slow, and a cursor does not.
pub const PAGE_MAX: u32 = 10_000;
/// The most items a page holds.
pub const LIMIT_MAX: u32 = 100;

/// Where in a list to read, and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Where to begin.
    pub start: Start,
    /// How many items at most, 1 to [`LIMIT_MAX`].
    pub limit: u32,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At this page, counted from 1.
    Page(u32),
    /// Behind this item; `None` is the top of the list.
    After(Option<Cursor>),
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// How many items all pages hold; not counted when reading by cursor, which costs the same however long the list is.
    pub total: Option<u64>,
    /// Where the next page begins, when reading by cursor and there is one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same page with every item turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), total: self.total, next: self.next }
    }

    /// A page read by cursor: `items` holds one item more than `limit` when there is a next page.
    #[must_use]
    pub fn after(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> Cursor) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = more.then(|| items.last().map(key)).flatten();
        Self { items, total: None, next }
    }
}

/// A place in a list: the sort key of the item before it. Opaque to clients, but no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The id of the item before.
    pub id: Uuid,
    /// Its time, where the list is sorted by a time that is not part of the id.
    pub at: Option<DateTime<Utc>>,
}

impl Cursor {
    /// The text for the `cursor` parameter: 22 or 33 characters of URL-safe base64.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = self.id.as_bytes().to_vec();
        if let Some(at) = self.at {
            bytes.extend(at.timestamp_micros().to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Cursor::encode`] wrote; anything else is `None`.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let at = match rest {
            [] => None,
            _ => Some(DateTime::from_timestamp_micros(i64::from_be_bytes(rest.try_into().ok()?))?),
        };
        Some(Self { id: Uuid::from_bytes(*id), at })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_the_round_trip(id in any::<u128>(), micros in prop::option::of(-4_000_000_000_000_000_i64..4_000_000_000_000_000)) {
            let cursor = Cursor { id: Uuid::from_u128(id), at: micros.and_then(DateTime::from_timestamp_micros) };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in ".{0,60}") {
            if let Some(cursor) = Cursor::decode(&text) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }

        #[test]
        fn a_page_never_holds_more_than_its_limit(count in 0_u32..50, limit in 1_u32..50) {
            let ids: Vec<u32> = (0..count).collect();
            let page = Page::after(ids, limit, |id| Cursor { id: Uuid::from_u128(u128::from(*id)), at: None });
            prop_assert!(page.items.len() <= usize::try_from(limit).unwrap_or(0));
            prop_assert_eq!(page.next.is_some(), count > limit);
        }
    }
}

//! Full-text search over posts: the answer's shape and the highlighting of its snippets.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::id::{PostId, UserId};

/// What a search found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// The words asked for.
    pub query: String,
    /// This page, from 1.
    pub page: u32,
    /// The most results on a page.
    pub limit: u32,
    /// The tags asked for; a result carries all of them.
    pub tags: Vec<String>,
    /// How many results all pages hold.
    pub total: u64,
    /// This page's results, best first.
    pub results: Vec<Hit>,
}

/// A post that was found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// The post.
    pub id: PostId,
    /// Its author.
    pub author_id: UserId,
    /// Its title.
    pub title: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// How well it fits; only the order means something.
    pub rank: f32,
    /// The passage that fits, as HTML: everything is escaped but the `<mark>` around each hit.
    pub snippet: String,
}

/// Stands before a hit in a raw snippet: a private-use character, as a tag would be lost in the escaping.
pub const MARK_START: char = '\u{E000}';
/// Stands behind a hit in a raw snippet.
pub const MARK_STOP: char = '\u{E001}';

/// Escapes a raw snippet for HTML and turns its marks into `<mark>` elements, always balanced.
#[must_use]
pub fn highlight(raw: &str) -> String {
    let mut html = String::with_capacity(raw.len() + 32);
    let mut open = false;
    for character in raw.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            MARK_START if !open => {
                html.push_str("<mark>");
                open = true;
            }
            MARK_STOP if open => {
                html.push_str("</mark>");
                open = false;
            }
            MARK_START | MARK_STOP => {}
            other => html.push(other),
        }
    }
    if open {
        html.push_str("</mark>");
    }
    html
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_marks_become_markup() {
        let raw = format!("<b>a</b> {MARK_START}b&c{MARK_STOP} \"d\" {MARK_STOP}{MARK_START}e");
        assert_eq!(highlight(&raw), "&lt;b&gt;a&lt;/b&gt; <mark>b&amp;c</mark> &quot;d&quot; <mark>e</mark>");
    }

    proptest! {
        #[test]
        fn marks_are_balanced_and_nothing_else_is_markup(raw in "[a<>&\u{E000}\u{E001}]{0,40}") {
            let html = highlight(&raw);
            prop_assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
            let rest = html.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!rest.contains('<') && !rest.contains('>'));
        }
    }
}

//! Posts: what users write, and the inputs that make and change them.

mod borrowed;

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{PostId, UserId},
    text::{LINE, PROSE, present},
};
pub use borrowed::PostRef;

/// The longest title, in characters.
pub const TITLE_MAX: usize = 200;

/// Something a user wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// The id.
    pub id: PostId,
    /// Who wrote it.
    pub author_id: UserId,
    /// The title.
    pub title: String,
    /// The text, as it was given: plain text or Markdown.
    pub content: String,
    /// The tags, each once, in the order given.
    pub tags: Vec<String>,
    /// The name of the file the text came from, if it came as one.
    pub file_name: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Tags as they come in: up to 20, of 1 to 50 characters each.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[garde(transparent)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Tags(#[garde(length(max = 20), inner(length(chars, min = 1, max = 50), pattern(LINE)))] Vec<String>);

impl Tags {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tags, each once, in the order of their first appearance.
    #[must_use]
    pub fn distinct(&self) -> Vec<&str> {
        let mut kept: Vec<&str> = Vec::with_capacity(self.0.len());
        for tag in &self.0 {
            if !kept.contains(&tag.as_str()) {
                kept.push(tag);
            }
        }
        kept
    }
}

impl From<Vec<String>> for Tags {
    fn from(tags: Vec<String>) -> Self {
        Self(tags)
    }
}

/// What a user gives to make a post.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewPost {
    /// The title.
    #[garde(length(chars, min = 1, max = 200), pattern(LINE))]
    pub title: String,
    /// The text: plain text or Markdown.
    #[garde(length(chars, min = 1, max = 100_000), pattern(PROSE))]
    pub content: String,
    /// The tags; doubled ones count once.
    #[serde(default)]
    #[garde(dive)]
    pub tags: Tags,
    /// The name of the file the text came from; only a form can give it.
    #[serde(skip)]
    #[garde(inner(length(chars, min = 1, max = 255), pattern(LINE)))]
    pub file_name: Option<String>,
}

impl NewPost {
    /// A post from bare text: the first heading, else the first line that is not blank, is the title.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self { title: title_of(&text), content: text, tags: Tags::default(), file_name: None }
    }
}

/// What its author changes of a post; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PostPatch {
    /// The title.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = 1, max = 200), pattern(LINE))]
    pub title: Option<String>,
    /// The text.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = 1, max = 100_000), pattern(PROSE))]
    pub content: Option<String>,
    /// The tags, all of them.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Tags")]
    #[garde(dive)]
    pub tags: Option<Tags>,
}

/// The order of a list of posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Sort {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// Most recently changed first.
    Updated,
}

/// Which posts to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this author.
    pub author: Option<UserId>,
    /// Only those that carry all of these tags.
    pub tags: Tags,
    /// In this order.
    pub sort: Sort,
}

/// The title of a bare text: the first ATX heading of Markdown, else the first line that is not blank,
/// without markup around it, cut to [`TITLE_MAX`] characters.
fn title_of(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let heading = text.lines().find_map(heading);
    let line = heading.or_else(|| lines.next()).unwrap_or_default();
    let shown = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    let title: String = shown.take(TITLE_MAX).collect();
    title.trim_end().to_owned()
}

/// The text of an ATX heading (`## Title ##`, CommonMark 4.2), if this line is one.
fn heading(line: &str) -> Option<&str> {
    let line = line.trim();
    let text = line.trim_start_matches('#');
    let depth = line.len() - text.len();
    if !(1..=6).contains(&depth) || !text.starts_with([' ', '\t']) {
        return None;
    }
    let text = text.trim();
    let bare = text.trim_end_matches('#');
    let text = if bare.is_empty() || bare.ends_with([' ', '\t']) { bare.trim_end() } else { text };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_heading_or_line_is_the_title() {
        for (text, title) in [
            ("# Hello\n\nworld", "Hello"),
            ("intro line\n\n## Closed ##\nx", "Closed"),
            ("\n\n  plain first line \nsecond", "plain first line"),
            ("#hashtag is no heading\nmore", "#hashtag is no heading"),
            ("# C#\nx", "C#"),
            ("####### seven is text", "####### seven is text"),
            ("a\tb", "a b"),
            ("", ""),
        ] {
            assert_eq!(title_of(text), title, "{text:?}");
        }
    }

    #[test]
    fn doubled_tags_count_once() {
        assert_eq!(Tags(vec!["b".into(), "a".into(), "b".into()]).distinct(), ["b", "a"]);
    }

    proptest! {
        #[test]
        fn any_prose_makes_a_valid_post(text in "[^\\x00]{0,400}") {
            let valid = !text.chars().all(|c| c <= ' ' || c == '\u{7f}');
            let post = NewPost::from_text(text);
            if valid {
                prop_assert!(post.title.chars().count() <= TITLE_MAX);
            }
            let _ = post.validate();
        }
    }
}

//! A post whose texts stay where they are: for lists that are too long to be held.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Post;
use crate::id::{PostId, UserId};

/// A [`Post`], borrowed; it looks the same on the wire.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostRef<'a> {
    /// The id.
    pub id: PostId,
    /// Who wrote it.
    pub author_id: UserId,
    /// The title.
    pub title: &'a str,
    /// The text, as it was given.
    pub content: &'a str,
    /// The tags, each once, in the order given.
    pub tags: Vec<&'a str>,
    /// The name of the file the text came from, if it came as one.
    pub file_name: Option<&'a str>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Post> for PostRef<'a> {
    fn from(post: &'a Post) -> Self {
        let Post { id, author_id, title, content, tags, file_name, created_at, updated_at } = post;
        Self {
            id: *id,
            author_id: *author_id,
            title,
            content,
            tags: tags.iter().map(String::as_str).collect(),
            file_name: file_name.as_deref(),
            created_at: *created_at,
            updated_at: *updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borrowed_and_owned_look_the_same() {
        let whole = Post {
            id: PostId::new(),
            author_id: UserId::new(),
            title: "A \"title\"".into(),
            content: "Wörter\n".into(),
            tags: vec!["a".into(), "b".into()],
            file_name: Some("notes.md".into()),
            created_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
            updated_at: DateTime::from_timestamp_micros(1_700_000_001_000_000).unwrap(),
        };
        for post in [Post { file_name: None, tags: vec![], ..whole.clone() }, whole] {
            assert_eq!(serde_json::to_string(&PostRef::from(&post)).unwrap(), serde_json::to_string(&post).unwrap());
        }
    }
}

//! Files that users keep: what is told of one, what is given to make one, and the name it may have.

use chrono::{DateTime, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::UploadId,
    text::{LINE, present},
};

/// The longest name of a file, in characters.
pub const FILE_NAME_MAX: usize = 255;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// The id.
    pub id: UploadId,
    /// What its owner calls it, if anything.
    pub name: Option<String>,
    /// The name it had where it came from, without folders.
    pub file_name: String,
    /// How large it is, in bytes.
    pub size: u64,
    /// What it is, judged by its bytes.
    pub content_type: String,
    /// The SHA-256 of its bytes, as 64 hexadecimal digits.
    pub sha256: String,
    /// When it came.
    pub created_at: DateTime<Utc>,
}

/// What is given beside a file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewUpload {
    /// What to call it.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = 1, max = 200), pattern(LINE))]
    pub name: Option<String>,
}

/// How much a user may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes in all.
    pub bytes: u64,
    /// Files.
    pub files: u32,
}

/// The name of a file as it is kept: the last segment of what may be a path, as old browsers send. `None` when nothing usable is left: it
/// would be empty, longer than [`FILE_NAME_MAX`], mean a folder, or hold characters that do not show or turn others round.
#[must_use]
pub fn file_name(given: &str) -> Option<String> {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let wrong = name.is_empty() || matches!(name, "." | "..") || name.contains(|c: char| c.is_control() || turns(c));
    (!wrong && name.chars().count() <= FILE_NAME_MAX).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for (given, kept) in [
            ("cat.png", Some("cat.png")),
            (" Ærø 日本.txt ", Some("Ærø 日本.txt")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\fakepath\\cat.png", Some("cat.png")),
            ("..", None),
            ("a/..", None),
            ("a/", None),
            ("", None),
            ("a\0b", None),
            ("a\r\nb", None),
            ("gpj.\u{202e}exe", None),
        ] {
            assert_eq!(file_name(given).as_deref(), kept, "{given:?}");
        }
        assert!(file_name(&"a".repeat(FILE_NAME_MAX)).is_some() && file_name(&"a".repeat(FILE_NAME_MAX + 1)).is_none());
    }

    proptest! {
        #[test]
        fn whatever_is_given_stays_in_its_folder(given in ".{0,40}") {
            if let Some(name) = file_name(&given) {
                prop_assert!(!name.contains(['/', '\\', '\0']) && name != ".." && !name.is_empty());
                prop_assert_eq!(file_name(&name), Some(name.clone()));
            }
        }
    }
}

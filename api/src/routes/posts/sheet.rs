//! Posts as CSV (RFC 4180), for spreadsheets.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use csv::{Terminator, Writer, WriterBuilder};
use domain::{Error, Result, post::PostRef};

/// What a table is, for the API description.
pub(super) const ABOUT: &str = "RFC 4180 in UTF-8. The first line names the columns, which are those of `Post`; `tags` is a JSON array. A text \
    that begins with `=`, `+`, `-`, `@`, a tab or a line break, or with apostrophes before one of them, has one more apostrophe before it, so \
    that no spreadsheet takes it for a formula.";

const COLUMNS: [&str; 8] = ["id", "authorId", "title", "content", "tags", "fileName", "createdAt", "updatedAt"];

/// A table that is being written.
pub(super) struct Sheet(Writer<Vec<u8>>);

impl Sheet {
    /// Begins a table, or goes on with one, at the end of `room`.
    pub(super) fn new(room: Vec<u8>, with_columns: bool) -> Result<Self> {
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(room);
        if with_columns {
            writer.write_record(COLUMNS).map_err(Error::internal)?;
        }
        Ok(Self(writer))
    }

    pub(super) fn write(&mut self, post: &PostRef<'_>) -> Result<()> {
        let PostRef { id, author_id, title, content, tags, file_name, created_at, updated_at } = post;
        let (mut id_text, mut author_text) = ([0; 36], [0; 36]);
        let tags = serde_json::to_string(tags).map_err(Error::internal)?;
        self.0
            .write_record([
                id.0.hyphenated().encode_lower(&mut id_text).as_bytes(),
                author_id.0.hyphenated().encode_lower(&mut author_text).as_bytes(),
                harmless(title).as_bytes(),
                harmless(content).as_bytes(),
                tags.as_bytes(),
                harmless(file_name.unwrap_or_default()).as_bytes(),
                time(created_at).as_bytes(),
                time(updated_at).as_bytes(),
            ])
            .map_err(Error::internal)
    }

    /// About how many bytes were written.
    pub(super) fn len(&self) -> usize {
        self.0.get_ref().len()
    }

    pub(super) fn finish(self) -> Result<Vec<u8>> {
        self.0.into_inner().map_err(|error| Error::internal(error.into_error()))
    }
}

/// A text that no spreadsheet takes for a formula. The apostrophe can be taken off again, as a text that looks so already gets one too.
fn harmless(text: &str) -> Cow<'_, str> {
    let dangerous = text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if dangerous { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// As in JSON.
fn time(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use domain::{PostId, UserId};
    use proptest::prelude::*;

    use super::*;

    fn post<'a>(title: &'a str, content: &'a str, tags: Vec<&'a str>, file_name: Option<&'a str>) -> PostRef<'a> {
        let time = DateTime::from_timestamp_micros(1_700_000_000_120_000).unwrap();
        PostRef { id: PostId::new(), author_id: UserId::new(), title, content, tags, file_name, created_at: time, updated_at: time }
    }

    fn table(posts: &[PostRef<'_>]) -> String {
        let mut sheet = Sheet::new(Vec::new(), true).unwrap();
        for post in posts {
            sheet.write(post).unwrap();
        }
        String::from_utf8(sheet.finish().unwrap()).unwrap()
    }

    /// A cell's text without what made it harmless.
    fn bare(cell: &str) -> &str {
        let formula = cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        if formula { cell.strip_prefix('\'').unwrap() } else { cell }
    }

    #[test]
    fn a_table_is_as_rfc_4180_has_it() {
        let one = post("Plain", "a, \"b\"\nc", vec!["x", "y z"], None);
        let line = format!(
            "{},{},Plain,\"a, \"\"b\"\"\nc\",\"[\"\"x\"\",\"\"y z\"\"]\",,2023-11-14T22:13:20.120Z,2023-11-14T22:13:20.120Z\r\n",
            one.id, one.author_id
        );
        assert_eq!(table(&[]), "id,authorId,title,content,tags,fileName,createdAt,updatedAt\r\n");
        assert_eq!(table(&[one]), format!("{}{line}", table(&[])));
    }

    #[test]
    fn times_are_those_of_json() {
        let one = post("t", "c", vec![], None);
        let json = serde_json::to_value(&one).unwrap();
        assert_eq!(json["createdAt"], time(&one.created_at));
    }

    #[test]
    fn nothing_begins_as_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "'=1"] {
            assert_eq!(harmless(text), format!("'{text}"), "{text:?}");
        }
        for text in ["", "1=1", "it's", "'quoted'", "a-b"] {
            assert_eq!(harmless(text), text);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_can_be_read_again(
            title in "['=+@a-c\\t,\"\r\n-]{0,8}", content in any::<String>(), tags in prop::collection::vec(any::<String>(), 0..4)
        ) {
            let table = table(&[post(&title, &content, tags.iter().map(String::as_str).collect(), Some("f"))]);
            let mut reader = csv::Reader::from_reader(table.as_bytes());
            let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(rows.len(), 1);
            prop_assert_eq!((bare(&rows[0][2]), bare(&rows[0][3]), &rows[0][5]), (title.as_str(), content.as_str(), "f"));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&rows[0][4]).unwrap(), tags);
            prop_assert!(!rows[0].iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])));
        }
    }
}

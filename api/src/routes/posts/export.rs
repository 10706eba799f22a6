//! All posts in one go, as NDJSON or CSV.

use std::ops::ControlFlow;

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, web::Data};
use auth::{Caller, scope};
use domain::{
    Code, Error, PostId, Result, UserId,
    post::{Filter, Post, PostRef, Sort, Tags},
};
use garde::Validate;
use persistence::{Db, posts};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::sheet::{self, Sheet};
use crate::{
    describe::{Describe, Operation},
    extract::{Accepts, Query},
    respond::{Batch, CSV, Exported, Format, NDJSON},
};

/// How many bytes a batch should have: enough that the round trip for it is no matter, and little to hold for each client.
const BATCH_BYTES: usize = 256 * 1024;
/// How many bytes a batch may have, but for its last post: when posts are suddenly longer than those before them.
const BATCH_BYTES_MAX: usize = 4 * BATCH_BYTES;
/// How many posts are asked for first, when nothing is known of their length.
const FIRST_POSTS: u32 = 50;
/// How many posts are asked for at most.
const POSTS_MAX: u32 = 5_000;

/// Which posts to export.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Only those of this author.
    #[serde(default, rename = "authorId")]
    #[schemars(with = "UserId")]
    #[garde(skip)]
    author_id: Option<UserId>,
    /// A tag that the posts carry; several mean all of them.
    #[serde(default)]
    #[garde(dive)]
    tag: Tags,
    /// Only those behind this one: the id of the last whole post of an export that broke off.
    #[serde(default)]
    #[schemars(with = "PostId")]
    #[garde(skip)]
    after: Option<PostId>,
}

/// Where to read on, and how much.
#[derive(Clone, Copy)]
struct Place {
    after: Option<PostId>,
    limit: u32,
    /// Whether nothing was written yet.
    top: bool,
}

/// Sends every post, newest first.
///
/// # Errors
/// `VALIDATION_ERROR`, `NOT_ACCEPTABLE`.
pub async fn export(_: Caller<scope::ReadPosts>, Query(wanted): Query<Wanted>, accepts: Accepts, db: Data<Db>) -> Result<Download> {
    let offered = [(NDJSON, Format::Ndjson), ("application/ndjson", Format::Ndjson), (CSV, Format::Csv)];
    let format = accepts.best(&offered).ok_or_else(|| Error::not_acceptable(&format!("{NDJSON} or {CSV}")))?;
    let from = Place { after: wanted.after, limit: FIRST_POSTS, top: true };
    let filter = Filter { author: wanted.author_id, tags: wanted.tag, sort: Sort::Newest };
    let read = async move |place| batch(&db, &filter, format, place).await;
    Exported::begin("posts", format, from, read).await.map(Download)
}

async fn batch(db: &Db, filter: &Filter, format: Format, place: Place) -> Result<Batch<Place>> {
    let mut lines = Lines::new(format, place.top)?;
    let mut written = Ok(());
    let walked = posts::walk(db, filter, place.after, place.limit, |post| {
        written = lines.write(post);
        if written.is_err() || lines.len() >= BATCH_BYTES_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .await?;
    written?;
    let next = walked.more.then(|| Place { after: walked.last, limit: next_limit(walked.count, lines.len()), top: false });
    Ok(Batch { bytes: lines.finish()?.into(), next })
}

/// How many posts will be about a batch, if they are as long as the last ones.
fn next_limit(count: u32, bytes: usize) -> u32 {
    let each = bytes / usize::try_from(count).unwrap_or(usize::MAX).max(1);
    u32::try_from(BATCH_BYTES / each.max(1)).unwrap_or(u32::MAX).clamp(1, POSTS_MAX)
}

/// Posts as they are sent.
enum Lines {
    Ndjson(Vec<u8>),
    Csv(Box<Sheet>),
}

impl Lines {
    fn new(format: Format, top: bool) -> Result<Self> {
        let room = Vec::with_capacity(BATCH_BYTES + BATCH_BYTES / 4);
        Ok(match format {
            Format::Ndjson => Self::Ndjson(room),
            Format::Csv => Self::Csv(Box::new(Sheet::new(room, top)?)),
        })
    }

    fn write(&mut self, post: &PostRef<'_>) -> Result<()> {
        match self {
            Self::Ndjson(lines) => {
                serde_json::to_writer(&mut *lines, post).map_err(Error::internal)?;
                lines.push(b'\n');
                Ok(())
            }
            Self::Csv(sheet) => sheet.write(post),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Ndjson(lines) => lines.len(),
            Self::Csv(sheet) => sheet.len(),
        }
    }

    fn finish(self) -> Result<Vec<u8>> {
        match self {
            Self::Ndjson(lines) => Ok(lines),
            Self::Csv(sheet) => sheet.finish(),
        }
    }
}

/// The export of posts.
pub struct Download(Exported);

impl Responder for Download {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        self.0.respond_to(request)
    }
}

impl Describe for Download {
    fn describe(operation: &mut Operation<'_>) {
        let schema = operation.output::<Post>();
        operation.answers(200, "Every post, newest first", None);
        operation.answers_as(200, NDJSON, &schema);
        operation.answers_as(200, CSV, &json!({ "type": "string", "description": sheet::ABOUT }));
        operation.header("Content-Disposition", "The name of the file");
        operation.notes.push(format!(
            "As `{NDJSON}`, a post a line, or with `Accept: {CSV}` as a table. One that broke off has no final chunk; go on with `after`."
        ));
        operation.fails(&[Code::NotAcceptable]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_batch_is_as_large_as_a_batch_should_be() {
        assert_eq!(next_limit(50, 50 * 1024), 256);
        assert_eq!(next_limit(1, 400_000), 1);
        assert_eq!(next_limit(0, 0), POSTS_MAX);
        assert_eq!(next_limit(5000, 10), POSTS_MAX);
    }
}

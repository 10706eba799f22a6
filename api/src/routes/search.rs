//! Full-text search over posts.

use actix_web::web::Data;
use domain::{Result, post::Tags, search::Results, text::PROSE};
use garde::Validate;
use persistence::{
    Db,
    search::{self, Wanted},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{extract::Query, respond::Json};

/// What to look for.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// The words: quotes, `or` and `-` mean what they mean in search engines.
    #[garde(length(chars, min = 1, max = 200), pattern(PROSE))]
    query: String,
    /// The page, from 1.
    #[garde(range(min = 1, max = 10_000))]
    #[serde(default = "first")]
    page: u32,
    /// The most results on a page.
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "twenty")]
    limit: u32,
    /// A tag that results carry; several mean all of them.
    #[serde(default)]
    #[garde(dive)]
    tag: Tags,
}

fn first() -> u32 {
    1
}

fn twenty() -> u32 {
    20
}

/// Searches posts.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn search(Query(query): Query<SearchQuery>, db: Data<Db>) -> Result<Json<Results>> {
    let wanted = Wanted {
        query: query.query,
        tags: query.tag.distinct().into_iter().map(str::to_owned).collect(),
        page: query.page,
        limit: query.limit,
    };
    let (results, total) = search::posts(&db, &wanted).await?;
    Ok(Json(Results { query: wanted.query, page: wanted.page, limit: wanted.limit, tags: wanted.tags, total, results }))
}

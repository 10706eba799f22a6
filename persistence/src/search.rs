//! The full-text search: one statement counts, ranks, pages and highlights.

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Float4, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use domain::{
    PostId, UserId,
    search::{Hit, MARK_START, MARK_STOP, highlight},
};
use uuid::Uuid;

use crate::{Db, Result, page_offset, total};

/// What to look for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The words, as people type them into a search engine: quotes, `or`, `-` are understood, and nothing is a syntax error.
    pub query: String,
    /// Tags that a result must all carry.
    pub tags: Vec<String>,
    /// The page, from 1.
    pub page: u32,
    /// The most results on a page.
    pub limit: u32,
}

/// A page of results, best first, and how many there are in all.
pub async fn posts(db: &Db, wanted: &Wanted) -> Result<(Vec<Hit>, u64)> {
    let rows: Vec<Row> = if wanted.tags.is_empty() {
        let statement = Statement::<false>::of(wanted);
        db.run(async |conn| statement.load(conn).await).await?
    } else {
        let statement = Statement::<true>::of(wanted);
        db.run(async |conn| statement.load(conn).await).await?
    };
    let count = rows.as_slice().first().map_or(0, |row| row.0);
    Ok((rows.into_iter().filter_map(hit).collect(), total(count)))
}

type Row = (
    i64,
    Option<Uuid>,
    Option<Uuid>,
    Option<String>,
    Option<Vec<String>>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<f32>,
    Option<String>,
);

/// The total comes on every row; a page beyond the last is one row with nothing else in it.
fn hit((_, id, author, title, tags, created_at, updated_at, rank, snippet): Row) -> Option<Hit> {
    Some(Hit {
        id: PostId(id?),
        author_id: UserId(author?),
        title: title?,
        tags: tags?,
        created_at: created_at?,
        updated_at: updated_at?,
        rank: rank?,
        snippet: highlight(&snippet?),
    })
}

/// Written out, as Diesel has no words for it, but with a static id, so that it is prepared once per connection.
///
/// With tags and without are two statements: "carries all of none" is true of every post, and a prepared plan would read the whole tag
/// index to find that out (50 ms against 6 ms for 925 hits in 100 000 posts).
struct Statement<const TAGGED: bool> {
    query: String,
    tags: Vec<String>,
    limit: i64,
    offset: i64,
    headline: String,
}

impl<const TAGGED: bool> Statement<TAGGED> {
    fn of(wanted: &Wanted) -> Self {
        Self {
            query: wanted.query.clone(),
            tags: wanted.tags.clone(),
            limit: i64::from(wanted.limit),
            offset: page_offset(wanted.page, wanted.limit),
            headline: format!(
                "StartSel={MARK_START}, StopSel={MARK_STOP}, MaxWords=30, MinWords=12, MaxFragments=2, FragmentDelimiter=\" … \""
            ),
        }
    }
}

impl<const TAGGED: bool> QueryFragment<Pg> for Statement<TAGGED> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH wanted AS (SELECT websearch_to_tsquery('english', ");
        out.push_bind_param::<Text, _>(&self.query)?;
        out.push_sql(
            ") AS words), found AS MATERIALIZED (\
               SELECT posts.id, ts_rank(posts.search, words) AS rank FROM posts, wanted WHERE posts.search @@ words",
        );
        if TAGGED {
            out.push_sql(" AND posts.tags @> ");
            out.push_bind_param::<Array<Text>, _>(&self.tags)?;
        }
        out.push_sql("), best AS (SELECT id, rank FROM found ORDER BY rank DESC, id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(" OFFSET ");
        out.push_bind_param::<BigInt, _>(&self.offset)?;
        out.push_sql(
            ") SELECT counted.total, posts.id, posts.author_id, posts.title, posts.tags, posts.created_at, posts.updated_at, best.rank, \
               ts_headline('english', posts.content, words, ",
        );
        out.push_bind_param::<Text, _>(&self.headline)?;
        out.push_sql(
            ") FROM (SELECT count(*) AS total FROM found) AS counted CROSS JOIN wanted \
               LEFT JOIN best ON true LEFT JOIN posts ON posts.id = best.id ORDER BY best.rank DESC, best.id DESC",
        );
        Ok(())
    }
}

impl<const TAGGED: bool> QueryId for Statement<TAGGED> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const TAGGED: bool> Query for Statement<TAGGED> {
    type SqlType = (
        BigInt,
        Nullable<SqlUuid>,
        Nullable<SqlUuid>,
        Nullable<Text>,
        Nullable<Array<Text>>,
        Nullable<Timestamptz>,
        Nullable<Timestamptz>,
        Nullable<Float4>,
        Nullable<Text>,
    );
}

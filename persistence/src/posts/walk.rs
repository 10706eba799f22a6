//! Posts one after the other, with nothing copied on the way: for reading a list to its end.

use std::{error::Error, ops::ControlFlow};

use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, QueryDsl,
    deserialize::FromSql,
    pg::{Pg, PgValue},
    result::Error as Diesel,
    row::{Field, Row},
    sql_types,
};
use diesel_async::AsyncConnectionCore;
use domain::{
    PostId, UserId,
    post::{Filter, PostRef},
};
use futures::TryStreamExt;
use tokio_postgres::types::{FromSql as FromBytes, Type};
use uuid::Uuid;

use super::matching;
use crate::{Db, Result, schema::posts};

/// How far a walk came.
#[derive(Debug, Clone, Copy)]
pub struct Walked {
    /// How many posts were seen.
    pub count: u32,
    /// The last one of them.
    pub last: Option<PostId>,
    /// Whether there may be more behind it.
    pub more: bool,
}

/// Shows up to `limit` posts, newest first and from behind `after` on, to `visit`, until that breaks. The order of the filter is not looked at.
/// Breaking costs the connection, as the rest of the answer is on its way by then: the limit should make it rare.
pub async fn walk(
    db: &Db,
    filter: &Filter,
    after: Option<PostId>,
    limit: u32,
    mut visit: impl FnMut(&PostRef<'_>) -> ControlFlow<()>,
) -> Result<Walked> {
    let columns =
        (posts::id, posts::author_id, posts::title, posts::content, posts::tags, posts::file_name, posts::created_at, posts::updated_at);
    let mut query = matching(filter).order(posts::id.desc()).limit(i64::from(limit));
    if let Some(after) = after {
        query = query.filter(posts::id.lt(after.0));
    }
    db.run_until(async |conn| {
        let mut walked = Walked { count: 0, last: None, more: false };
        let mut rows = AsyncConnectionCore::load(conn, query.select(columns)).await?;
        while let Some(row) = rows.try_next().await? {
            let (id, flow) = show(&row, &mut visit).map_err(Diesel::DeserializationError)?;
            walked = Walked { count: walked.count + 1, last: Some(id), more: walked.count + 1 == limit };
            if flow.is_break() && !walked.more {
                return Ok(ControlFlow::Break(Walked { more: true, ..walked }));
            }
        }
        Ok(ControlFlow::Continue(walked))
    })
    .await
}

type Parsed<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Shows the post of a row, whose columns are those of the query.
fn show<'a>(row: &impl Row<'a, Pg>, visit: &mut impl FnMut(&PostRef<'_>) -> ControlFlow<()>) -> Parsed<(PostId, ControlFlow<()>)> {
    let fields: [_; 8] = std::array::from_fn(|column| row.get(column));
    let values = fields.each_ref().map(|field| field.as_ref().and_then(Field::value));
    let [Some(id), Some(author), Some(title), Some(content), Some(tags), file_name, Some(created_at), Some(updated_at)] = &values else {
        return Err("a post lacks a column".into());
    };
    let post = PostRef {
        id: PostId(Uuid::from_slice(id.as_bytes())?),
        author_id: UserId(Uuid::from_slice(author.as_bytes())?),
        title: std::str::from_utf8(title.as_bytes())?,
        content: std::str::from_utf8(content.as_bytes())?,
        tags: FromBytes::from_sql(&Type::TEXT_ARRAY, tags.as_bytes())?,
        file_name: file_name.as_ref().map(|name| std::str::from_utf8(name.as_bytes())).transpose()?,
        created_at: time(created_at)?,
        updated_at: time(updated_at)?,
    };
    Ok((post.id, visit(&post)))
}

fn time(value: &PgValue<'_>) -> Parsed<DateTime<Utc>> {
    FromSql::<sql_types::Timestamptz, Pg>::from_sql(PgValue::clone(value))
}

//! Queries on `posts`.

mod walk;

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, IntoSql, OptionalExtension, PgArrayExpressionMethods, QueryDsl, QueryResult,
    Queryable, Selectable, SelectableHelper, dsl, pg::Pg,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    PostId, UserId,
    audit::Actor,
    page::{Cursor, Page, Start, Window},
    post::{Filter, NewPost, Post, PostPatch, Sort, Tags},
};
use uuid::Uuid;

use crate::{Change, Db, Expected, Result, Tx, counted, page_offset, schema::posts};
pub use walk::{Walked, walk};

#[derive(Queryable, Selectable)]
#[diesel(table_name = posts)]
struct PostRow {
    id: Uuid,
    author_id: Uuid,
    title: String,
    content: String,
    tags: Vec<String>,
    file_name: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<PostRow> for Post {
    fn from(row: PostRow) -> Self {
        Self {
            id: PostId(row.id),
            author_id: UserId(row.author_id),
            title: row.title,
            content: row.content,
            tags: row.tags,
            file_name: row.file_name,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Who wants to change a post.
#[derive(Debug, Clone, Copy)]
pub enum Editor {
    /// Somebody who may change their own.
    Author(UserId),
    /// An administrator.
    Admin,
}

/// Adds a post.
///
/// # Errors
/// `Refused` (`posts_author_id_fkey`) when the author's account is gone.
pub async fn insert(tx: &mut Tx<'_>, author: UserId, new: &NewPost) -> Result<Post> {
    let row: PostRow = diesel::insert_into(posts::table)
        .values((
            posts::id.eq(PostId::new().0),
            posts::author_id.eq(author.0),
            posts::title.eq(&new.title),
            posts::content.eq(&new.content),
            posts::tags.eq(new.tags.distinct()),
            posts::file_name.eq(new.file_name.as_deref()),
        ))
        .returning(PostRow::as_returning())
        .get_result(tx.conn)
        .await?;
    Ok(row.into())
}

/// The post of this id.
pub async fn find(db: &Db, id: PostId) -> Result<Option<Post>> {
    let row: Option<PostRow> =
        db.read(async |mut conn| posts::table.find(id.0).select(PostRow::as_select()).first(&mut conn).await.optional()).await?;
    Ok(row.map(Into::into))
}

fn matching(filter: &Filter) -> posts::BoxedQuery<'_, Pg> {
    let mut query = posts::table.into_boxed();
    if let Some(author) = filter.author {
        query = query.filter(posts::author_id.eq(author.0));
    }
    if !filter.tags.is_empty() {
        query = query.filter(posts::tags.contains(filter.tags.distinct()));
    }
    query
}

fn sorted(query: posts::BoxedQuery<'_, Pg>, sort: Sort) -> posts::BoxedQuery<'_, Pg> {
    match sort {
        Sort::Newest => query.order(posts::id.desc()),
        Sort::Oldest => query.order(posts::id.asc()),
        Sort::Updated => query.order((posts::updated_at.desc(), posts::id.desc())),
    }
}

/// A page of posts.
pub async fn list(db: &Db, filter: &Filter, window: &Window) -> Result<Page<Post>> {
    match window.start {
        Start::Page(page) => by_page(db, filter, page, window.limit).await,
        Start::After(cursor) => by_cursor(db, filter, cursor, window.limit).await,
    }
}

async fn by_page(db: &Db, filter: &Filter, page: u32, limit: u32) -> Result<Page<Post>> {
    let key = format!("posts {:?} {:?}", filter.author, filter.tags);
    let known = db.totals.get(&key);
    let (rows, count): (Vec<PostRow>, i64) = db
        .read_in(known.is_some() && is_fast(filter, page_offset(page, limit)), async |conn| {
            let (mut first, mut second) = (conn, conn);
            let some = sorted(matching(filter), filter.sort).limit(i64::from(limit)).offset(page_offset(page, limit));
            let rows = some.select(PostRow::as_select()).load(&mut first);
            if known.is_some() {
                return Ok((rows.await?, 0));
            }
            let all = matching(filter).select(dsl::count_star());
            futures::try_join!(rows, all.get_result(&mut second))
        })
        .await?;
    let total = known.unwrap_or_else(|| counted(db, key, count));
    Ok(Page { items: rows.into_iter().map(Into::into).collect(), total: Some(total), next: None })
}

/// Whether an index leads straight to the rows: tags have to be gathered first, and skipped rows are read too.
fn is_fast(filter: &Filter, offset: i64) -> bool {
    filter.tags.is_empty() && filter.author.is_none() && offset <= 1000
}

async fn by_cursor(db: &Db, filter: &Filter, cursor: Option<Cursor>, limit: u32) -> Result<Page<Post>> {
    let rows: Vec<PostRow> = db
        .read_in(is_fast(filter, 0), async |mut conn| {
            let ordered = sorted(matching(filter), filter.sort).limit(i64::from(limit) + 1);
            let rest = match (filter.sort, cursor) {
                (_, None) => ordered,
                (Sort::Newest, Some(cursor)) => ordered.filter(posts::id.lt(cursor.id)),
                (Sort::Oldest, Some(cursor)) => ordered.filter(posts::id.gt(cursor.id)),
                (Sort::Updated, Some(Cursor { id, at })) => {
                    // The plain bound lets the index find the place; the second clause settles equal times.
                    let at = at.unwrap_or(DateTime::<Utc>::MAX_UTC);
                    ordered
                        .filter(posts::updated_at.le(at))
                        .filter(posts::updated_at.lt(at).or(posts::updated_at.eq(at).and(posts::id.lt(id))))
                }
            };
            rest.select(PostRow::as_select()).load(&mut conn).await
        })
        .await?;
    let items = rows.into_iter().map(Post::from).collect();
    let key = |post: &Post| Cursor { id: post.id.0, at: (filter.sort == Sort::Updated).then_some(post.updated_at) };
    Ok(Page::after(items, limit, key))
}

#[derive(AsChangeset)]
#[diesel(table_name = posts)]
struct PostChange<'a> {
    title: Option<&'a str>,
    content: Option<&'a str>,
    tags: Option<Vec<&'a str>>,
}

/// The post, if this editor may change it. A macro, as the expression's type cannot be written down shortly.
macro_rules! editable {
    ($id:expr, $editor:expr) => {{
        let (author, any) = match $editor {
            Editor::Author(author) => (author.0, false),
            Editor::Admin => (Uuid::nil(), true),
        };
        posts::id.eq($id.0).and(posts::author_id.eq(author).or(any.into_sql::<diesel::sql_types::Bool>()))
    }};
}

/// What speaks against changing a post, which stays as it is until the transaction ends.
async fn against<T>(
    conn: &mut AsyncPgConnection,
    id: PostId,
    editor: Editor,
    expected: Expected<'_, Post>,
) -> QueryResult<Option<Change<T>>> {
    let row: Option<PostRow> = posts::table.find(id.0).for_no_key_update().select(PostRow::as_select()).first(conn).await.optional()?;
    let post: Option<Post> = row.map(Into::into);
    if let (Some(post), Editor::Author(author)) = (&post, editor)
        && post.author_id != author
    {
        return Ok(Some(Change::Forbidden));
    }
    Ok(Change::against(post.as_ref(), expected))
}

/// Changes a post, only in what the patch names.
pub async fn update(db: &Db, id: PostId, editor: Editor, patch: &PostPatch, expected: Expected<'_, Post>) -> Result<Change<Post>> {
    if expected.is_none() {
        let post = db.run(async |conn| write(conn, id, editor, patch).await).await?;
        return settle(db, id, post).await;
    }
    db.change(&Actor::default(), async |conn| match against(conn, id, editor, expected).await? {
        Some(no) => Ok(no),
        None => Ok(Change::found(write(conn, id, editor, patch).await?)),
    })
    .await
}

async fn write(conn: &mut AsyncPgConnection, id: PostId, editor: Editor, patch: &PostPatch) -> QueryResult<Option<Post>> {
    let change =
        PostChange { title: patch.title.as_deref(), content: patch.content.as_deref(), tags: patch.tags.as_ref().map(Tags::distinct) };
    let one = posts::table.filter(editable!(id, editor));
    let row: Option<PostRow> = if change.title.or(change.content).is_none() && change.tags.is_none() {
        one.select(PostRow::as_select()).first(conn).await.optional()?
    } else {
        diesel::update(one).set(&change).returning(PostRow::as_returning()).get_result(conn).await.optional()?
    };
    Ok(row.map(Into::into))
}

/// Deletes a post.
pub async fn delete(db: &Db, id: PostId, editor: Editor, expected: Expected<'_, Post>) -> Result<Change<()>> {
    let delete = async |conn: &mut AsyncPgConnection| {
        let count = diesel::delete(posts::table.filter(editable!(id, editor))).execute(conn).await?;
        Ok((count > 0).then_some(()))
    };
    if expected.is_none() {
        let deleted = db.run(delete).await?;
        return settle(db, id, deleted).await;
    }
    db.change(&Actor::default(), async |conn| match against(conn, id, editor, expected).await? {
        Some(no) => Ok(no),
        None => Ok(Change::found(delete(conn).await?)),
    })
    .await
}

/// Tells "not yours" from "not there" when a change found nothing to do: the only case that costs a second query.
async fn settle<T>(db: &Db, id: PostId, made: Option<T>) -> Result<Change<T>> {
    if let Some(made) = made {
        return Ok(Change::Made(made));
    }
    let exists = dsl::exists(posts::table.find(id.0));
    let exists: bool = db.read(async |mut conn| diesel::select(exists).get_result(&mut conn).await).await?;
    Ok(if exists { Change::Forbidden } else { Change::Absent })
}

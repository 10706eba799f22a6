//! Puts made-up users and posts into the tables in bulk, as many times as one likes: what is there already stays as it is.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, Insertable, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use uuid::Uuid;

use crate::{
    Connector, Result,
    schema::{posts, users},
};

/// A user who does not exist. Without a password nobody can log in as them.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = users)]
pub struct DemoUser {
    /// The id.
    pub id: Uuid,
    /// The address, different for every user.
    pub email: String,
    /// The name to show.
    pub name: String,
    /// A line about them; may be empty.
    pub bio: String,
    /// The language tag.
    pub locale: String,
    /// The IANA time zone name.
    pub timezone: String,
    /// When they signed up.
    pub created_at: DateTime<Utc>,
    /// When they last changed something.
    pub updated_at: DateTime<Utc>,
}

/// A post by one of them.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = posts)]
pub struct DemoPost {
    /// The id.
    pub id: Uuid,
    /// Who wrote it; must exist.
    pub author_id: Uuid,
    /// The title.
    pub title: String,
    /// The text, in Markdown.
    pub content: String,
    /// The tags, each once.
    pub tags: Vec<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A connection that loads. Several at once are faster than one, as the server's work on a post (its search vector) is what takes long.
pub struct Loader {
    connection: AsyncPgConnection,
}

impl Loader {
    /// Opens one, without the bounds on statements.
    ///
    /// # Errors
    /// `Busy` when the database is away.
    pub async fn open(connector: &Connector) -> Result<Self> {
        let mut connection = connector.unbounded().connect().await?;
        // Nobody waits for a row of this to be on the disk: a load that was cut short is done again.
        connection.batch_execute("SET synchronous_commit = off").await?;
        Ok(Self { connection })
    }
}

/// Which of these ids are users. Asking first is cheap; a row that an insert then drops costs as much as one that it keeps.
pub async fn known_users(loader: &mut Loader, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let known: Vec<Uuid> = users::table.filter(users::id.eq_any(ids)).select(users::id).load(&mut loader.connection).await?;
    Ok(known.into_iter().collect())
}

/// Which of these ids are posts.
pub async fn known_posts(loader: &mut Loader, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let known: Vec<Uuid> = posts::table.filter(posts::id.eq_any(ids)).select(posts::id).load(&mut loader.connection).await?;
    Ok(known.into_iter().collect())
}

/// Adds the users whose id and address are new, and returns how many those were. At most 8000 at once: a statement has 65 535 parameters.
pub async fn insert_users(loader: &mut Loader, rows: &[DemoUser]) -> Result<usize> {
    Ok(diesel::insert_into(users::table).values(rows).on_conflict_do_nothing().execute(&mut loader.connection).await?)
}

/// Adds the posts whose id is new, and returns how many those were. At most 9000 at once: a statement has 65 535 parameters.
///
/// # Errors
/// `Refused` (`posts_author_id_fkey`) when an author is not there.
pub async fn insert_posts(loader: &mut Loader, rows: &[DemoPost]) -> Result<usize> {
    Ok(diesel::insert_into(posts::table).values(rows).on_conflict_do_nothing().execute(&mut loader.connection).await?)
}

/// Tidies up after a load, so that the first queries are planned and run as well as later ones: statistics for the planner, the
/// visibility map for index-only scans, the GIN indexes' pending entries in their place.
pub async fn settle(loader: &mut Loader) -> Result<()> {
    Ok(loader.connection.batch_execute("VACUUM (ANALYZE) users, posts").await?)
}

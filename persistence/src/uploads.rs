//! Queries on `uploads`: what is known of files whose bytes are in the storage.
//!
//! What a user keeps is added up and compared with their quota by the database, under a lock of their account, so that uploads at the same
//! time cannot pass it together.

mod removal;

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper,
    sql_types::{BigInt, Bool, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use domain::{
    Code, UploadId, UserId,
    page::{Cursor, Page, Window},
    upload::{Quota, Upload},
};
use uuid::Uuid;

use crate::{
    Change, Db, Result, Tx,
    pages::{self, Reach},
    schema::uploads,
    time::now,
};
pub use removal::{Gone, delete, discard, forget, sweep};

/// Said when a quota refuses.
const TOO_MANY_FILES: &str = "The account keeps as many files as it may";
const TOO_MANY_BYTES: &str = "The account would keep more bytes than it may";

#[derive(Queryable, Selectable)]
#[diesel(table_name = uploads)]
struct UploadRow {
    id: Uuid,
    name: Option<String>,
    file_name: String,
    size: i64,
    content_type: String,
    sha256: Option<Vec<u8>>,
    created_at: DateTime<Utc>,
}

impl From<UploadRow> for Upload {
    fn from(row: UploadRow) -> Self {
        Self {
            id: UploadId(row.id),
            name: row.name,
            file_name: row.file_name,
            size: row.size.try_into().unwrap_or(0),
            content_type: row.content_type,
            sha256: row.sha256.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect(),
            created_at: row.created_at,
        }
    }
}

/// Whose files somebody may see and delete.
#[derive(Debug, Clone, Copy)]
pub enum Reader {
    /// Their own.
    Owner(UserId),
    /// Everybody's: an administrator.
    Admin,
}

/// What is known of a file once all of it has come.
#[derive(Debug, Clone)]
pub struct Whole {
    /// What its owner calls it.
    pub name: Option<String>,
    /// The name it had.
    pub file_name: String,
    /// How large it is, in bytes.
    pub size: u64,
    /// What it is.
    pub content_type: String,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// The ready files that somebody may see. A macro, as the expression's type cannot be written down shortly.
macro_rules! visible {
    ($reader:expr) => {{
        let (owner, any) = match $reader {
            Reader::Owner(owner) => (owner.0, false),
            Reader::Admin => (Uuid::nil(), true),
        };
        let own = uploads::user_id.eq(owner);
        let somebodys = uploads::user_id.is_not_null().and(any.into_sql::<Bool>());
        uploads::state.eq("ready").and(own.or(somebodys))
    }};
}
use visible;

fn size_of(bytes: u64) -> i64 {
    bytes.try_into().unwrap_or(i64::MAX)
}

diesel::define_sql_function! {
    /// Sets aside so many bytes of an account's quota for an upload, and says what came of it.
    fn uploads_reserve(upload: SqlUuid, account: SqlUuid, bytes: BigInt, bytes_max: BigInt, files_max: BigInt, begins: Bool) -> Text;
}

async fn set_aside(db: &Db, user: UserId, id: UploadId, size: u64, quota: Quota, begins: bool) -> Result<Change<()>> {
    let reserve = uploads_reserve(id.0, user.0, size_of(size), size_of(quota.bytes), i64::from(quota.files), begins);
    let said: String = db.run(async |conn| diesel::select(reserve).get_result(conn).await).await?;
    Ok(match said.as_str() {
        "reserved" => Change::Made(()),
        "files" => Change::Refused(Code::QuotaExceeded, TOO_MANY_FILES),
        "bytes" => Change::Refused(Code::QuotaExceeded, TOO_MANY_BYTES),
        _ => Change::Absent,
    })
}

/// An upload that goes on.
macro_rules! pending {
    ($id:expr) => {
        uploads::table.filter(uploads::id.eq($id.0)).filter(uploads::state.eq("pending"))
    };
}

/// Begins an upload, and sets aside so many bytes of the user's quota for it. `Absent` when the account is gone.
pub async fn begin(db: &Db, user: UserId, size: u64, quota: Quota) -> Result<Change<UploadId>> {
    let id = UploadId::new();
    Ok(set_aside(db, user, id, size, quota, true).await?.map(|()| id))
}

/// Sets aside so many bytes in all for an upload that goes on, and shows that it does. `Absent` when it was given up.
pub async fn reserve(db: &Db, user: UserId, id: UploadId, size: u64, quota: Quota) -> Result<Change<()>> {
    set_aside(db, user, id, size, quota, false).await
}

/// Writes down what the storage keeps the parts of an upload under. `Absent` when it was given up.
pub async fn note_parts(db: &Db, id: UploadId, parts: &str) -> Result<Change<()>> {
    let set = (uploads::parts.eq(parts), uploads::touched_at.eq(now()));
    let count = db.run(async |conn| diesel::update(pending!(id)).set(set).execute(conn).await).await?;
    Ok(if count > 0 { Change::Made(()) } else { Change::Absent })
}

/// Ends an upload all of which is kept, and whose size is set aside. `Absent` when it was given up.
pub async fn finish(tx: &mut Tx<'_>, id: UploadId, whole: &Whole) -> Result<Change<Upload>> {
    let set = (
        uploads::state.eq("ready"),
        uploads::name.eq(whole.name.as_deref()),
        uploads::file_name.eq(&whole.file_name),
        uploads::size.eq(size_of(whole.size)),
        uploads::content_type.eq(&whole.content_type),
        uploads::sha256.eq(whole.sha256.as_slice()),
        uploads::parts.eq(None::<&str>),
        uploads::touched_at.eq(now()),
    );
    let made: Option<UploadRow> =
        diesel::update(pending!(id)).set(set).returning(UploadRow::as_returning()).get_result(tx.conn).await.optional()?;
    Ok(Change::found(made.map(Into::into)))
}

/// The file of this id, if it is there for this reader.
pub async fn find(db: &Db, id: UploadId, reader: Reader) -> Result<Option<Upload>> {
    let row: Option<UploadRow> = db
        .read(async |mut conn| {
            uploads::table.find(id.0).filter(visible!(reader)).select(UploadRow::as_select()).first(&mut conn).await.optional()
        })
        .await?;
    Ok(row.map(Into::into))
}

/// A page of a user's files, newest first.
pub async fn list(db: &Db, user: UserId, window: &Window) -> Result<Page<Upload>> {
    let own = || uploads::table.filter(uploads::user_id.eq(user.0)).filter(uploads::state.eq("ready"));
    let rows = async |reach: Reach| {
        db.read(async |mut conn| {
            let mut query = own().order(uploads::id.desc()).limit(reach.limit).offset(reach.offset).into_boxed();
            if let Some(after) = reach.after {
                query = query.filter(uploads::id.lt(after.id));
            }
            query.select(UploadRow::as_select()).load(&mut conn).await
        })
        .await
    };
    let count = async || db.read(async |mut conn| own().count().get_result(&mut conn).await).await;
    let page = pages::read(db, window, &format!("uploads {user}"), rows, count, |row: &UploadRow| Cursor { id: row.id, at: None }).await?;
    Ok(page.map(Into::into))
}

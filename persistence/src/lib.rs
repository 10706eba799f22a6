//! Everything that is kept: connections, migrations, and one module of queries per table.

pub mod account_mails;
pub mod api_keys;
pub mod audit;
pub mod billing;
mod change;
pub mod chat_usage;
pub mod connect;
pub mod db;
pub mod demo;
mod due;
mod error;
pub mod idempotency;
pub mod inbox;
pub mod invitations;
mod listener;
pub mod mail;
pub mod members;
pub mod migrate;
pub mod orgs;
mod pages;
pub mod posts;
pub mod profiles;
pub mod projects;
pub mod rate_limits;
pub mod revocations;
pub mod schema;
pub mod search;
pub mod sessions;
mod slugs;
mod time;
pub mod uploads;
pub mod users;

pub use change::{Change, Expected};
pub use connect::{Connector, Timeouts};
pub use db::{Db, Sizes, Tx};
pub use due::Due;
pub use error::Error;
pub use listener::listen;
pub use revocations::Revocations;
pub use time::RESTORABLE_DAYS;

/// What every query returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How many rows lie before a page counted from 1.
fn page_offset(page: u32, limit: u32) -> i64 {
    i64::from(page.saturating_sub(1)) * i64::from(limit)
}

/// A count as PostgreSQL gives it, which is never negative.
fn total(count: i64) -> u64 {
    count.try_into().unwrap_or(0)
}

/// A fresh count, remembered when it is large.
fn counted(db: &Db, key: String, count: i64) -> u64 {
    let count = total(count);
    db.totals.keep(key, count);
    count
}

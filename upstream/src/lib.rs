//! Calls that go out to other services: mail, Stripe's API, GitHub's, and the storage of files. Knows nothing of routes, settings or the database.

mod base;
pub mod github;
pub mod mail;
pub mod plain;
pub mod storage;
pub mod stripe;
pub mod tls;

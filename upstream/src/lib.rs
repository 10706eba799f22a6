//! Calls that go out to other services: mail, Stripe's API and GitHub's, the language model, what stands behind the proxy, and the storage of
//! files. Knows nothing of routes, settings or the database.

mod base;
pub mod chat;
pub mod github;
mod http;
pub mod mail;
pub mod plain;
pub mod proxy;
pub mod storage;
pub mod stripe;
pub mod tls;

pub use http::Unusable;

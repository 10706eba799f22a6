//! What the end-to-end tests stand on: a real server on a real, freshly cloned database, and clients that check every answer against
//! the API description.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking, and name what they do"
)]

mod app;
mod client;
pub mod contract;
pub mod database;
mod program;
mod proxy;
mod s3;
mod smtp;

pub use app::{App, Caller, eventually, token_of, token_of_link};
pub use client::{Answer, Client, Request, http};
pub use database::Database;
pub use program::{Program, command};
pub use proxy::Proxy;
pub use s3::{S3, files};
pub use smtp::{Encryption, ReceivedMail, Smtp};

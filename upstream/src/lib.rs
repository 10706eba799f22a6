//! Calls that go out to other services: mail, and Stripe's API. Knows nothing of routes, settings or the database.

pub mod mail;
pub mod plain;
pub mod stripe;
pub mod tls;

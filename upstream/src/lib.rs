//! Calls that go out to other services: so far mail. Knows nothing of routes, settings or the database.

pub mod mail;

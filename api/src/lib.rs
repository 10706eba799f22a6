//! Handrail's HTTP API: the route table, the handlers, what surrounds them, and the program that serves them.

pub mod background;
pub mod cache;
pub mod chat;
pub mod cli;
mod clock;
pub mod conditional;
pub mod describe;
pub mod extract;
pub mod ingest;
mod logging;
pub mod metrics;
mod middleware;
pub mod once;
pub mod openapi;
pub mod respond;
pub mod routes;
pub mod server;
pub mod table;
pub mod uploads;

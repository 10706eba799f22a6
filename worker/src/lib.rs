//! What is done beside requests, by any number of processes at once: events of the inbox get their effect, mail that is due goes out, rows
//! that expired go away.

mod backoff;
pub mod inbox;
pub mod mail;
pub mod reconcile;
pub mod sweep;

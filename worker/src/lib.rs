//! What is done beside requests, by any number of processes at once: events of the inbox get their effect, mail that is due goes out, rows
//! that expired go away, and files with them.

mod backoff;
pub mod inbox;
pub mod mail;
pub mod reconcile;
pub mod sweep;
pub mod uploads;

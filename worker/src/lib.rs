//! What is done beside requests, by any number of processes at once: mail that is due goes out, rows that expired go away.

pub mod mail;
pub mod sweep;

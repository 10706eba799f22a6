//! End to end: a real server, a real database, real sockets. The modules mirror the paths; what holds for all paths is in `http`,
//! `policy`, `description` and `input`.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

mod api_keys;
mod audit;
mod auth;
mod bans;
mod billing;
mod billing_state;
mod cache;
mod chat;
mod conditional;
mod description;
mod faults;
mod github;
mod http;
mod idempotency;
mod inbox;
mod input;
mod invitations;
mod limits;
mod mail;
mod members;
mod orgs;
mod password;
mod policy;
mod posts;
mod preferences;
mod profile;
mod program;
mod projects;
mod proxy;
mod readme;
mod recovery;
mod revocations;
mod schema;
mod search;
mod slow_clients;
mod uploads;
mod users;
mod verification;
mod webhooks;
mod worker;

//! A stand-in for Stripe that speaks its HTTP API, shows its pages and sends its webhooks: for tests, and for development without an
//! account or a network. Never a part of the server.
//!
//! It knows the calls that Handrail makes and no others, and is strict where Stripe is: unknown parameters, wrong keys and reused
//! idempotency keys are refused. Everything is kept in memory.
//!
//! [`FakeStripe`] is it; beside the API and the pages it listens under `/_fake` for what tests do to it (see [`FakeStripe::start`]).

mod api;
mod control;
mod deliver;
mod fake;
mod faults;
mod pages;
mod server;
mod settings;
mod state;

pub use deliver::Chaos;
pub use fake::FakeStripe;
pub use faults::Fault;
pub use settings::{Clock, Dunning, Settings, Shape};
pub use state::{Call, Delivery, Outcome, Refusal};

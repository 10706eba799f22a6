//! A stand-in for a language model behind OpenAI's streaming API: for tests, for development without an account, and for measuring.
//! Never a part of the server.
//!
//! It knows `POST /v1/chat/completions` with `stream` and nothing else, and is strict about what it is asked. What it says, and how it
//! misbehaves, is a [`Script`].

mod fake;
mod record;
mod script;
mod server;

pub use fake::FakeModel;
pub use record::{Call, End};
pub use script::{Script, Step};

/// The key that callers must show.
pub const KEY: &str = "sk-fake";

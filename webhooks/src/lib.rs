//! Webhooks: bytes in, a verdict out. Pure, so that nothing of a request is stored, logged or believed before its signature is right.
//!
//! [`Keys`] are read from settings at start. A route asks [`Keys::present`] before it reads the body, [`Keys::verify`] with the raw
//! body, and then what came for its [`Envelope`]: only a [`Verified`] request has one.

mod envelope;
mod form;
pub mod github;
mod headers;
mod json;
mod keys;
pub mod lemon_squeezy;
mod mac;
#[cfg(test)]
mod properties;
mod provider;
mod reject;
mod request;
mod secret;
pub mod standard;
pub mod stripe;
mod time;
pub mod twilio;

pub use envelope::{Envelope, Problem};
pub use headers::Headers;
pub use keys::Keys;
pub use provider::Provider;
pub use reject::Reject;
pub use request::{Request, Verified};
pub use secret::{Secret, SecretError, SecretProblem};
pub use time::TOLERANCE_SECONDS;

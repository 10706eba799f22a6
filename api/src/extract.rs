//! What handlers take: each type reads its part of the request, refuses it in our error shape, and describes itself.

mod accept;
mod body;
mod form;
pub(crate) mod path;
mod query;
mod signed;
pub mod validate;

pub use accept::Accepts;
pub use body::{Body, Limits, MERGE_PATCH, text};
pub(crate) use body::{admit, broken_off, declared_length, is_utf8, late, utf8};
pub use form::Form;
pub use path::Path;
pub use query::{Everything, List, Query};
pub use signed::{Receivers, Sender, Signed};

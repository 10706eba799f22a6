//! What surrounds every handler, from outside in: [`boundary`], [`preflight`], compression, CORS.

mod boundary;
mod preflight;
mod request_id;

pub(crate) use boundary::{Boundary, boundary};
pub(crate) use preflight::{Allows, cors, preflight};

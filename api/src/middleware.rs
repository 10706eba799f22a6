//! What surrounds every handler, from outside in: [`boundary`], [`preflight`], compression, CORS, [`throttle`].

mod boundary;
mod preflight;
mod request_id;
mod throttle;

pub(crate) use boundary::{Boundary, boundary};
pub(crate) use preflight::{Allows, cors, preflight};
pub(crate) use request_id::of_request as request_id_of;
pub(crate) use throttle::{is_limited, throttle};

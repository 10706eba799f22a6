//! Typed path parameters.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{Code, Details, Error, PostId, Result, SessionId, UserId};
use schemars::JsonSchema;
use serde_json::json;

use crate::describe::{Describe, Operation};

/// The id in the path's one parameter, `{id}`.
pub struct Path<T>(pub T);

/// Something that can stand in a path.
pub trait Parameter: std::str::FromStr + JsonSchema + 'static {
    /// Its name in the path.
    const NAME: &'static str;
    /// What to say when it cannot be read.
    const PROBLEM: &'static str;
}

macro_rules! ids {
    ($($id:ident)*) => {
        $(impl Parameter for $id {
            const NAME: &'static str = "id";
            const PROBLEM: &'static str = "Invalid UUID";
        })*
    };
}
ids! { UserId SessionId PostId }

impl<T: Parameter> FromRequest for Path<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get(T::NAME).unwrap_or_default();
        ready(text.parse().map(Self).map_err(|_| Error::invalid_parameters(Details::field(T::NAME, T::PROBLEM))))
    }
}

impl<T: Parameter> Describe for Path<T> {
    fn describe(operation: &mut Operation<'_>) {
        let schema = operation.input::<T>();
        operation.parameters.push(json!({ "name": T::NAME, "in": "path", "required": true, "schema": schema }));
        operation.fails(&[Code::ValidationError, Code::NotFound]);
    }
}

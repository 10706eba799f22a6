//! Typed path parameters.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use auth::Token;
use domain::{ApiKeyId, Code, Details, Error, InvitationId, OrgId, PostId, ProjectId, Result, SessionId, UploadId, UserId, WebhookEventId};
use schemars::JsonSchema;

use crate::describe::{Describe, Operation};

/// The last parameter of the path. One before it is the organisation's, which `auth::Org` takes with its proof.
pub struct Path<T>(pub T);

/// Something that can stand in a path.
pub trait Parameter: std::str::FromStr + JsonSchema + 'static {
    /// What to say when it cannot be read.
    const PROBLEM: &'static str;
}

macro_rules! ids {
    ($($id:ident)*) => {
        $(impl Parameter for $id {
            const PROBLEM: &'static str = "Invalid UUID";
        })*
    };
}
ids! { ApiKeyId InvitationId OrgId PostId ProjectId SessionId UploadId UserId WebhookEventId }

impl Parameter for Token {
    const PROBLEM: &'static str = "Invalid token";
}

impl<T: Parameter> FromRequest for Path<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (name, text) = request.match_info().iter().last().unwrap_or_default();
        ready(text.parse().map(Self).map_err(|_| Error::invalid_parameters(Details::field(name, T::PROBLEM))))
    }
}

impl<T: Parameter> Describe for Path<T> {
    fn describe(operation: &mut Operation<'_>) {
        let name = operation.path().rsplit('{').next().and_then(|rest| rest.split('}').next()).unwrap_or_default();
        operation.path_parameter::<T>(name);
        operation.fails(&[Code::ValidationError, Code::NotFound]);
    }
}

//! Arguments that tell nothing of who is asking: all that a handler whose answers are kept can take.

use std::borrow::Cow;

use actix_web::{HttpRequest, web::Data};
use domain::{Details, Error, PostId, Result, UserId};
use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::extract::{Path, Query, path::Parameter, validate};

/// The longest query that answers are kept for, in bytes.
const QUERY_BYTES_MAX: usize = 2048;

/// What of a request an answer may depend on: its path and its query, and what the server holds ready.
pub struct Asked<'r> {
    request: &'r HttpRequest,
    query: Cow<'r, str>,
}

/// An argument that depends on nothing but [`Asked`]. Callers, cookies, headers and the request itself are not.
pub trait Anonymous: Sized + 'static {
    /// Whether it depends on the query; if no argument does, all queries have one answer.
    const READS_QUERY: bool = false;

    /// Takes it from what was asked.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`.
    fn take(asked: &Asked<'_>) -> Result<Self>;
}

impl<'r> Asked<'r> {
    /// What a request asks of a handler with these arguments. The query is put in order, so that the order of its parameters does not
    /// matter; those that share a name keep theirs.
    pub(super) fn of<A: Anonymous>(request: &'r HttpRequest) -> Self {
        let raw = if A::READS_QUERY { request.query_string() } else { "" };
        let query = if raw.is_empty() {
            Cow::Borrowed("")
        } else {
            let mut pairs: Vec<_> = url::form_urlencoded::parse(raw.as_bytes()).collect();
            pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
            Cow::Owned(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
        };
        Self { request, query }
    }

    /// The query, in order.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The last parameter of the path, with its name.
    #[must_use]
    pub fn parameter(&self) -> (&str, &str) {
        self.request.match_info().iter().last().unwrap_or_default()
    }

    /// Something the server holds ready.
    #[must_use]
    pub fn data<T: 'static>(&self) -> Option<&Data<T>> {
        self.request.app_data::<Data<T>>()
    }

    /// The name to keep an answer by: the path as it was routed, after the query and a space if there is one. `None` when it is too long.
    pub(super) fn key(&self) -> Option<Cow<'_, str>> {
        let path = self.request.match_info().as_str();
        match self.query.len() {
            0 => Some(Cow::Borrowed(path)),
            // A serialised query holds neither a slash nor a space, so that it cannot be taken for a path nor run into one.
            1..=QUERY_BYTES_MAX => Some(Cow::Owned(format!("{} {path}", self.query))),
            _ => None,
        }
    }
}

impl<T: 'static> Anonymous for Data<T> {
    fn take(asked: &Asked<'_>) -> Result<Self> {
        asked.data::<T>().cloned().ok_or_else(|| Error::internal("something that handlers ask for is not there"))
    }
}

impl<T> Anonymous for Query<T>
where
    T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static,
{
    const READS_QUERY: bool = true;

    fn take(asked: &Asked<'_>) -> Result<Self> {
        validate::query(asked.query()).map(Self).map_err(Error::invalid_parameters)
    }
}

/// Ids of what everybody may see. A token in a path is a credential, and is not among them.
macro_rules! public_ids {
    ($($id:ident)*) => {
        $(impl Anonymous for Path<$id> {
            fn take(asked: &Asked<'_>) -> Result<Self> {
                let (name, text) = asked.parameter();
                text.parse().map(Self).map_err(|_| Error::invalid_parameters(Details::field(name, $id::PROBLEM)))
            }
        })*
    };
}
public_ids! { PostId UserId }

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<$($argument: Anonymous),*> Anonymous for ($($argument,)*) {
            const READS_QUERY: bool = false $(|| $argument::READS_QUERY)*;

            fn take(asked: &Asked<'_>) -> Result<Self> {
                let _ = asked;
                Ok(($($argument::take(asked)?,)*))
            }
        }
    };
}
arguments! {}
arguments! { A }
arguments! { A B }
arguments! { A B C }
arguments! { A B C D }

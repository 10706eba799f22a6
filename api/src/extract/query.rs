//! Typed query parameters.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{
    Code, Details, Error, Result,
    page::{Cursor, LIMIT_MAX, PAGE_MAX, Start, Window},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::validate;
use crate::describe::{Describe, Operation};

/// Query parameters that passed their rules; one that is not known, or given twice where once is meant, is refused.
pub struct Query<T>(pub T);

impl<T> FromRequest for Query<T>
where
    T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static,
{
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(validate::query(request.query_string()).map(Self).map_err(Error::invalid_parameters))
    }
}

impl<T: JsonSchema> Describe for Query<T> {
    fn describe(operation: &mut Operation<'_>) {
        let schema = validate::schema_of::<T>();
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let mut schema = schema.clone();
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            operation.parameters.push(json!({
                "name": name,
                "in": "query",
                "required": required.contains(&name.as_str()),
                "description": description,
                "schema": schema,
            }));
        }
        operation.fails(&[Code::ValidationError]);
    }
}

/// Which part of a list: what every list takes beside its own filters.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Paging {
    /// The page, from 1 (the default); read the far end of long lists by `cursor`.
    #[serde(default)]
    #[schemars(with = "u32")]
    #[garde(range(min = 1, max = PAGE_MAX))]
    page: Option<u32>,
    /// The most items on a page; 20 when absent.
    #[serde(default)]
    #[schemars(with = "u32")]
    #[garde(range(min = 1, max = LIMIT_MAX))]
    limit: Option<u32>,
    /// Where to go on: empty for the top, then what the `next` link says. Costs the same however deep.
    #[serde(default)]
    #[schemars(with = "String")]
    #[garde(length(chars, max = 64))]
    cursor: Option<String>,
}

impl Paging {
    const NAMES: [&str; 3] = ["page", "limit", "cursor"];

    fn window(self) -> Result<Window, Details> {
        let limit = self.limit.unwrap_or(20);
        let refuse = |problem| Err(Details::field("cursor", problem));
        let start = match (self.page, self.cursor) {
            (Some(_), Some(_)) => return refuse("Give page or cursor, not both"),
            (page, None) => Start::Page(page.unwrap_or(1)),
            (None, Some(cursor)) if cursor.is_empty() => Start::After(None),
            (None, Some(cursor)) => match Cursor::decode(&cursor) {
                Some(cursor) => Start::After(Some(cursor)),
                None => return refuse("Invalid cursor"),
            },
        };
        Ok(Window { start, limit })
    }
}

/// The query parameters of a list: its own filters, and the window to read.
pub struct List<T>(pub T, pub Window);

/// A list without filters.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Everything {}

impl<T> FromRequest for List<T>
where
    T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static,
{
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let part = |paging: bool| {
            let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
            let pairs = pairs.filter(|(name, _)| Paging::NAMES.contains(&name.as_ref()) == paging);
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        };
        let window = validate::query::<Paging>(&part(true)).and_then(Paging::window);
        ready(match (validate::query(&part(false)), window) {
            (Ok(filters), Ok(window)) => Ok(Self(filters, window)),
            (Err(details), Ok(_)) | (Ok(_), Err(details)) => Err(Error::invalid_parameters(details)),
            (Err(mut details), Err(more)) => {
                details.merge(more);
                Err(Error::invalid_parameters(details))
            }
        })
    }
}

impl<T: JsonSchema> Describe for List<T> {
    fn describe(operation: &mut Operation<'_>) {
        Query::<T>::describe(operation);
        Query::<Paging>::describe(operation);
    }
}

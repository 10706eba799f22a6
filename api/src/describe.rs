//! How arguments and answers describe themselves: the API description is gathered from the handlers' own types.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web::Data};
use auth::{
    MaybeSession, Require, Rule, Session, Throttle,
    accounts::Client,
    limits::{By, Policy},
};
use domain::Code;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::extract::validate;

/// Adds what a type means for the wire to the description of an operation.
pub trait Describe {
    /// Adds it.
    fn describe(operation: &mut Operation<'_>);
}

/// The schemas that operations refer to. What comes in and what goes out are made apart: a field that may be left out of an input and
/// one that may be left out of an answer are told by different attributes.
pub struct Schemas {
    inputs: SchemaGenerator,
    outputs: SchemaGenerator,
}

impl Schemas {
    /// No schemas yet.
    #[must_use]
    pub fn new() -> Self {
        let settings = || validate::settings().with(|settings| settings.definitions_path = "/components/schemas".into());
        Self { inputs: settings().into_generator(), outputs: settings().for_serialize().into_generator() }
    }

    /// The schema of something that goes out, by reference where it has a name of its own.
    pub fn output<T: JsonSchema>(&mut self) -> Value {
        self.outputs.subschema_for::<T>().to_value()
    }

    /// All that were named.
    pub fn definitions(mut self) -> Map<String, Value> {
        let mut all = self.inputs.take_definitions(true);
        all.append(&mut self.outputs.take_definitions(true));
        all
    }
}

impl Default for Schemas {
    fn default() -> Self {
        Self::new()
    }
}

/// The description of one operation while it is gathered.
pub struct Operation<'g> {
    schemas: &'g mut Schemas,
    /// Path and query parameters.
    pub(crate) parameters: Vec<Value>,
    /// What it takes, by media type.
    pub(crate) body: Map<String, Value>,
    /// Who may call.
    pub(crate) access: Access,
    /// Sentences of the description.
    pub(crate) notes: Vec<String>,
    /// Answers by status.
    pub(crate) answers: BTreeMap<u16, Value>,
    /// Errors it can answer with.
    pub(crate) errors: Vec<Code>,
}

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Everybody; signed-in callers may see more.
    Optional,
    /// Signed-in callers.
    Session,
}

impl<'g> Operation<'g> {
    /// A description that says nothing yet but what holds everywhere.
    pub fn new(schemas: &'g mut Schemas) -> Self {
        Self {
            schemas,
            parameters: Vec::new(),
            body: Map::new(),
            access: Access::Open,
            notes: Vec::new(),
            answers: BTreeMap::new(),
            errors: vec![Code::InternalError, Code::Unavailable],
        }
    }

    /// The schema of something that comes in, by reference where it has a name of its own.
    pub fn input<T: JsonSchema>(&mut self) -> Value {
        self.schemas.inputs.subschema_for::<T>().to_value()
    }

    /// The schema of something that goes out, by reference where it has a name of its own.
    pub fn output<T: JsonSchema>(&mut self) -> Value {
        self.schemas.output::<T>()
    }

    /// Adds a body it takes.
    pub fn takes(&mut self, media_type: &str, schema: &Value) {
        self.body.insert(media_type.to_owned(), json!({ "schema": schema }));
        self.fails(&[Code::ValidationError, Code::RequestTimeout, Code::PayloadTooLarge, Code::UnsupportedMediaType]);
    }

    /// Adds an answer.
    pub fn answers(&mut self, status: u16, description: &str, schema: Option<&Value>) {
        let mut answer = json!({ "description": description });
        if let (Some(schema), Some(answer)) = (schema, answer.as_object_mut()) {
            answer.insert("content".to_owned(), json!({ "application/json": { "schema": schema } }));
        }
        self.answers.insert(status, answer);
    }

    /// Adds a header to every answer so far.
    pub fn header(&mut self, name: &str, description: &str) {
        for answer in self.answers.values_mut().filter_map(Value::as_object_mut) {
            let headers = answer.entry("headers").or_insert_with(|| json!({}));
            if let Some(headers) = headers.as_object_mut() {
                headers.insert(name.to_owned(), json!({ "description": description, "schema": { "type": "string" } }));
            }
        }
    }

    /// Adds errors it can answer with.
    pub fn fails(&mut self, codes: &[Code]) {
        for code in codes {
            if !self.errors.contains(code) {
                self.errors.push(*code);
            }
        }
    }
}

impl Describe for Session {
    fn describe(operation: &mut Operation<'_>) {
        operation.access = Access::Session;
        // 403: a cookie on a request from another site.
        operation.fails(&[Code::Unauthorized, Code::Forbidden]);
    }
}

impl Describe for MaybeSession {
    fn describe(operation: &mut Operation<'_>) {
        operation.access = Access::Optional;
        operation.fails(&[Code::Unauthorized]);
    }
}

impl<R: Rule> Describe for Require<R> {
    fn describe(operation: &mut Operation<'_>) {
        Session::describe(operation);
        operation.notes.push(format!("For the role `{}` only.", R::NAME));
    }
}

impl<P: Policy> Describe for Throttle<P> {
    fn describe(operation: &mut Operation<'_>) {
        let whose = match P::BY {
            By::Address => "address",
            By::Caller => "account",
        };
        operation.notes.push(format!("Strictly rate limited by {whose}."));
        operation.fails(&[Code::RateLimited]);
    }
}

/// What the server holds ready says nothing to clients.
impl<T: 'static> Describe for Data<T> {
    fn describe(_: &mut Operation<'_>) {}
}

impl Describe for HttpRequest {
    fn describe(_: &mut Operation<'_>) {}
}

impl Describe for Client {
    fn describe(_: &mut Operation<'_>) {}
}

impl<T: Describe> Describe for domain::Result<T> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

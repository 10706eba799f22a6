//! How arguments and answers describe themselves: the API description is gathered from the handlers' own types.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, http::Method, web::Data};
use auth::{
    Caller, MaybeSession, ORG_PARAMETER, Org, Require, Rule, Session, Throttle, Verified,
    accounts::Client,
    limits::{By, Policy},
    scope::Needs,
};
use domain::{Code, OrgId};
use persistence::orgs::Proof;
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
    path: &'static str,
    method: Method,
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
    /// Whether requests and answers are somebody else's, who may say anything.
    pub(crate) passed_on: bool,
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
    pub fn new(schemas: &'g mut Schemas, path: &'static str, method: Method) -> Self {
        Self {
            schemas,
            path,
            method,
            parameters: Vec::new(),
            body: Map::new(),
            access: Access::Open,
            notes: Vec::new(),
            answers: BTreeMap::new(),
            errors: vec![Code::InternalError, Code::Unavailable],
            passed_on: false,
        }
    }

    /// The path, with its parameters in braces.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Whether it only reads.
    pub fn is_read(&self) -> bool {
        self.method.is_safe()
    }

    /// Whether it changes a part.
    pub fn is_patch(&self) -> bool {
        self.method == Method::PATCH
    }

    /// Adds a parameter of the path.
    pub fn path_parameter<T: JsonSchema>(&mut self, name: &str) {
        let schema = self.input::<T>();
        self.parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
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

    /// Says that bodies and answers are passed on as they are.
    pub fn passes_on(&mut self) {
        self.passed_on = true;
        self.body.insert("*/*".to_owned(), json!({ "schema": {} }));
    }

    /// Adds an answer.
    pub fn answers(&mut self, status: u16, description: &str, schema: Option<&Value>) {
        self.answers.insert(status, json!({ "description": description }));
        if let Some(schema) = schema {
            self.answers_as(status, "application/json", schema);
        }
    }

    /// Adds a media type to an answer.
    pub fn answers_as(&mut self, status: u16, media_type: &str, schema: &Value) {
        let answer = self.answers.entry(status).or_insert_with(|| json!({ "description": "OK" }));
        if let Some(answer) = answer.as_object_mut() {
            let content = answer.entry("content").or_insert_with(|| json!({}));
            if let Some(content) = content.as_object_mut() {
                content.insert(media_type.to_owned(), json!({ "schema": schema }));
            }
        }
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
        // 403: a cookie on a request from another site, or an API key.
        operation.fails(&[Code::Unauthorized, Code::Forbidden]);
    }
}

impl<S: Needs> Describe for Caller<S> {
    fn describe(operation: &mut Operation<'_>) {
        Session::describe(operation);
        keys::<S>(operation);
    }
}

impl<P: Proof, S: Needs> Describe for Org<P, S> {
    fn describe(operation: &mut Operation<'_>) {
        Session::describe(operation);
        operation.path_parameter::<OrgId>(ORG_PARAMETER);
        operation.notes.push(format!("For the organisation's role `{}` and above.", P::LEAST));
        operation.fails(&[Code::ValidationError, Code::NotFound]);
        keys::<S>(operation);
    }
}

/// Says what an API key needs.
fn keys<S: Needs>(operation: &mut Operation<'_>) {
    if let Some(scope) = S::SCOPE {
        operation.notes.push(format!("API keys need the scope `{}`.", scope.as_str()));
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
        keys::<auth::scope::Admin>(operation);
    }
}

impl Describe for Verified {
    fn describe(operation: &mut Operation<'_>) {
        operation.notes.push("With `REQUIRE_VERIFIED_EMAIL` only for accounts whose address is verified.".to_owned());
        operation.fails(&[Code::EmailNotVerified]);
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

impl<T: 'static> Describe for Option<Data<T>> {
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

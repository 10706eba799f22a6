//! The API description (OpenAPI 3.1), gathered from the route table: nothing in it is written by hand that the code knows.

use std::{collections::BTreeMap, fmt::Write};

use actix_web::http::Method;
use domain::{Code, ErrorBody};
use serde_json::{Map, Value, json};

use crate::{
    describe::{Access, Operation, Schemas},
    middleware::is_limited,
    routes,
    table::{Entry, Row},
};

const ABOUT: &str = "Users, sessions, organisations, projects, API keys, posts and search over HTTP, from one binary and one PostgreSQL.\n\n\
    Errors are JSON of one shape, `Error`, from routing on: what is refused below it (a head that is too large or too late, bad \
    framing) has no body. Every answer carries `X-Request-Id`. Every path answers `OPTIONS`, and `HEAD` wherever it answers `GET`.\n\n\
    Requests under `/api/` are limited by address and by caller. `RateLimit` and `RateLimit-Policy` tell what is left of the most \
    specific limit that counted the request; a 429 says in `Retry-After` when to come back.";

/// The description.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let error = schemas.output::<ErrorBody<'_>>();
    let mut paths = Map::new();
    for row in routes::table() {
        let operations: Map<String, Value> = row
            .entries()
            .iter()
            .filter(|entry| !entry.hidden)
            .map(|entry| (entry.method.as_str().to_ascii_lowercase(), operation(&row, entry, &error, &mut schemas)))
            .collect();
        if !operations.is_empty() {
            paths.insert(row.path().to_owned(), operations.into());
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Handrail",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "The `token` of a log-in or registration, or an API key." },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "session", "description": "Set by a log-in or registration; `__Host-session` in production." },
            },
        },
    })
}

fn operation(row: &Row, entry: &Entry, error: &Value, schemas: &mut Schemas) -> Value {
    let mut operation = Operation::new(schemas, row.path(), entry.method.clone());
    entry.describe(&mut operation);
    if is_limited(row.path()) {
        operation.fails(&[Code::RateLimited]);
    }
    let mut value = json!({
        "operationId": operation_id(entry.method.as_str(), row.path()),
        "summary": entry.summary,
        "tags": [tag(row.path())],
        "responses": responses(&operation, error),
        "security": security(operation.access),
    });
    if let Some(fields) = value.as_object_mut() {
        if entry.deprecated.is_some() {
            fields.insert("deprecated".to_owned(), true.into());
        }
        if !operation.notes.is_empty() {
            fields.insert("description".to_owned(), operation.notes.join(" ").into());
        }
        if !operation.parameters.is_empty() {
            fields.insert("parameters".to_owned(), operation.parameters.into());
        }
        if !operation.body.is_empty() && entry.method != Method::GET {
            fields.insert("requestBody".to_owned(), json!({ "required": !operation.passed_on, "content": operation.body }));
        }
    }
    value
}

fn responses(operation: &Operation<'_>, error: &Value) -> Map<String, Value> {
    let mut responses: Map<String, Value> = operation.answers.iter().map(|(status, answer)| (status.to_string(), answer.clone())).collect();
    let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for row in Code::TABLE.iter().filter(|row| operation.errors.contains(&row.code)) {
        by_status.entry(row.status).or_default().push(format!("`{}`: {}", row.name, row.when));
    }
    for (status, codes) in by_status {
        let mut content = json!({ "application/json": { "schema": error } });
        if operation.passed_on {
            // Somebody else's answer of this status may look like anything.
            content = json!({ "application/json": { "schema": { "anyOf": [error, {}] } }, "*/*": { "schema": {} } });
        }
        let answer = json!({ "description": codes.join("\n\n"), "content": content });
        responses.entry(status.to_string()).or_insert(answer);
    }
    if operation.passed_on {
        let answer = json!({ "description": "The upstream's own answer, as it is; it has the header `Via`", "content": { "*/*": { "schema": {} } } });
        responses.insert("default".to_owned(), answer);
    }
    responses
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::Optional => json!([{}, { "bearer": [] }, { "cookie": [] }]),
        Access::Session => json!([{ "bearer": [] }, { "cookie": [] }]),
    }
}

/// `GET /api/posts/{id}` is `getPostsById`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.trim_start_matches("/api").split(['/', '.', '-']).filter(|word| !word.is_empty());
    words.fold(method.to_ascii_lowercase(), |mut name, word| {
        let bare = word.trim_matches(['{', '}']);
        if bare.len() < word.len() {
            name.push_str("By");
        }
        let (first, rest) = bare.split_at_checked(1).unwrap_or((bare, ""));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
        name
    })
}

fn tag(path: &str) -> &str {
    path.strip_prefix("/api/").and_then(|rest| rest.split('/').next()).unwrap_or("operations")
}

/// The error catalogue as a Markdown page.
#[must_use]
pub fn catalogue() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         Every error is JSON of one shape:\n\n\
         ```json\n\
         {\"error\": \"Validation failed\", \"code\": \"VALIDATION_ERROR\", \"details\": {\"formErrors\": [], \"fieldErrors\": {\"email\": [\"Invalid email\"]}}, \"requestId\": \"…\"}\n\
         ```\n\n\
         `error` is for people and may change; `code` is for programs. `details` comes with `VALIDATION_ERROR` only. The cause of a 5xx is in the\n\
         log under the same `requestId`, never in the answer. What is refused below routing (a head that is too large, too late or badly framed)\n\
         has no body. This page is made by `handrail errors`.\n\n\
         | Status | Code | When |\n|---|---|---|\n",
    );
    for row in Code::TABLE {
        let _ = writeln!(page, "| {} | `{}` | {} |", row.status, row.name, row.when);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        respond::{DONE, Done, Json},
        table::{Deprecation, at},
    };

    async fn works() -> Json<Done> {
        DONE
    }

    #[test]
    fn a_deprecated_method_is_described_as_such() {
        let deprecation = Deprecation { since_s: 1_688_169_599, sunset_s: None, link: None, successor: None };
        let row = at("/api/things").get("List things", works).deprecated(deprecation).post("Make a thing", works);
        let mut schemas = Schemas::new();
        let described: Vec<Value> = row.entries().iter().map(|entry| operation(&row, entry, &json!({}), &mut schemas)).collect();
        assert_eq!(described[0]["deprecated"], true);
        assert!(described[0]["responses"]["200"]["headers"]["Sunset"].is_object());
        assert!(described[1]["deprecated"].is_null());
    }
}

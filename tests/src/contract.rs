//! The API description as a judge: whatever a test sees must be in it.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(api::openapi::document);

/// The description.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// Fails unless the description knows an answer like this one.
#[track_caller]
pub fn check(method: &Method, path: &str, answer: &Answer) {
    assert!(answer.headers.contains_key("x-request-id"), "no request id: {method} {path}");
    let Some(template) = template(path) else { return };
    let verb = method.as_str().to_ascii_lowercase();
    let operation = DOCUMENT.get("paths").and_then(|paths| paths.get(template)?.get(&verb));
    let Some(operation) = operation else {
        assert!(matches!(answer.status, 200..=599), "{method} {path}");
        return;
    };
    let status = answer.status.to_string();
    let response = operation["responses"].get(&status);
    let response = response.unwrap_or_else(|| panic!("{method} {template} answers {status}, which is not described: {}", answer.text));
    let Some(content) = response.get("content") else {
        assert!(answer.text.is_empty(), "{method} {template} {status} has a body that is not described");
        return;
    };
    let content_type = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let media = content.get(content_type).or_else(|| content.get("*/*"));
    let media = media.unwrap_or_else(|| panic!("{method} {template} {status} is {content_type}, which is not described"));
    let validator = validator(&format!("{method} {template} {status} {content_type}"), &media["schema"]);
    for value in values(content_type, answer) {
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{method} {template} {status} is not as described: {errors:?}\n{value}");
    }
}

/// What is described: the whole body, each line of NDJSON, or the bare text.
fn values(content_type: &str, answer: &Answer) -> Vec<Value> {
    match content_type {
        "application/json" => vec![answer.json()],
        "application/x-ndjson" => {
            assert!(answer.text.is_empty() || answer.text.ends_with('\n'), "the last line is cut");
            let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            answer.text.split_terminator('\n').map(line).collect()
        }
        _ => vec![Value::String(answer.text.clone())],
    }
}

/// The described path that this one is an instance of.
pub fn template(path: &str) -> Option<&'static str> {
    let path = path.split('?').next().unwrap_or_default();
    let matches = |template: &str| {
        let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(our), Some(their)) if our == their || (our.starts_with('{') && !their.is_empty()) => {}
                _ => return false,
            }
        }
    };
    DOCUMENT.get("paths")?.as_object()?.keys().map(String::as_str).find(|template| matches(template))
}

fn validator(key: &str, schema: &Value) -> Arc<Validator> {
    static KEPT: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let whole = json!({ "allOf": [schema], "components": DOCUMENT.get("components") });
        Arc::new(jsonschema::options().should_validate_formats(true).build(&whole).expect("a usable schema"))
    };
    Arc::clone(kept.entry(key.to_owned()).or_insert_with(make))
}

//! Says in words what a JSON schema has against a value.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use domain::{Details, text};
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use schemars::JsonSchema;
use serde_json::Value;

use super::schema_of;

/// Everything the schema of `T` has to say against a value.
pub(super) fn explain<T: JsonSchema + 'static>(value: &Value) -> Details {
    let mut details = Details::default();
    let Some(validator) = validator::<T>() else { return details };
    for error in validator.iter_errors(value) {
        report(&mut details, &error);
    }
    details
}

/// Whether there are objects within the object that `T` is.
pub(super) fn nests<T: JsonSchema + 'static>() -> bool {
    static KEPT: PerType<bool> = LazyLock::new(RwLock::default);
    once::<T, _>(&KEPT, || Some(objects(&schema_of::<T>()) > 1)).unwrap_or(true)
}

/// What was found out about types.
type PerType<V> = LazyLock<RwLock<HashMap<TypeId, V>>>;

/// What is found out about a type when it is first asked for, and then kept.
fn once<T: 'static, V: Clone>(kept: &PerType<V>, find: impl FnOnce() -> Option<V>) -> Option<V> {
    let id = TypeId::of::<T>();
    if let Some(known) = kept.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return Some(known.clone());
    }
    let found = find()?;
    kept.write().unwrap_or_else(PoisonError::into_inner).insert(id, found.clone());
    Some(found)
}

/// How many objects a schema describes.
fn objects(schema: &Value) -> usize {
    match schema {
        Value::Object(map) => usize::from(map.contains_key("properties")) + map.values().map(objects).sum::<usize>(),
        Value::Array(all) => all.iter().map(objects).sum(),
        _ => 0,
    }
}

/// Built at the first mistake of its kind, then kept: refusing must stay cheap.
fn validator<T: JsonSchema + 'static>() -> Option<Arc<Validator>> {
    static KEPT: PerType<Arc<Validator>> = LazyLock::new(RwLock::default);
    once::<T, _>(&KEPT, || {
        let options = jsonschema::options().should_validate_formats(true).with_format(text::TIMEZONE_FORMAT, text::is_timezone);
        let built = options.build(&schema_of::<T>());
        built.inspect_err(|error| log::error!("a schema cannot be used: {error}")).ok().map(Arc::new)
    })
}

fn report(details: &mut Details, error: &ValidationError<'_>) {
    let field = error.instance_path().as_str().trim_start_matches('/').replace('/', ".");
    let within = |name: &str| if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
    match error.kind() {
        ValidationErrorKind::Required { property } => details.push(&within(property.as_str().unwrap_or_default()), "Required"),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                details.push(&within(name), "Unknown field");
            }
        }
        kind => details.push(&field, problem(kind, error.instance())),
    }
}

fn problem(kind: &ValidationErrorKind, instance: &Value) -> String {
    let plural = |count: u64, noun: &str| if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") };
    match kind {
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                jsonschema::error::TypeKind::Single(one) => one.to_string(),
                jsonschema::error::TypeKind::Multiple(set) => set.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("Expected {expected}, received {}", type_name(instance))
        }
        ValidationErrorKind::MinLength { limit } => format!("Must be at least {}", plural(*limit, "character")),
        ValidationErrorKind::MaxLength { limit } => format!("Must be at most {}", plural(*limit, "character")),
        ValidationErrorKind::MinItems { limit } => format!("Must hold at least {}", plural(*limit, "item")),
        ValidationErrorKind::MaxItems { limit } => format!("Must hold at most {}", plural(*limit, "item")),
        ValidationErrorKind::Minimum { limit } => format!("Must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("Must be at most {limit}"),
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
            format!("Must be one of {}", options.join(", "))
        }
        ValidationErrorKind::Pattern { pattern } => text::explain(pattern).to_owned(),
        ValidationErrorKind::Format { format } if format == "email" => "Invalid email".to_owned(),
        ValidationErrorKind::Format { format } if format == text::TIMEZONE_FORMAT => text::explain(text::TIMEZONE.as_str()).to_owned(),
        ValidationErrorKind::Format { format } if format == "uuid" => "Invalid UUID".to_owned(),
        ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. } => {
            "Must be exactly one of the alternatives".to_owned()
        }
        _ => "Invalid value".to_owned(),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

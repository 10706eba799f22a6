//! Turns text into inputs that passed their rules, or into everything that is wrong with them at once.
//!
//! The way in is quick: deserialise, then garde's rules. Only when that fails is the input held against its JSON schema (the one in
//! the API description, made from the same rules), which names every field that is missing, unknown, of the wrong type or out of bounds.

mod explain;

use domain::{Details, text};
use garde::Validate;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use explain::{explain, nests};

/// A JSON text.
///
/// # Errors
/// Everything that is wrong with it.
pub fn json<T>(bytes: &[u8]) -> Result<T, Details>
where
    T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static,
{
    match serde_json::from_slice::<T>(bytes) {
        Ok(input) => {
            let value = || serde_json::from_slice(bytes).unwrap_or_default();
            let input = rules(input, value)?;
            let details = if may_hide_a_list::<T>(bytes) { explain::<T>(&value()) } else { Details::default() };
            if details.is_empty() { Ok(input) } else { Err(details) }
        }
        Err(error) => {
            // The first wrong field may stand before the place where the syntax breaks.
            let mut details = explain::<T>(&serde_json::from_slice(bytes).map_err(|error| malformed(&error))?);
            if let Some(field) = doubled(&error.to_string()) {
                details.push(field, "Given twice");
            }
            Err(some(details))
        }
    }
}

/// Whether serde may have taken a list for the fields of an object, in their order, which only the schema tells.
fn may_hide_a_list<T: JsonSchema + 'static>(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"[") || nests::<T>()
}

/// A lone surrogate, an overlong number or too deep a nesting is told apart from plain bad syntax by nobody.
fn malformed(error: &serde_json::Error) -> Details {
    Details::form(format!("Malformed JSON at line {}, column {}", error.line(), error.column()))
}

/// A JSON value that another form of input was turned into.
///
/// # Errors
/// Everything that is wrong with it.
pub fn value<T>(value: Value) -> Result<T, Details>
where
    T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static,
{
    match T::deserialize(&value) {
        Ok(input) => rules(input, || value),
        Err(_) => Err(some(explain::<T>(&value))),
    }
}

/// A query string.
///
/// # Errors
/// Everything that is wrong with it.
pub fn query<T>(text: &str) -> Result<T, Details>
where
    T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static,
{
    let failed = match serde_html_form::from_str::<T>(text) {
        Ok(input) => return rules(input, || query_value(&schema_of::<T>(), text).0),
        Err(error) => error.to_string(),
    };
    let (value, twice) = query_value(&schema_of::<T>(), text);
    let mut details = explain::<T>(&value);
    for field in twice {
        details.push(&field, "Given twice");
    }
    if let Some(field) = doubled(&failed) {
        details.push(field, "Given twice");
    }
    Err(some(details))
}

/// The schema of an input, complete in itself.
pub fn schema_of<T: JsonSchema>() -> Value {
    let generator = settings().into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

/// How all schemas are made: an enumeration is one list, not an alternative per value, and "absent" is no default.
pub fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with_transform(schemars::transform::RecursiveTransform(tidy))
}

fn tidy(schema: &mut schemars::Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    let values: Option<Vec<Value>> =
        schema.get("oneOf").and_then(Value::as_array).and_then(|all| all.iter().map(|one| one.get("const").cloned()).collect());
    if let Some(values) = values {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), values.into());
    }
}

/// Holds an input against garde's rules.
fn rules<T>(input: T, instance: impl FnOnce() -> Value) -> Result<T, Details>
where
    T: Validate<Context = ()> + JsonSchema + 'static,
{
    let Err(report) = input.validate() else { return Ok(input) };
    let mut details = explain::<T>(&instance());
    for (path, error) in report.iter() {
        let field = wire_name(&path.to_string());
        // The schema's words for a rule win; what only garde checks (a time zone's name, the finer points of e-mail) has its own.
        if !details.field_errors.contains_key(&field) {
            details.push(&field, plain(error.message()));
        }
    }
    Err(some(details))
}

/// One of garde's messages in our words.
fn plain(message: &str) -> &str {
    if message.starts_with("not a valid email") {
        return "Invalid email";
    }
    let pattern = message.strip_prefix("does not match pattern /").and_then(|rest| rest.strip_suffix('/'));
    pattern.map_or(message, |pattern| text::explain(pattern))
}

fn some(details: Details) -> Details {
    if details.is_empty() { Details::form("Invalid input") } else { details }
}

/// The field that serde says came twice. It has no other way to tell.
fn doubled(message: &str) -> Option<&str> {
    message.strip_prefix("duplicate field `")?.split_once('`').map(|(field, _)| field)
}

/// A path as garde writes it (`avatar_url`, `tags[0]`) as its JSON names (`avatarUrl`, `tags.0`).
fn wire_name(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut upper = false;
    for character in path.chars() {
        match character {
            '_' => upper = true,
            '[' => name.push('.'),
            ']' => {}
            other if upper => {
                name.extend(other.to_uppercase());
                upper = false;
            }
            other => name.push(other),
        }
    }
    name
}

/// A query string as the JSON value it stands for, by what the schema says each parameter is; and what was given twice for once.
fn query_value(schema: &Value, text: &str) -> (Value, Vec<String>) {
    let mut fields = Map::new();
    let mut twice = Vec::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let kind = schema.pointer(&format!("/properties/{name}/type")).and_then(Value::as_str);
        let item = match kind {
            Some("integer") => value.parse::<i128>().map_or_else(|_| value.as_ref().into(), number),
            _ => Value::from(value.as_ref()),
        };
        if kind == Some("array") {
            let list = fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if let Some(list) = list.as_array_mut() {
                list.push(item);
            }
        } else if fields.insert(name.clone().into_owned(), item).is_some() {
            twice.push(name.into_owned());
        }
    }
    (Value::Object(fields), twice)
}

/// A whole number as JSON; one too large for it as the largest, as only its being too large matters.
fn number(number: i128) -> Value {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }).into()
}

#[cfg(test)]
mod tests {
    use domain::{
        post::NewPost,
        user::{NewUser, ProfileUpdate, Registration},
    };
    use proptest::prelude::*;

    use super::*;

    fn problems<T>(text: &str) -> Vec<(String, String)>
    where
        T: DeserializeOwned + Validate<Context = ()> + JsonSchema + 'static,
    {
        let Err(details) = json::<T>(text.as_bytes()) else { return Vec::new() };
        let form = details.form_errors.into_iter().map(|problem| (String::new(), problem));
        let fields = details.field_errors.into_iter().flat_map(|(field, all)| all.into_iter().map(move |one| (field.clone(), one)));
        form.chain(fields).collect()
    }

    fn named(field: &str, problem: &str) -> (String, String) {
        (field.to_owned(), problem.to_owned())
    }

    #[test]
    fn all_problems_come_at_once_under_their_json_names() {
        let found = problems::<NewUser>(r#"{"email": "nobody", "role": "root", "admin": true}"#);
        assert_eq!(
            found,
            [
                named("admin", "Unknown field"),
                named("email", "Invalid email"),
                named("name", "Required"),
                named("role", "Must be one of user, admin"),
            ]
        );
    }

    #[test]
    fn rules_and_types_have_words() {
        let long = "x".repeat(101);
        for (text, expected) in [
            (r#"{"email":"a@b.co","name":"A","password":"long enough"}"#.to_owned(), named("name", "Must be at least 2 characters")),
            (format!(r#"{{"email":"a@b.co","name":"{long}","password":"long enough"}}"#), named("name", "Must be at most 100 characters")),
            (r#"{"email":"a@b.co","name":"Ada","password":"short"}"#.to_owned(), named("password", "Must be at least 8 characters")),
            (r#"{"email":7,"name":"Ada","password":"long enough"}"#.to_owned(), named("email", "Expected string, received number")),
            (
                r#"{"email":"a@b.co","name":"A\u0000a","password":"long enough"}"#.to_owned(),
                named("name", "Must not be blank or contain control characters"),
            ),
            (r#"{"email":"a@b.co","email":"a@b.co","name":"Ada","password":"long enough"}"#.to_owned(), named("email", "Given twice")),
        ] {
            assert_eq!(problems::<Registration>(&text), [expected], "{text}");
        }
        assert_eq!(problems::<ProfileUpdate>(r#"{"name": null}"#), [named("name", "Expected string, received null")]);
        assert_eq!(
            problems::<ProfileUpdate>(r#"{"timezone": "Mars/Base"}"#),
            [named("timezone", "Must be an IANA time zone such as Europe/Paris")]
        );
        assert_eq!(problems::<ProfileUpdate>(r#"{"avatarUrl": "javascript:x"}"#), [named("avatarUrl", "Must be an http or https URL")]);
        assert_eq!(problems::<ProfileUpdate>(r#"{"avatarUrl": null}"#), []);
        assert_eq!(problems::<NewPost>(r#"{"title":"t","content":"c","tags":["ok",""]}"#)[0].0, "tags.1");
    }

    #[test]
    fn what_is_no_json_says_where() {
        assert_eq!(problems::<NewUser>("{\"a\":\n}"), [named("", "Malformed JSON at line 2, column 1")]);
        assert_eq!(problems::<NewUser>("[1]")[0].1, "Expected object, received array");
        assert!(problems::<NewUser>(&"[".repeat(100_000))[0].1.starts_with("Malformed JSON"));
        assert!(problems::<NewUser>(r#"{"email":"\ud800"}"#)[0].1.starts_with("Malformed JSON"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_input_or_explained(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Err(details) = json::<NewPost>(&bytes) {
                prop_assert!(!details.is_empty());
            }
        }

        #[test]
        fn schema_and_rules_agree(title in ".{0,210}", content in "[^\\x00]{0,30}|\\x00", tag in ".{0,60}") {
            let instance = serde_json::json!({ "title": title, "content": content, "tags": [tag] });
            let accepted = value::<NewPost>(instance.clone()).is_ok();
            prop_assert_eq!(accepted, explain::<NewPost>(&instance).is_empty());
        }

        #[test]
        fn schema_and_rules_agree_on_accounts(email in "[a-z]{1,5}@[a-z]{1,5}\\.[a-z]{2,3}|[a-z@.]{0,10}", name in ".{0,5}", password in ".{6,10}") {
            let instance = serde_json::json!({ "email": email, "name": name, "password": password });
            let rejected = value::<Registration>(instance.clone()).is_err();
            prop_assert!(rejected || explain::<Registration>(&instance).is_empty());
        }
    }
}

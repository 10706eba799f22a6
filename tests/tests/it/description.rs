//! The API description says what the code does, and the documents say what the code knows.

use std::{collections::HashSet, fs, path::Path};

use serde_json::Value;
use tests::{App, contract::document};

#[test]
fn every_route_is_described_once() {
    let mut operations = HashSet::new();
    for row in api::routes::table() {
        for entry in row.entries() {
            let described = &document()["paths"][row.path()][entry.method.as_str().to_ascii_lowercase()];
            assert_eq!(described.is_null(), entry.hidden, "{} {}", entry.method, row.path());
            if !entry.hidden {
                assert_eq!(described["summary"], entry.summary);
                assert!(operations.insert(described["operationId"].to_string()), "{} twice", described["operationId"]);
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').expect("a local reference");
                    assert!(document().pointer(pointer).is_some(), "{reference}");
                }
                fields.values().for_each(walk);
            }
            Value::Array(items) => items.iter().for_each(walk),
            _ => {}
        }
    }
    walk(document());
}

#[test]
fn every_text_and_list_that_comes_in_is_bounded() {
    fn walk(schema: &Value, place: &str) {
        let kind = &schema["type"];
        let is = |name: &str| kind == name || kind.as_array().is_some_and(|kinds| kinds.contains(&name.into()));
        if is("string") && schema["enum"].is_null() && schema["format"] != "binary" {
            assert!(schema["maxLength"].is_u64(), "{place}: {schema}");
        }
        if is("array") {
            assert!(schema["maxItems"].is_u64(), "{place}: {schema}");
            walk(&schema["items"], place);
        }
        if is("object") {
            assert_eq!(schema["additionalProperties"], false, "{place}");
            schema["properties"]
                .as_object()
                .expect("properties")
                .iter()
                .for_each(|(name, schema)| walk(schema, &format!("{place}.{name}")));
        }
    }
    for (path, operations) in document()["paths"].as_object().expect("paths") {
        // What providers send has the shape they like; as a whole it is bounded all the same.
        if path.starts_with("/api/webhooks/") {
            continue;
        }
        for (method, operation) in operations.as_object().expect("operations") {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                walk(&parameter["schema"], &format!("{method} {path} {}", parameter["name"]));
            }
            for (_, media) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                let schema = &media["schema"];
                let schema = schema["$ref"].as_str().map_or(schema, |reference| document().pointer(&reference[1..]).expect("a schema"));
                walk(schema, &format!("{method} {path}"));
            }
        }
    }
}

#[test]
fn rules_show_in_the_schemas() {
    let schema = |name: &str| document()["components"]["schemas"][name]["properties"].clone();
    let new_user = schema("NewUser");
    assert_eq!((&new_user["name"]["minLength"], &new_user["name"]["maxLength"]), (&2.into(), &100.into()));
    assert_eq!((&new_user["email"]["format"], &new_user["email"]["maxLength"]), (&"email".into(), &254.into()));
    assert_eq!(new_user["role"]["enum"], serde_json::json!(["user", "admin"]));
    assert!(new_user["name"]["pattern"].is_string());
    let post = schema("NewPost");
    assert_eq!((&post["tags"]["maxItems"], &post["tags"]["items"]["maxLength"]), (&20.into(), &50.into()));
    assert_eq!(schema("Registration")["password"]["minLength"], 8);
    let search = document()["paths"]["/api/search"]["get"]["parameters"].as_array().expect("parameters").clone();
    let limit = search.iter().find(|parameter| parameter["name"] == "limit").expect("limit");
    assert_eq!(
        (&limit["schema"]["minimum"], &limit["schema"]["maximum"], &limit["schema"]["default"]),
        (&1.into(), &100.into(), &20.into())
    );
}

#[test]
fn every_error_code_is_described_and_in_the_documents() {
    let described = document()["components"]["schemas"]["ErrorCode"]["enum"].as_array().expect("codes").clone();
    let table: Vec<Value> = domain::Code::TABLE.iter().map(|row| row.name.into()).collect();
    assert_eq!(described, table);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    assert_eq!(fs::read_to_string(page).expect("docs/errors.md"), api::openapi::catalogue(), "run `make docs`");
}

#[test]
fn guards_show_as_security() {
    let security = |path: &str, method: &str| document()["paths"][path][method]["security"].clone();
    assert_eq!(security("/api/profile", "get"), serde_json::json!([{ "bearer": [] }, { "cookie": [] }]));
    assert_eq!(security("/api/search", "get"), serde_json::json!([]));
    let delete = &document()["paths"]["/api/users/{id}"]["delete"];
    assert!(delete["description"].as_str().is_some_and(|text| text.contains("admin")));
    for status in ["200", "400", "401", "403", "404", "409", "500", "503"] {
        assert!(!delete["responses"][status].is_null(), "{status}");
    }
}

#[tokio::test]
async fn the_page_is_served_from_the_program_alone() {
    let app = App::start().await;
    assert_eq!(&app.anon().get("/openapi.json").send().await.expect(200).json(), document());
    let page = app.anon().get("/docs").send().await.expect(200);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    let mut files = 0;
    for part in page.text.split("=\"").skip(1) {
        let reference = part.split('"').next().unwrap_or_default();
        assert!(!reference.contains("://"), "{reference} is elsewhere");
        if reference.starts_with("/docs/") {
            app.anon().get(reference).send().await.expect(200);
            files += 1;
        }
    }
    assert!(files >= 4, "{}", page.text);
    let start = app.anon().get("/docs/swagger-initializer.js").send().await.expect(200);
    assert!(start.text.contains("/openapi.json"));
}

//! A new post in any of the three body types of the article: JSON, a form, or bare text.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use domain::{Error, Result, post::NewPost};
use serde_json::{Map, Value, json};

use crate::{
    describe::{Describe, Operation},
    extract::{Body, Form, Limits, is_utf8, text, utf8, validate},
};

const TYPES: &str = "application/json, multipart/form-data, text/plain or text/markdown";

/// A new post that passed its rules, however it came.
pub struct Submission(pub NewPost);

impl FromRequest for Submission {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let Ok(Some(mime)) = request.mime_type() else { return Err(Error::unsupported_media_type(TYPES)) };
            let limits = Limits::of(&request)?;
            match (mime.type_().as_str(), mime.subtype().as_str()) {
                ("application", "json") => Body::from_request(&request, &mut payload).await.map(|Body(new)| Self(new)),
                ("multipart", "form-data") => from_form(Form::read(&request, payload, limits).await?),
                ("text", "plain" | "markdown") if is_utf8(&mime) => {
                    from_text(text(&request, payload, limits.json_bytes_max, limits.deadline()).await?)
                }
                _ => Err(Error::unsupported_media_type(TYPES)),
            }
        })
    }
}

/// Bare text: its first heading or line is the title.
fn from_text(text: String) -> Result<Submission> {
    let NewPost { title, content, .. } = NewPost::from_text(text);
    validate::value(json!({ "title": title, "content": content })).map(Submission).map_err(Error::invalid_body)
}

/// A form: `title`, `content`, any number of `tags`; or a text `file` in place of `content`, whose heading may serve as title.
fn from_form(form: Form) -> Result<Submission> {
    let mut fields = Map::new();
    let mut tags = Vec::new();
    for (name, value) in form.fields {
        if name == "tags" {
            tags.push(Value::from(value));
        } else if fields.insert(name.clone(), value.into()).is_some() {
            return Err(Error::invalid_field(&name, "Given twice"));
        }
    }
    let mut file_name = None;
    if let Some(file) = form.file {
        if file.field != "file" {
            return Err(Error::invalid_field(&file.field, "Must not be a file"));
        }
        if fields.contains_key("content") {
            return Err(Error::invalid_field("file", "Give content or file, not both"));
        }
        let text = utf8(&file.bytes).map_err(|problem| Error::invalid_field("file", problem))?;
        let NewPost { title, content, .. } = NewPost::from_text(text);
        fields.entry("title").or_insert_with(|| title.into());
        fields.insert("content".to_owned(), content.into());
        file_name = Some(file.name);
    }
    fields.insert("tags".to_owned(), tags.into());
    let mut new: NewPost = validate::value(fields.into()).map_err(Error::invalid_body)?;
    new.file_name = file_name;
    if garde::Validate::validate(&new).is_err() {
        return Err(Error::invalid_field("file", "Must have a name of 1 to 255 characters without control characters"));
    }
    Ok(Submission(new))
}

impl Describe for Submission {
    fn describe(operation: &mut Operation<'_>) {
        let schema = operation.input::<NewPost>();
        operation.takes("application/json", &schema);
        let mut fields = validate::schema_of::<NewPost>().get("properties").cloned().unwrap_or_default();
        let text = fields.get("content").cloned().unwrap_or_default();
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("file".to_owned(), json!({ "type": "string", "format": "binary" }));
        }
        let form = json!({
            "type": "object",
            "description": "`title` and `content`; or a text or Markdown `file` in place of `content`, whose first heading or line is the \
                title when there is none.",
            "properties": fields,
            "additionalProperties": false,
        });
        operation.takes("multipart/form-data", &form);
        operation.takes("text/markdown", &text);
        operation.takes("text/plain", &text);
        operation.notes.push("Bare text takes its first heading or line as the title.".to_owned());
    }
}

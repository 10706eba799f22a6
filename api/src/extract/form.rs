//! Reads `multipart/form-data`: text fields and at most one file, all bounded.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{HttpRequest, dev::Payload, web::BytesMut};
use domain::{Error, Result};
use futures::TryStreamExt;
use tokio::time::timeout_at;

use super::body::{self, Limits};
use crate::once::BodyDigest;

/// The most parts a form may have.
const PARTS_MAX: usize = 64;

/// A form.
#[derive(Debug, Default)]
pub struct Form {
    /// The text fields, in order.
    pub fields: Vec<(String, String)>,
    /// The part that came with a file name.
    pub file: Option<File>,
}

/// A file of a form.
#[derive(Debug)]
pub struct File {
    /// The name of its part.
    pub field: String,
    /// The name it had where it came from. Never a path here: nothing is opened by it.
    pub name: String,
    /// What it holds.
    pub bytes: BytesMut,
}

impl Form {
    /// Reads a form of at most so many bytes, within so much time.
    ///
    /// # Errors
    /// 413, 415, 408; 400 when it is malformed, has too many parts or more than one file.
    pub async fn read(request: &HttpRequest, payload: Payload, limits: Limits) -> Result<Self> {
        body::admit(request, limits.form_bytes_max)?;
        let multipart = Multipart::new(request.headers(), payload);
        let form = timeout_at(limits.deadline(), collect(multipart, limits.form_bytes_max)).await.map_err(|_| body::late())??;
        // Not of the raw body: a client that repeats itself draws another boundary.
        BodyDigest::leave(request, form.parts());
        Ok(form)
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let fields = self.fields.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let file = self.file.iter().flat_map(|file| [file.field.as_bytes(), file.name.as_bytes(), &file.bytes]);
        fields.chain([b"file".as_slice()]).chain(file)
    }
}

async fn collect(mut multipart: Multipart, limit: usize) -> Result<Form> {
    let mut form = Form::default();
    let mut room = limit;
    let mut parts = 0;
    while let Some(mut field) = multipart.try_next().await.map_err(|error| malformed(&error))? {
        parts += 1;
        if parts > PARTS_MAX {
            return Err(Error::invalid_field("", &format!("Must have at most {PARTS_MAX} parts")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.content_disposition().and_then(|disposition| disposition.get_filename()).map(str::to_owned);
        let bytes = part(&mut field, &mut room, limit).await?;
        match file_name {
            // Browsers send an empty, unnamed file for a file input that was left alone.
            Some(file_name) if file_name.is_empty() && bytes.is_empty() => {}
            Some(_) if form.file.is_some() => return Err(Error::invalid_field(&name, "Only one file is taken")),
            Some(file_name) => form.file = Some(File { field: name, name: file_name, bytes }),
            None => {
                let text = body::utf8(&bytes).map_err(|problem| Error::invalid_field(&name, problem))?;
                form.fields.push((name, text));
            }
        }
    }
    Ok(form)
}

async fn part(field: &mut Field, room: &mut usize, limit: usize) -> Result<BytesMut> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.try_next().await.map_err(|error| malformed(&error))? {
        *room = room.checked_sub(chunk.len()).ok_or_else(|| Error::too_large(limit))?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn malformed(error: &MultipartError) -> Error {
    log::debug!("a form could not be read: {error}");
    Error::invalid_field("", "Malformed form data")
}

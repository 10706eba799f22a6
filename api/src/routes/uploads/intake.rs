//! A form with a file in it, handed on to the storage as it comes: no more of it is held than a part or two.

use std::future::{Ready, ready};

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    web::{Bytes, BytesMut, Data},
};
use domain::{
    Code, Error, Result,
    upload::{self, NewUpload},
};
use futures::TryStreamExt;
use persistence::uploads::Whole;
use serde_json::json;
use sha2::{Digest, Sha256};
use upstream::storage::PART_BYTES;

use crate::{
    describe::{Describe, Operation},
    extract::{admit, declared_length, utf8, validate},
    once::BodyDigest,
    uploads::{Deposit, HEAD_BYTES, Pace, Uploads},
};

/// The most that a form may hold beside the file: boundaries, heads of parts, the name.
const REST_BYTES_MAX: u64 = 64 * 1024;
/// The longest text of a part that is no file: 200 characters of at most four bytes.
const TEXT_BYTES_MAX: usize = 800;
/// From here on a part is given all its room at once.
const SMALL_BYTES: usize = 256 * 1024;

/// A form of which nothing is read yet.
pub struct Incoming {
    request: HttpRequest,
    multipart: Multipart,
    pace: Pace,
    declared: u64,
}

impl FromRequest for Incoming {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(open(request, payload))
    }
}

fn open(request: &HttpRequest, payload: &mut Payload) -> Result<Incoming> {
    let uploads = request.app_data::<Data<Uploads>>().ok_or_else(|| Error::internal("no uploads"))?;
    uploads.store()?;
    if !matches!(request.mime_type(), Ok(Some(mime)) if mime.essence_str() == "multipart/form-data") {
        return Err(Error::unsupported_media_type("multipart/form-data"));
    }
    let limit = uploads.file_bytes_max.saturating_add(REST_BYTES_MAX);
    admit(request, usize::try_from(limit).unwrap_or(usize::MAX))?;
    let declared = declared_length(request);
    let multipart = Multipart::new(request.headers(), payload.take());
    Ok(Incoming { request: request.clone(), multipart, pace: uploads.pace, declared: declared.unwrap_or(0) })
}

/// A file all of which has come, but for its last part not all of which is handed on.
struct Received {
    file_name: String,
    content_type: &'static str,
    size: u64,
    sha256: [u8; 32],
    last: Bytes,
}

impl Incoming {
    /// The least that the file has, as far as can be known before it comes.
    pub(super) fn bytes_min(&self) -> u64 {
        self.declared.saturating_sub(REST_BYTES_MAX)
    }

    /// Reads the form to its end, and hands all of its file on but the last part, which is given back. Without a deposit it only learns
    /// what has come.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, `REQUEST_TIMEOUT`, `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`, and those of the deposit.
    pub(super) async fn receive(mut self, uploads: &Uploads, mut deposit: Option<&mut Deposit>) -> Result<(Whole, Bytes)> {
        let (mut name, mut file): (Option<NewUpload>, Option<Received>) = (None, None);
        while let Some(mut field) = self.pace.wait(self.multipart.try_next()).await?.map_err(|error| malformed(&error))? {
            let field_name = field.name().unwrap_or_default().to_owned();
            match (field_name.as_str(), given_name(&field)) {
                ("file", Some(given)) if given.is_empty() && file.is_none() => self.skip_empty(&mut field).await?,
                ("file", Some(_)) if file.is_some() => return Err(Error::invalid_field("file", "Only one file is taken")),
                ("file", Some(given)) => file = Some(self.file(uploads, &mut field, &given, deposit.as_deref_mut()).await?),
                ("file", None) => return Err(Error::invalid_field("file", "Must be a file")),
                ("name", None) if name.is_some() => return Err(Error::invalid_field("name", "Given twice")),
                ("name", None) => name = Some(self.name(&mut field).await?),
                ("name", Some(_)) => return Err(Error::invalid_field("name", "Must not be a file")),
                (other, _) => return Err(Error::invalid_field(other, "Unknown field")),
            }
        }
        let file = file.ok_or_else(|| Error::invalid_field("file", "Required"))?;
        let Received { file_name, content_type, size, sha256, last } = file;
        let name = name.and_then(|new| new.name);
        // Not of the raw body: a client that repeats itself draws another boundary.
        let parts = [name.as_deref().unwrap_or_default().as_bytes(), file_name.as_bytes(), content_type.as_bytes(), &sha256];
        BodyDigest::leave(&self.request, parts);
        Ok((Whole { name, file_name, size, content_type: content_type.to_owned(), sha256 }, last))
    }

    /// The next piece of a part.
    async fn piece(&mut self, field: &mut Field) -> Result<Option<Bytes>> {
        let piece = self.pace.wait(field.try_next()).await?.map_err(|error| malformed(&error))?;
        self.pace.came(piece.as_ref().map_or(0, Bytes::len));
        Ok(piece)
    }

    /// Hands on a file part by part. What it is is settled before anything of it is.
    async fn file(&mut self, uploads: &Uploads, field: &mut Field, given: &str, mut deposit: Option<&mut Deposit>) -> Result<Received> {
        let problem = "Must have a name of 1 to 255 characters without control characters";
        let file_name = upload::file_name(given).ok_or_else(|| Error::invalid_field("file", problem))?;
        let said = field.content_type().cloned();
        let (mut buffer, mut hash, mut size, mut kind) = (BytesMut::new(), Sha256::new(), 0_u64, None);
        while let Some(mut bytes) = self.piece(field).await? {
            size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            if size > uploads.file_bytes_max {
                return Err(Error::too_large(uploads.file_bytes_max));
            }
            hash.update(&bytes);
            while !bytes.is_empty() {
                let room = PART_BYTES.saturating_sub(buffer.len());
                if buffer.len() > SMALL_BYTES {
                    buffer.reserve(room);
                }
                buffer.extend_from_slice(&bytes.split_to(room.min(bytes.len())));
                if kind.is_none() && buffer.len() >= HEAD_BYTES {
                    kind = Some(uploads.kinds.judge(&buffer, said.as_ref())?);
                }
                if buffer.len() == PART_BYTES {
                    let part = std::mem::take(&mut buffer).freeze();
                    if let Some(deposit) = deposit.as_deref_mut() {
                        deposit.part(part).await?;
                    }
                }
            }
        }
        if size == 0 {
            return Err(Error::invalid_field("file", "Must not be empty"));
        }
        let content_type = kind.map_or_else(|| uploads.kinds.judge(&buffer, said.as_ref()), Ok)?;
        Ok(Received { file_name, content_type, size, sha256: hash.finalize().into(), last: buffer.freeze() })
    }

    async fn name(&mut self, field: &mut Field) -> Result<NewUpload> {
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.piece(field).await? {
            if bytes.len() + piece.len() > TEXT_BYTES_MAX {
                return Err(Error::invalid_field("name", "Must be at most 200 characters"));
            }
            bytes.extend_from_slice(&piece);
        }
        let name = utf8(&bytes).map_err(|problem| Error::invalid_field("name", problem))?;
        validate::value(json!({ "name": name })).map_err(Error::invalid_body)
    }

    /// Browsers send an empty, unnamed file for a file input that was left alone.
    async fn skip_empty(&mut self, field: &mut Field) -> Result<()> {
        match self.piece(field).await? {
            None => Ok(()),
            Some(_) => Err(Error::invalid_field("file", "Must have a name")),
        }
    }
}

/// The name a file came with; `None` for a part that is no file. Browsers write a quotation mark in it as `%22`.
fn given_name(field: &Field) -> Option<String> {
    let disposition = field.content_disposition()?;
    let extended = || disposition.get_filename_ext().map(|name| String::from_utf8_lossy(&name.value).into_owned());
    let plain = disposition.get_filename().map(|name| name.replace("%22", "\""));
    extended().or(plain)
}

fn malformed(error: &MultipartError) -> Error {
    log::debug!("a form could not be read: {error}");
    Error::invalid_field("", "Malformed form data")
}

impl Describe for Incoming {
    fn describe(operation: &mut Operation<'_>) {
        let mut schema = validate::schema_of::<NewUpload>();
        if let Some(fields) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
            fields.insert("file".to_owned(), json!({ "type": "string", "format": "binary" }));
        }
        let fields = schema.get("properties").cloned().unwrap_or_default();
        let form = json!({ "type": "object", "properties": fields, "required": ["file"], "additionalProperties": false });
        operation.takes("multipart/form-data", &form);
        operation.notes.push("What the file is is judged by its bytes; a text may be named CSV, Markdown or JSON by its part.".to_owned());
        operation.fails(&[Code::QuotaExceeded, Code::RateLimited, Code::NotConfigured]);
    }
}

//! The settings of uploads, and of where they are kept.

use std::path::Path;

use super::SECOND_MS;
use crate::{
    reader::Reader,
    types::{Keys, S3, Storage, Uploads},
    values::{self, link_base},
};

/// What is taken unless said otherwise: nothing that a browser or a system would run.
const TYPES: &str = "image/*,audio/*,video/*,text/plain,text/csv,text/markdown,application/json,application/pdf,application/rtf,\
    application/zip,application/gzip,application/x-tar,application/x-7z-compressed,application/epub+zip,application/msword,\
    application/vnd.ms-excel,application/vnd.ms-powerpoint,\
    application/vnd.openxmlformats-officedocument.wordprocessingml.document,\
    application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,\
    application/vnd.openxmlformats-officedocument.presentationml.presentation,application/vnd.oasis.opendocument.text,\
    application/vnd.oasis.opendocument.spreadsheet,application/vnd.oasis.opendocument.presentation";
// What comes slowest all the same, a part of 5 MiB takes less than the hour after which an upload counts as left behind.
/// S3 takes 10 000 parts of 5 MiB.
const BYTES_MAX: u64 = 48 << 30;

pub(super) fn read(r: &mut Reader<'_>, data_dir: &Path, production: bool) -> Uploads {
    let storage = storage(r, data_dir, production);
    r.section("Uploads");
    Uploads {
        storage,
        file_bytes_max: r.number("UPLOAD_MAX_BYTES", 1 << 30, 1..=BYTES_MAX, "largest file, in bytes"),
        user_bytes_max: r.number("UPLOAD_USER_MAX_BYTES", 10 << 30, 1..=1 << 50, "bytes that one account may keep"),
        user_files_max: r.number("UPLOAD_USER_MAX_FILES", 1000, 1..=1_000_000, "files that one account may keep"),
        types: r
            .value(
                "UPLOAD_TYPES",
                values::List(list(TYPES)),
                "what files may be, judged by their bytes, comma separated; image/* and */* too",
                types,
            )
            .0,
        timeout: r.duration("UPLOAD_TIMEOUT_SECONDS", 60, 1..=1800, SECOND_MS, "longest time a file may take, beside that of the rate"),
        bytes_per_second_min: r.number(
            "UPLOAD_MIN_BYTES_PER_SECOND",
            65_536,
            4096..=1 << 30,
            "who sends faster than this is given all the time it takes",
        ),
        stall: r.duration("UPLOAD_STALL_SECONDS", 15, 1..=600, SECOND_MS, "longest time nothing may come of a file"),
        at_once: r.number(
            "UPLOADS_AT_ONCE",
            32,
            1..=10_000,
            "files that are taken in at the same time, per process; each takes up to 15 MiB of memory",
        ),
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|item| item.trim().to_ascii_lowercase()).filter(|item| !item.is_empty()).collect()
}

fn types(text: &str) -> Result<values::List<String>, String> {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte));
    let fit = |item: &String| match item.split_once('/') {
        Some(("*", subtype)) => subtype == "*",
        Some((kind, subtype)) => word(kind) && (subtype == "*" || word(subtype)),
        None => false,
    };
    let items = list(text);
    if !items.is_empty() && items.iter().all(fit) {
        Ok(values::List(items))
    } else {
        Err("must be media types such as image/png,image/*,application/pdf".to_owned())
    }
}

fn storage(r: &mut Reader<'_>, data_dir: &Path, production: bool) -> Option<Storage> {
    r.section("Storage of files");
    let doc = "file:///folder or s3://bucket/prefix; absent in development: DATA_DIR/uploads; absent in production: no uploads";
    let url = r.optional("STORAGE_URL", doc, values::storage_url);
    let s3 = S3 {
        bucket: String::new(),
        prefix: String::new(),
        region: r.value("AWS_REGION", "us-east-1".to_owned(), "region of the bucket", |text| Ok(text.to_owned())),
        endpoint: r.optional(
            "AWS_ENDPOINT_URL",
            "where a server that speaks S3 is, unless it is Amazon's; e.g. http://minio:9000",
            link_base,
        ),
        virtual_hosted: r.flag("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", false, "whether the bucket's name is part of the host's"),
        keys: keys(r),
    };
    match url {
        Some(url) => Some(match url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((bucket, prefix)) => Storage::S3(S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned(), ..s3 }),
            None => Storage::Folder(url.strip_prefix("file://").unwrap_or_default().into()),
        }),
        None if production => None,
        None => Some(Storage::Folder(data_dir.join("uploads"))),
    }
}

fn keys(r: &mut Reader<'_>) -> Option<Keys> {
    let mut secret = |name, doc| r.secret(name, doc, |_| Ok(()), |_| "***".to_owned());
    let id = secret("AWS_ACCESS_KEY_ID", "access key to the bucket; without one, the role of the machine (EC2)");
    let key = secret("AWS_SECRET_ACCESS_KEY", "secret access key to the bucket");
    let token = secret("AWS_SESSION_TOKEN", "session token, where keys end");
    match (id, key) {
        (Some(id), Some(secret)) => Some(Keys { id, secret, token }),
        (None, None) => None,
        _ => {
            r.problem("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together: set both or neither");
            None
        }
    }
}

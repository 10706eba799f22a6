//! Files that users keep.

use std::{path::PathBuf, time::Duration};

use crate::Secret;

/// Files that users keep.
#[derive(Debug, Clone)]
pub struct Uploads {
    /// Where they are kept; absent means that there are no uploads.
    pub storage: Option<Storage>,
    /// The largest file, in bytes.
    pub file_bytes_max: u64,
    /// The bytes one account may keep.
    pub user_bytes_max: u64,
    /// The files one account may keep.
    pub user_files_max: u32,
    /// The media types a file may have: `image/png`, `image/*` or `*/*`, in lower case.
    pub types: Vec<String>,
    /// The longest a file may take to come, beside what the least rate gives it.
    pub timeout: Duration,
    /// The least rate, in bytes per second: each byte that comes buys the time it takes at this rate.
    pub bytes_per_second_min: u32,
    /// The longest nothing may come.
    pub stall: Duration,
    /// Files taken in at the same time.
    pub at_once: usize,
}

/// Where files are kept.
#[derive(Debug, Clone)]
pub enum Storage {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket.
    S3(S3),
}

/// A bucket of S3, or of a server that speaks its protocol.
#[derive(Debug, Clone)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with; may be empty.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// Where the server is, unless it is Amazon's.
    pub endpoint: Option<String>,
    /// Whether the bucket's name is part of the host's.
    pub virtual_hosted: bool,
    /// Who asks; absent means the role of the machine.
    pub keys: Option<Keys>,
}

/// Keys to a bucket.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The access key.
    pub id: Secret<String>,
    /// The secret access key.
    pub secret: Secret<String>,
    /// The session token of keys that end.
    pub token: Option<Secret<String>>,
}

//! Uploads while they come: where they go, what may come, how slowly, and how many at once.

mod deposit;
mod kind;
mod pace;
mod places;

use std::{io, time::Duration};

use config::Config;
use domain::{Code, Error, Result, upload::Quota};
use upstream::storage::{Keys, S3, Store, Unusable};

pub(crate) use deposit::{Deposit, Job};
pub(crate) use kind::{HEAD_BYTES, Kinds, is_text};
pub(crate) use pace::Pace;
pub(crate) use places::Places;

/// What all workers share.
pub struct Uploads {
    /// Where files are kept; absent when that is not configured.
    pub(crate) store: Option<Store>,
    /// The largest file, in bytes.
    pub(crate) file_bytes_max: u64,
    /// What one account may keep.
    pub(crate) quota: Quota,
    /// What files may be.
    pub(crate) kinds: Kinds,
    /// How slowly they may come.
    pub(crate) pace: Pace,
    /// Who may send one now.
    pub(crate) places: Places,
}

impl Uploads {
    /// As it is configured.
    ///
    /// # Errors
    /// When the storage cannot be used.
    pub fn open(config: &Config) -> io::Result<Self> {
        let settings = &config.uploads;
        let store = store(config)?;
        match &store {
            Some(store) => slog_scope::debug!("files are kept"; "where" => store.to_string()),
            None => slog_scope::info!("uploads are not configured: set STORAGE_URL"),
        }
        Ok(Self {
            store,
            file_bytes_max: settings.file_bytes_max,
            quota: Quota { bytes: settings.user_bytes_max, files: settings.user_files_max },
            kinds: Kinds::new(settings.types.clone()),
            pace: Pace::new(settings.timeout, settings.stall, settings.bytes_per_second_min),
            places: Places::new(settings.at_once),
        })
    }

    /// Where files are kept.
    ///
    /// # Errors
    /// `NOT_CONFIGURED`.
    pub(crate) fn store(&self) -> Result<&Store> {
        self.store.as_ref().ok_or_else(|| Error::new(Code::NotConfigured, "Uploads are not configured"))
    }
}

/// Where files are kept, when that is configured.
///
/// # Errors
/// When the folder cannot be made, or a setting is wrong.
pub fn store(config: &Config) -> io::Result<Option<Store>> {
    let wrong = |error: Unusable| io::Error::new(io::ErrorKind::InvalidInput, format!("STORAGE_URL: {error}"));
    match &config.uploads.storage {
        None => Ok(None),
        Some(config::Storage::Folder(folder)) => Store::folder(&std::path::absolute(folder)?).map(Some).map_err(wrong),
        Some(config::Storage::S3(s3)) => {
            let keys = s3.keys.as_ref().map(|keys| Keys {
                id: keys.id.expose().clone(),
                secret: keys.secret.expose().clone(),
                token: keys.token.as_ref().map(|token| token.expose().clone()),
            });
            let settings = S3 {
                bucket: s3.bucket.clone(),
                prefix: s3.prefix.clone(),
                region: s3.region.clone(),
                endpoint: s3.endpoint.clone(),
                virtual_hosted: s3.virtual_hosted,
                keys,
            };
            Store::s3(&settings).map(Some).map_err(wrong)
        }
    }
}

/// What to answer when the storage fails: what passes is 503.
pub(crate) fn failed(error: upstream::storage::Error) -> Error {
    use upstream::storage::Error as Storage;
    match error {
        Storage::Full(_) | Storage::Away(_) => Error::unavailable(error),
        Storage::Absent(_) | Storage::Fault(_) => Error::internal(error),
    }
}

/// How often an upload shows that it goes on, at least.
const TOUCH_EVERY: Duration = Duration::from_secs(5 * 60);

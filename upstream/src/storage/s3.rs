//! A bucket of S3 as a store, through an HTTP client of ours.

use std::{fmt, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey},
    client::{HttpClient, HttpConnector},
};
use reqwest::{Client, redirect::Policy};

use super::Unusable;
use crate::tls;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long S3 may say nothing, while it takes in a part or sends one.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// Closed before S3's side does it, so that none is used while it is being closed.
const IDLE_MAX: Duration = Duration::from_secs(15);
const RETRIES_MAX: usize = 3;
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// Who asks; nobody in particular is whom the machine stands for (the role of an EC2 instance).
#[derive(Clone)]
pub struct Keys {
    /// The access key's id.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token of keys that end.
    pub token: Option<String>,
}

/// How to reach a bucket. `Debug` prints stars for the keys.
#[derive(Clone)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with, without slashes around it; may be empty.
    pub prefix: String,
    /// The region.
    pub region: String,
    /// Where a server that is not Amazon's is.
    pub endpoint: Option<String>,
    /// Whether the bucket's name is part of the host's, which then stands in the endpoint.
    pub virtual_hosted: bool,
    /// Who asks.
    pub keys: Option<Keys>,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, prefix, region, endpoint, virtual_hosted, keys } = self;
        f.debug_struct("S3")
            .field("bucket", bucket)
            .field("prefix", prefix)
            .field("region", region)
            .field("endpoint", endpoint)
            .field("virtual_hosted", virtual_hosted)
            .field("keys", &keys.as_ref().map(|_| "***"))
            .finish()
    }
}

pub(super) fn open(settings: &S3) -> Result<AmazonS3, Unusable> {
    let retry = RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES_MAX, retry_timeout: RETRY_TIMEOUT };
    let mut builder = AmazonS3Builder::new()
        .with_http_connector(Connector)
        .with_retry(retry)
        .with_bucket_name(&settings.bucket)
        .with_region(&settings.region)
        // One object goes at a time, and not every server knows how to remove many.
        .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true")
        .with_virtual_hosted_style_request(settings.virtual_hosted);
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(true);
    }
    if let Some(keys) = &settings.keys {
        builder = builder.with_access_key_id(&keys.id).with_secret_access_key(&keys.secret);
        if let Some(token) = &keys.token {
            builder = builder.with_token(token);
        }
    }
    builder.build().map_err(|error| Unusable(format!("the bucket {} cannot be used: {error}", settings.bucket)))
}

/// Gives the store a client that believes whom all our calls believe, and reads no environment.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let wrong = |source: Box<dyn std::error::Error + Send + Sync>| object_store::Error::Generic { store: "S3", source };
        let tls = tls::config().map_err(|error| wrong(error.into()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("Handrail/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_MAX)
            .pool_idle_timeout(IDLE_MAX)
            .http1_only()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| wrong(error.into()))?;
        Ok(HttpClient::new(client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_never_printed() {
        let keys = Keys { id: "AKIA".into(), secret: "hunter22".into(), token: Some("hunter33".into()) };
        let settings = S3 {
            bucket: "files".into(),
            prefix: "a".into(),
            region: "us-east-1".into(),
            endpoint: Some("http://127.0.0.1:1".into()),
            virtual_hosted: false,
            keys: Some(keys),
        };
        let store = crate::storage::Store::s3(&settings).unwrap();
        let shown = format!("{settings:?} {store} {store:?}");
        assert!(!shown.contains("hunter") && shown.contains("files"), "{shown}");
    }
}

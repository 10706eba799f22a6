//! What settings turn into.

mod chat;
mod proxy;
mod uploads;
mod webhooks;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;

use crate::Secret;
pub use chat::Chat;
pub use proxy::{Proxy, Upstream};
pub use uploads::{Keys, S3, Storage, Uploads};
pub(crate) use webhooks::GitHubApi;
pub use webhooks::{Billing, Webhooks};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it runs.
    pub environment: Environment,
    /// Whether serving includes what is done beside requests.
    pub worker: bool,
    /// The HTTP server.
    pub http: Http,
    /// The database.
    pub database: Database,
    /// Sessions and passwords.
    pub auth: Auth,
    /// How often what may be asked.
    pub limits: Limits,
    /// Mail.
    pub mail: Mail,
    /// Uploads.
    pub uploads: Uploads,
    /// Webhooks.
    pub webhooks: Webhooks,
    /// Billing.
    pub billing: Billing,
    /// The services behind the proxy.
    pub proxy: Proxy,
    /// Answers that are kept.
    pub cache: Cache,
    /// The language model.
    pub chat: Chat,
    /// The first administrator, made at start when there is none.
    pub admin: Option<Admin>,
    /// The log.
    pub log: Log,
}

/// Where the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine: a private database, readable logs, a first administrator.
    Development,
    /// For users: everything explicit, cookies only over TLS.
    Production,
}

/// The HTTP server.
#[derive(Debug, Clone)]
pub struct Http {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// Where metrics are served instead of beside everything else.
    pub metrics: Option<SocketAddr>,
    /// The address clients use, without a trailing slash.
    pub public_url: Option<String>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins that may call from a browser, with credentials.
    pub allowed_origins: Vec<String>,
    /// Threads that serve requests.
    pub workers: usize,
    /// Open connections, per worker.
    pub connections_max: usize,
    /// The largest JSON or text body, in bytes.
    pub json_bytes_max: usize,
    /// The largest form body, in bytes.
    pub form_bytes_max: usize,
    /// The longest a request head may take.
    pub head_timeout: Duration,
    /// Whether changes are refused that come without `If-Match`.
    pub require_if_match: bool,
    /// The longest a request body may take.
    pub body_timeout: Duration,
    /// The longest a client may leave an answer unread.
    pub write_timeout: Duration,
    /// The longest a connection may be idle between requests.
    pub keep_alive: Duration,
    /// How long `/readyz` says no before the listener closes.
    pub drain: Duration,
    /// How long running requests may take after that.
    pub shutdown_grace: Duration,
}

/// The database.
#[derive(Debug, Clone)]
pub struct Database {
    /// Where it is; absent means a private cluster in `data_dir`.
    pub url: Option<Secret<String>>,
    /// Where development data is kept.
    pub data_dir: PathBuf,
    /// Where the PostgreSQL programs are, when not in the usual places.
    pub bin_dir: Option<PathBuf>,
    /// Whether `serve` brings the schema up to date by itself.
    pub migrate_on_start: bool,
    /// Pooled connections, for the whole process.
    pub pool_size: usize,
    /// Pipelined connections for short reads, per worker.
    pub read_connections: usize,
    /// The longest wait for a pooled connection.
    pub pool_wait: Duration,
    /// The longest wait for a new connection.
    pub connect_timeout: Duration,
    /// The longest a statement may run.
    pub statement_timeout: Duration,
    /// The longest a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// The longest a short read may take.
    pub read_timeout: Duration,
    /// How long to wait for the database at start.
    pub start_timeout: Duration,
}

/// Sessions and passwords.
#[derive(Debug, Clone)]
pub struct Auth {
    /// A session ends when it is not used for this long.
    pub session_idle: Duration,
    /// A session ends this long after its log-in, used or not.
    pub session_max: Duration,
    /// A used session is written to the database at most this often.
    pub session_renew: Duration,
    /// Who a caller is may be remembered for this long; revocations end it earlier.
    pub session_memory: Duration,
    /// An invitation is open for this long.
    pub invitation: Duration,
    /// A mailed token that verifies an address lives this long.
    pub verification: Duration,
    /// A mailed token that sets a password lives this long.
    pub password_reset: Duration,
    /// Whether accounts whose address is not verified may not write posts.
    pub require_verified_email: bool,
    /// The audit log goes back this long.
    pub audit: Duration,
    /// Passwords hashed at the same time.
    pub hash_concurrency: usize,
    /// Log-ins that may wait for their hash; more are refused with 503.
    pub hash_queue: usize,
}

/// How often what may be asked; absent is unlimited.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// All requests from one address.
    pub address: Option<Limit>,
    /// All requests of one account.
    pub account: Option<Limit>,
    /// All requests with one API key.
    pub key: Option<Limit>,
    /// Credentials from one address that turn out worthless.
    pub bad_credentials: Option<Limit>,
    /// Log-ins from one address.
    pub login: Option<Limit>,
    /// Failed log-ins to one account, from wherever.
    pub login_account: Option<Limit>,
    /// Registrations from one address.
    pub register: Option<Limit>,
    /// Invitations by one account, and sending them again.
    pub invitations: Option<Limit>,
    /// Questions to the model by one account.
    pub chat: Option<Limit>,
    /// Forgotten passwords from one address.
    pub forgot: Option<Limit>,
    /// Uses of mailed tokens from one address.
    pub mailed_token: Option<Limit>,
    /// Mails of one kind to one address.
    pub recipient: Option<Limit>,
}

/// So much in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How much, at least 1.
    pub count: u32,
    /// In how long.
    pub window: Duration,
}

/// Mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The server to hand it to; absent means a folder in `data_dir` in development, and no mail in production.
    pub smtp_url: Option<Secret<String>>,
    /// The sender: an address, or a name and an address in angle brackets.
    pub from: String,
    /// The longest the server may take for a mail.
    pub timeout: Duration,
    /// The address of the front end, for links, without a trailing slash; absent means `http://localhost` with the port in use.
    pub app_url: Option<String>,
}

/// Answers that are kept.
#[derive(Debug, Clone, Copy)]
pub struct Cache {
    /// The memory for them, in bytes.
    pub bytes_max: u64,
    /// How long after their own time they may still be given.
    pub stale_max: Duration,
    /// How long a CDN may repeat them without asking.
    pub edge: Duration,
}

/// The first administrator.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The address to log in with.
    pub email: String,
    /// The password.
    pub password: Secret<String>,
}

/// The log.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    /// What is written.
    pub level: LogLevel,
    /// How it is written.
    pub format: LogFormat,
    /// Whether every request gets a line.
    pub access: bool,
}

/// What is written to the log, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// For finding faults.
    Debug,
    /// What happens.
    Info,
    /// What should not happen.
    Warn,
    /// What must not happen.
    Error,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A readable line a record.
    Pretty,
    /// A JSON object a line.
    Json,
}

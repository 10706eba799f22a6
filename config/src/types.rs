//! What settings turn into.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;

use crate::Secret;

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

/// The secrets that providers sign their webhooks with; several, newest first, separated by commas. Absent ones are not listened to.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    /// Stripe's endpoint secrets.
    pub stripe: Option<Secret<String>>,
    /// GitHub's webhook secrets.
    pub github: Option<Secret<String>>,
    /// Twilio's auth tokens.
    pub twilio: Option<Secret<String>>,
    /// Lemon Squeezy's signing secrets.
    pub lemon_squeezy: Option<Secret<String>>,
    /// The secrets of senders that keep to Standard Webhooks.
    pub standard: Option<Secret<String>>,
    /// GitHub's API, to ask for deliveries that failed again; without it nobody does.
    pub github_api: Option<GitHubApi>,
    /// How long bodies are kept.
    pub kept: Duration,
}

/// How to ask GitHub for deliveries again.
#[derive(Debug, Clone)]
pub struct GitHubApi {
    /// The token.
    pub token: Secret<String>,
    /// The webhook's path in the API.
    pub hook: String,
    /// Where the API is, without a trailing slash.
    pub base: String,
}

/// Billing through Stripe.
#[derive(Debug, Clone)]
pub struct Billing {
    /// The key to Stripe's API; without one nothing can be bought, and events count as they come.
    pub secret_key: Option<Secret<String>>,
    /// Where Stripe's API is, without a trailing slash.
    pub api_base: String,
    /// Whether events are about real money: as the key says; without one, either.
    pub live: Option<bool>,
    /// The connected account whose events are ours.
    pub account: Option<String>,
    /// How long an organisation that is past due may go on.
    pub grace: Duration,
}

/// The services behind the proxy.
#[derive(Debug, Clone, Default)]
pub struct Proxy {
    /// Each of its own name.
    pub upstreams: Vec<Upstream>,
}

/// A service behind the proxy.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name in our paths.
    pub name: String,
    /// Where it is, without a trailing slash.
    pub url: String,
    /// Whether it is in the private network, else it is in the public one.
    pub private: bool,
    /// What it is told to let us in.
    pub authorization: Option<Secret<String>>,
    /// In which header, in small letters.
    pub credential_header: String,
    /// In which header it is told the caller's id, in small letters.
    pub user_header: Option<String>,
    /// The longest to connect.
    pub connect_timeout: Duration,
    /// The longest from the end of a request to the head of its answer.
    pub head_timeout: Duration,
    /// The longest without a byte.
    pub silence_timeout: Duration,
    /// The longest for all of a call.
    pub total_timeout: Duration,
    /// The largest request body, in bytes.
    pub request_bytes_max: u64,
    /// The largest answer body, in bytes.
    pub answer_bytes_max: u64,
    /// The largest head of an answer, in bytes.
    pub answer_head_bytes_max: usize,
    /// Calls at the same time.
    pub calls_max: usize,
    /// How often what is safe is tried again.
    pub retries: u32,
    /// Calls in 10 s of which half must fail for it to be left alone; 0 is never.
    pub breaker_calls: u32,
    /// How long it is left alone.
    pub breaker_open: Duration,
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

/// The language model.
#[derive(Debug, Clone)]
pub struct Chat {
    /// The key to the model's API; without one there is no chat.
    pub key: Option<Secret<String>>,
    /// Where the API is, without a trailing slash.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// The longest wait for the first words.
    pub first_token: Duration,
    /// The longest silence after that.
    pub silence: Duration,
    /// The longest that an answer may take.
    pub total: Duration,
    /// How often clients that take events get a sign of life.
    pub heartbeat: Duration,
    /// The largest event of the model's, in bytes.
    pub event_bytes: usize,
    /// The longest answer, in bytes.
    pub answer_bytes: usize,
    /// How many tokens an account may use in a day; absent is unlimited.
    pub tokens_per_day: Option<u32>,
    /// How long is kept what was used.
    pub usage: Duration,
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

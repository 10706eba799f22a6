//! The settings: one line each, with name, default, bounds and meaning, grouped by who needs them.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use url::Url;

use crate::{
    reader::Reader,
    types::{Admin, Auth, Config, Database, Environment, Http, Limit, Limits, Log, LogFormat, LogLevel, Mail},
};

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

pub(crate) fn read(r: &mut Reader<'_>, processors: usize) -> Config {
    r.section("Where it runs");
    let environment = r
        .choice(
            "APP_ENV",
            &[("development", Environment::Development), ("production", Environment::Production)],
            "development",
            "development or production",
        )
        .unwrap_or(Environment::Development);
    let production = environment == Environment::Production;
    let http = http(r, processors, production);
    let database = database(r, processors, production);
    let auth = auth(r, processors);
    let limits = limits(r);
    let mail = mail(r, &http, production);
    let admin = admin(r);
    let log = log(r, production);
    Config { environment, http, database, auth, limits, mail, admin, log }
}

fn http(r: &mut Reader<'_>, processors: usize, production: bool) -> Http {
    r.section("HTTP");
    Http {
        host: r.value("HOST", IpAddr::from([127, 0, 0, 1]), "address to listen on (0.0.0.0 for all)", |text| {
            text.parse().map_err(|_| "must be an IP address".to_owned())
        }),
        port: r.number("PORT", 3000, 0..=u16::MAX, "port to listen on; 0 takes a free one"),
        metrics: r.optional(
            "METRICS_ADDR",
            "address and port for /metrics alone, e.g. 0.0.0.0:9090; on the main port when absent",
            |text| text.parse().map_err(|_| "must be an address and a port such as 0.0.0.0:9090".to_owned()),
        ),
        public_url: r.optional("PUBLIC_URL", "address clients use, e.g. https://api.example.com", origin),
        allowed_origins: r
            .optional("ALLOWED_ORIGINS", "origins that may call from a browser, comma separated, e.g. https://app.example.com", |text| {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(origin).collect::<Result<Vec<_>, _>>().map(List)
            })
            .map(|list| list.0)
            .unwrap_or_default(),
        trusted_proxies: r
            .optional("TRUSTED_PROXIES", "proxies whose X-Forwarded-For is believed: addresses or networks, comma separated", |text| {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(network).collect::<Result<Vec<_>, _>>().map(List)
            })
            .map(|list| list.0)
            .unwrap_or_default(),
        workers: r
            .number_if_set("WORKERS", 1..=512, "threads that serve requests; one per processor when absent")
            .unwrap_or(processors.max(1)),
        connections_max: r.number("MAX_CONNECTIONS", 20_000, 16..=1_000_000, "open connections per worker"),
        json_bytes_max: r.number("MAX_JSON_BYTES", 1 << 20, 1024..=1 << 26, "largest JSON or text body, in bytes"),
        form_bytes_max: r.number("MAX_FORM_BYTES", 10 << 20, 1024..=1 << 30, "largest form body, in bytes"),
        head_timeout: r.duration("HEAD_TIMEOUT_SECONDS", 5, 1..=300, SECOND_MS, "longest time for a request head"),
        body_timeout: r.duration("BODY_TIMEOUT_SECONDS", 10, 1..=3600, SECOND_MS, "longest time for a request body"),
        write_timeout: r.duration("WRITE_TIMEOUT_SECONDS", 15, 1..=3600, SECOND_MS, "longest time a client may leave an answer unread"),
        keep_alive: r.duration("KEEP_ALIVE_SECONDS", 15, 1..=3600, SECOND_MS, "longest idle time between requests of a connection"),
        drain: r.duration(
            "DRAIN_SECONDS",
            if production { 5 } else { 0 },
            0..=300,
            SECOND_MS,
            "time /readyz says no before the listener closes (5 in production)",
        ),
        shutdown_grace: r.duration(
            "SHUTDOWN_GRACE_SECONDS",
            20,
            0..=3600,
            SECOND_MS,
            "time running requests get to finish after the listener closed",
        ),
    }
}

fn database(r: &mut Reader<'_>, processors: usize, production: bool) -> Database {
    r.section("Database");
    let url = r.secret(
        "DATABASE_URL",
        "postgres://user:password@host/name; absent in development: a private PostgreSQL in DATA_DIR; required in production",
        // Not `Url`: a unix socket is written without a host, which it refuses. The driver reads the rest.
        |text| match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(()),
            _ => Err("must be a URL of the form postgres://user:password@host/name".to_owned()),
        },
        redact_url,
    );
    if production && url.is_none() {
        r.problem("DATABASE_URL is required in production");
    }
    Database {
        url,
        data_dir: r
            .value("DATA_DIR", ".data".to_owned(), "folder of the private database and the first administrator's password", |text| {
                Ok(text.to_owned())
            })
            .into(),
        bin_dir: r
            .optional("PG_BIN_DIR", "folder of the PostgreSQL programs, when it is not found by itself", |text| Ok(text.to_owned()))
            .map(PathBuf::from),
        migrate_on_start: r.flag(
            "MIGRATE_ON_START",
            !production,
            "whether serve brings the schema up to date (false in production: run handrail migrate)",
        ),
        pool_size: r
            .number_if_set("DATABASE_POOL_SIZE", 1..=1000, "pooled connections of the process; 4 per processor when absent")
            .unwrap_or(processors.max(1) * 4),
        read_connections: r.number("DATABASE_READ_CONNECTIONS", 2, 1..=64, "pipelined connections for short reads, per worker"),
        pool_wait: r.duration("DATABASE_POOL_WAIT_MS", 2000, 10..=60_000, 1, "longest wait for a pooled connection"),
        connect_timeout: r.duration("DATABASE_CONNECT_TIMEOUT_MS", 2000, 10..=60_000, 1, "longest wait for a new connection"),
        statement_timeout: r.duration("DATABASE_STATEMENT_TIMEOUT_MS", 5000, 10..=600_000, 1, "longest time a statement may run"),
        lock_timeout: r.duration("DATABASE_LOCK_TIMEOUT_MS", 2000, 10..=600_000, 1, "longest time a statement may wait for a lock"),
        read_timeout: r.duration("DATABASE_READ_TIMEOUT_MS", 2000, 10..=60_000, 1, "longest time a short read may take"),
        start_timeout: r.duration("DATABASE_START_TIMEOUT_SECONDS", 60, 0..=86_400, SECOND_MS, "time to wait for the database at start"),
    }
}

fn auth(r: &mut Reader<'_>, processors: usize) -> Auth {
    r.section("Sessions and passwords");
    let auth = Auth {
        session_idle: r.duration("SESSION_IDLE_HOURS", 168, 1..=8760, HOUR_MS, "a session ends when unused for this long"),
        session_max: r.duration("SESSION_MAX_DAYS", 30, 1..=3650, DAY_MS, "a session ends this long after its log-in"),
        session_renew: r.duration("SESSION_RENEW_MINUTES", 60, 1..=1440, MINUTE_MS, "a used session is written at most this often"),
        session_memory: r.duration(
            "SESSION_MEMORY_SECONDS",
            60,
            0..=600,
            SECOND_MS,
            "who a caller is may be remembered this long, revocations aside; 0 looks up every time",
        ),
        audit: r.duration("AUDIT_DAYS", 400, 1..=36_500, DAY_MS, "the audit log goes back this long"),
        invitation: r.duration("INVITATION_DAYS", 7, 1..=90, DAY_MS, "an invitation is open for this long"),
        hash_concurrency: r
            .number_if_set(
                "PASSWORD_HASH_CONCURRENCY",
                1..=256,
                "passwords hashed at the same time (19 MiB each); one per processor when absent",
            )
            .unwrap_or(processors.max(1)),
        hash_queue: r.number("PASSWORD_HASH_QUEUE", 32, 0..=10_000, "log-ins that may wait for their hash; more get 503"),
    };
    if auth.session_renew >= auth.session_idle {
        r.problem("SESSION_RENEW_MINUTES must be shorter than SESSION_IDLE_HOURS, or used sessions would end");
    }
    auth
}

fn limits(r: &mut Reader<'_>) -> Limits {
    r.section("Rate limits, over all replicas: a number per min or hour, or off");
    let mut limit = |name, default: &str, doc| r.value(name, Shown::of(default), doc, Shown::read).limit;
    Limits {
        address: limit("RATE_LIMIT_ADDRESS", "12000/min", "all requests to /api from one address (IPv6: from one /64), but webhooks"),
        account: limit("RATE_LIMIT_ACCOUNT", "6000/min", "all requests of one account"),
        key: limit("RATE_LIMIT_KEY", "6000/min", "all requests with one API key"),
        bad_credentials: limit("RATE_LIMIT_BAD_CREDENTIALS", "120/min", "tokens, cookies and keys from one address that are worth nothing"),
        login: limit("RATE_LIMIT_LOGIN", "30/min", "log-ins from one address"),
        login_account: limit("RATE_LIMIT_LOGIN_ACCOUNT", "30/hour", "failed log-ins to one account, from wherever"),
        register: limit("RATE_LIMIT_REGISTER", "60/hour", "registrations from one address"),
        invitations: limit("RATE_LIMIT_INVITATIONS", "60/hour", "invitations by one account, and sending them again"),
    }
}

/// A limit with the text it was written as.
#[derive(Clone)]
struct Shown {
    text: String,
    limit: Option<Limit>,
}

impl Shown {
    fn of(text: &str) -> Self {
        Self::read(text).unwrap_or(Self { text: "off".to_owned(), limit: None })
    }

    fn read(text: &str) -> Result<Self, String> {
        let shown = |limit| Self { text: text.to_owned(), limit };
        if text == "off" {
            return Ok(shown(None));
        }
        let parsed = text.split_once('/').and_then(|(count, unit)| {
            let window = match unit {
                "min" => Duration::from_secs(60),
                "hour" => Duration::from_secs(3600),
                _ => return None,
            };
            let count = count.parse().ok().filter(|count| (1..=1_000_000).contains(count))?;
            Some(Limit { count, window })
        });
        parsed.map(|limit| shown(Some(limit))).ok_or_else(|| "must be such as 30/min, 100/hour or off".to_owned())
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn mail(r: &mut Reader<'_>, http: &Http, production: bool) -> Mail {
    const NOBODY: &str = "Handrail <no-reply@localhost>";
    r.section("Mail");
    let smtp_url = r.secret(
        "SMTP_URL",
        "smtps://user:password@host, or smtp://host?tls=required; absent in development: mail is written to DATA_DIR/mail",
        smtp_url,
        redact_url,
    );
    let from = r.value("MAIL_FROM", NOBODY.to_owned(), "sender of all mail; required in production with SMTP_URL", |text| {
        let address = text.contains('@') && !text.chars().any(char::is_control);
        if address { Ok(text.to_owned()) } else { Err("must be of the form Handrail <no-reply@example.com>".to_owned()) }
    });
    let timeout = r.duration("SMTP_TIMEOUT_SECONDS", 10, 1..=300, SECOND_MS, "longest time for a mail to be handed over");
    let app_url = r.optional("APP_URL", "address of the front end, for links in mails; PUBLIC_URL when absent", link_base);
    let app_url = app_url.or_else(|| http.public_url.clone());
    if production && smtp_url.is_some() {
        if from == NOBODY {
            r.problem("MAIL_FROM is required in production when SMTP_URL is set");
        }
        if app_url.is_none() {
            r.problem("APP_URL or PUBLIC_URL is required in production when SMTP_URL is set: links in mails lead there");
        }
    }
    Mail { smtp_url, from, timeout, app_url }
}

fn admin(r: &mut Reader<'_>) -> Option<Admin> {
    r.section("First administrator, made at start when there is none");
    let email = r.optional("ADMIN_EMAIL", "address to log in with", |text| Ok(text.to_owned()));
    let password = r.secret("ADMIN_PASSWORD", "password, 8 to 256 characters", |_| Ok(()), |_| "***".to_owned());
    match (email, password) {
        (Some(email), Some(password)) => Some(Admin { email, password }),
        (None, None) => None,
        _ => {
            r.problem("ADMIN_EMAIL and ADMIN_PASSWORD go together: set both or neither");
            None
        }
    }
}

fn log(r: &mut Reader<'_>, production: bool) -> Log {
    r.section("Log");
    Log {
        level: r
            .choice(
                "LOG_LEVEL",
                &[
                    ("trace", LogLevel::Trace),
                    ("debug", LogLevel::Debug),
                    ("info", LogLevel::Info),
                    ("warn", LogLevel::Warn),
                    ("error", LogLevel::Error),
                ],
                "info",
                "trace, debug, info, warn or error",
            )
            .unwrap_or(LogLevel::Info),
        format: r
            .choice(
                "LOG_FORMAT",
                &[("pretty", LogFormat::Pretty), ("json", LogFormat::Json)],
                if production { "json" } else { "pretty" },
                "pretty or json (json in production)",
            )
            .unwrap_or(LogFormat::Json),
        access: r.flag("LOG_ACCESS", true, "whether every request gets a line"),
    }
}

/// A list that prints as it is written.
struct List<T>(Vec<T>);

impl<T: std::fmt::Display> std::fmt::Display for List<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let items: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&items.join(","))
    }
}

/// An address alone is the network of itself.
fn network(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<IpAddr>().map(IpNet::from);
    alone.or_else(|_| text.parse()).map_err(|_| "must be addresses or networks such as 10.0.0.0/8".to_owned())
}

/// Scheme, host and port as a browser writes them; anything more is a mistake that would silently never match.
fn origin(text: &str) -> Result<String, String> {
    let wrong = || "must be an origin such as https://app.example.com, without a path".to_owned();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if matches!(url.scheme(), "http" | "https") && bare && url.has_host() { Ok(url.origin().ascii_serialization()) } else { Err(wrong()) }
}

/// A web address that a path can be added to.
fn link_base(text: &str) -> Result<String, String> {
    let wrong = || "must be an address such as https://app.example.com".to_owned();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let fit = matches!(url.scheme(), "http" | "https") && bare;
    if fit { Ok(url.as_str().trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

/// Checks the form; what the parts mean is for the one who connects.
fn smtp_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host());
    let Some(url) = url else { return Err("must be a URL of the form smtps://user:password@host:465".to_owned()) };
    // Such a password would be taken for host and path, and be printed.
    if url[url::Position::BeforePath..].contains('@') {
        return Err("must have / ? # in user and password written as %2F %3F %23".to_owned());
    }
    Ok(())
}

/// The URL with stars for its password, wherever that stands.
fn redact_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return "***".to_owned() };
    let (authority, path) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len())).unwrap_or((rest, ""));
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:***"))),
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, query)) if query.contains("password") => format!("{path}?***"),
        _ => path.to_owned(),
    };
    format!("{scheme}://{authority}{path}")
}

#[cfg(test)]
mod tests {
    use super::redact_url;

    #[test]
    fn no_password_survives_redaction() {
        for (url, shown) in [
            ("postgres://u:p@h:5432/d", "postgres://u:***@h:5432/d"),
            ("postgresql://u@/d?host=/run/x", "postgresql://u@/d?host=/run/x"),
            ("postgres://u:p@ss@h/d", "postgres://u:***@h/d"),
            ("postgres://h/d?user=u&password=p", "postgres://h/d?***"),
        ] {
            assert_eq!(redact_url(url), shown);
        }
    }
}

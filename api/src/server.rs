//! The HTTP server: sockets, workers, what they share, and how it ends.

mod lifeline;
mod listener;
mod readiness;
mod watched;

use std::{
    collections::HashMap,
    io::{Error, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use upstream::stripe::{Settings, Stripe};
use webhooks::{Keys, Provider};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Compress, from_fn},
    web::Data,
};
use auth::{Limiter, Memory, Passwords, Quota, Quotas};
use config::{Config, Environment, Limit};
use persistence::{Connector, Db, Due, Revocations, Sizes};
use tokio::task::JoinHandle;

use crate::{
    cache::{self, Cache},
    chat::Chat,
    conditional::Careful,
    extract::{Limits, Receivers},
    ingest::Ingest,
    metrics::{InboxHealth, Metrics},
    middleware::{Allows, Boundary, boundary, cors, preflight, throttle},
    routes::{
        self,
        billing::Selling,
        invitations::Inviting,
        proxy::{self, Proxies},
    },
    table::Deprecations,
    uploads::Uploads,
};
pub(crate) use lifeline::{Lifeline, Sending};
pub use readiness::Readiness;

/// The address clients use, for links; relative ones when it is not set.
pub struct PublicUrl(pub Option<String>);

/// A server whose socket is open.
pub struct Bound {
    /// Where it listens, with the port it really got.
    pub address: SocketAddr,
    /// The server, to be awaited.
    pub server: Server,
    /// For stopping it.
    pub handle: ServerHandle,
    /// For saying when it may answer, and when it should not be asked any more.
    pub readiness: Arc<Readiness>,
    /// To be kept up to date by `persistence::revocations::listen`; until then every caller is looked up.
    pub revocations: Arc<Revocations>,
    /// Stripe's API, when it is configured.
    pub stripe: Option<Stripe>,
    /// What is told of the webhook inbox.
    pub inbox: Arc<InboxHealth>,
    /// Notified when work is due.
    pub due: Arc<Due>,
    /// Writes what was used of the model; ends when the server has, and all is written.
    pub ledger: JoinHandle<()>,
}

/// Opens the socket and starts the workers. Until [`Readiness::start`], `/api` answers 503.
///
/// # Errors
/// When the address cannot be listened on.
pub fn bind(config: &Config, connector: &Connector) -> std::io::Result<Bound> {
    let http = config.http.clone();
    let readiness = Arc::new(Readiness::default());
    let passwords = Passwords::new(config.auth.hash_concurrency, config.auth.hash_queue);
    let auth = Data::new(auth_settings(config));
    let limiter = Data::new(limiter(config));
    let memory = Data::new(Memory::default());
    let revocations = Arc::new(Revocations::new(config.auth.session_memory));
    let known = Arc::clone(&revocations);
    let due = Arc::new(Due::default());
    let inbox = Arc::new(InboxHealth::default());
    let counted = Data::from(Arc::clone(&inbox));
    let receivers = Data::new(receivers(config)?);
    let told = Arc::clone(&due);
    let stripe = stripe(config)?;
    let proxies = Data::new(Proxies::of(&config.proxy)?);
    let (chat, ledger) = Chat::start(config, connector, &known)?;
    let can_mail = can_mail(config);
    let uploads = Data::new(Uploads::open(config)?);
    let watched_here = http.metrics.is_none();
    let cache = Data::new(Cache::new(config.cache, Arc::clone(&revocations), routes::kept_paths()));
    let metrics = Metrics::new(memory.clone(), Arc::clone(&revocations), &inbox);
    let metrics = Data::new(metrics.with(cache::Watched(cache.clone().into_inner())).with(proxy::Watched(proxies.clone())));
    if let Some(address) = http.metrics {
        watched::serve(address, metrics.clone())?;
    }
    let inviting = Data::new(Inviting { lifetime: config.auth.invitation, wake: can_mail.then(|| Arc::clone(&due)) });
    let table = routes::table();
    let allows = Data::new(Allows(table.iter().map(|row| (row.pattern(), row.allow())).collect()));
    let boundary_settings = Data::new(Boundary {
        access_log: config.log.access,
        secure: config.environment == Environment::Production,
        readiness: Arc::clone(&readiness),
        deprecations: Deprecations::of(&table)?,
    });
    let limits = Data::new(Limits { json_bytes_max: http.json_bytes_max, form_bytes_max: http.form_bytes_max, timeout: http.body_timeout });
    let careful = Data::new(Careful(http.require_if_match));
    let public_url = Data::new(PublicUrl(http.public_url.clone()));
    let passwords = Data::new(passwords);
    let shared_readiness = Data::from(Arc::clone(&readiness));
    let connector = Arc::new(connector.clone());
    let sizes = sizes(config);
    let origins = http.allowed_origins.clone();

    listener::raise_file_limit();
    let listener = listener::open(SocketAddr::new(http.host, http.port), http.write_timeout)?;
    let address = listener.local_addr()?;
    let app_url = config.mail.app_url.clone().unwrap_or_else(|| format!("http://localhost:{}", address.port()));
    let selling = Data::new(Selling { stripe: stripe.clone(), app_url, grace: config.billing.grace });
    let lifelines = lifeline::Registry::new(http.keep_alive + http.head_timeout);
    let watched = lifelines.clone();
    let server = HttpServer::new(move || {
        // One `Db` per worker: its connections live on the worker's own runtime, and no query wakes another thread.
        let db = Data::new(Db::new(Arc::clone(&connector), sizes, Arc::clone(&known)));
        let ingest = Ingest::start(db.clone(), Arc::clone(&told));
        let app = App::new();
        let app = if watched_here { app.app_data(metrics.clone()) } else { app };
        app.app_data(db)
            .app_data(Data::new(ingest))
            .app_data(receivers.clone())
            .app_data(selling.clone())
            .app_data(proxies.clone())
            .app_data(uploads.clone())
            .app_data(counted.clone())
            .app_data(Data::new(Arc::clone(&told)))
            .app_data(auth.clone())
            .app_data(memory.clone())
            .app_data(cache.clone())
            .app_data(inviting.clone())
            .app_data(limiter.clone())
            .app_data(Data::new(chat.for_worker()))
            .app_data(passwords.clone())
            .app_data(limits.clone())
            .app_data(public_url.clone())
            .app_data(careful.clone())
            .app_data(shared_readiness.clone())
            .app_data(boundary_settings.clone())
            .app_data(allows.clone())
            .configure(routes::configure)
            .wrap(from_fn(throttle))
            .wrap(cors(&origins))
            .wrap(Compress::default())
            .wrap(from_fn(preflight))
            .wrap(from_fn(boundary))
    })
    .workers(http.workers)
    .max_connections(http.connections_max)
    .client_request_timeout(http.head_timeout)
    .keep_alive(http.keep_alive)
    .shutdown_timeout(http.shutdown_grace.as_secs())
    // A word is a packet, and goes out at once.
    .tcp_nodelay(true)
    .disable_signals()
    .on_connect(move |connection, data| watched.watch(connection, data))
    .listen(listener)?
    .run();
    tokio::spawn(lifelines.cut_the_stalled());
    Ok(Bound { address, handle: server.handle(), server, readiness, revocations, due, stripe, inbox, ledger })
}

/// What one worker's connections may be.
fn sizes(config: &Config) -> Sizes {
    let database = &config.database;
    Sizes {
        // Never a pool of one: a slow statement would leave nothing for the rest.
        pool: (database.pool_size / config.http.workers.max(1)).max(2),
        pipelines: database.read_connections,
        pool_wait: database.pool_wait,
        read: database.read_timeout,
    }
}

/// The webhook secrets, by provider.
///
/// # Errors
/// When a secret cannot be one; the text names the setting, not the secret.
pub fn receivers(config: &Config) -> std::io::Result<Receivers> {
    let mut keys = HashMap::new();
    for (provider, name, secret) in [
        (Provider::Stripe, "STRIPE_WEBHOOKS_SECRET", &config.webhooks.stripe),
        (Provider::GitHub, "GITHUB_WEBHOOK_SECRET", &config.webhooks.github),
        (Provider::Twilio, "TWILIO_AUTH_TOKEN", &config.webhooks.twilio),
        (Provider::LemonSqueezy, "LEMON_SQUEEZY_SIGNING_SECRET", &config.webhooks.lemon_squeezy),
        (Provider::Standard, "STANDARD_WEBHOOK_SECRET", &config.webhooks.standard),
    ] {
        if let Some(secret) = secret {
            let parsed = Keys::parse(provider, secret.expose());
            keys.insert(provider, parsed.map_err(|error| Error::new(ErrorKind::InvalidInput, format!("{name}: {error}")))?);
        }
    }
    let port = config.http.port;
    let public_url = config.http.public_url.clone().unwrap_or_else(|| format!("http://localhost:{port}"));
    Ok(Receivers { keys, public_url })
}

/// Stripe's API, when it is configured.
///
/// # Errors
/// When the key or the address cannot be used.
pub fn stripe(config: &Config) -> std::io::Result<Option<Stripe>> {
    let Some(key) = &config.billing.secret_key else { return Ok(None) };
    let settings = Settings {
        api_base: config.billing.api_base.clone(),
        // An event is given its effect within one transaction, which asks Stripe meanwhile: it must not idle for longer than that may.
        timeout: Duration::from_secs(4),
        deadline: Duration::from_secs(8),
        ..Settings::new(key.expose().clone())
    };
    let stripe = Stripe::new(settings).map_err(|error| Error::new(ErrorKind::InvalidInput, format!("STRIPE_SECRET_KEY: {error}")))?;
    Ok(Some(stripe))
}

fn limiter(config: &Config) -> Limiter {
    let quota = |limit: Option<Limit>| limit.map(|limit| Quota { count: limit.count, window: limit.window });
    let limits = config.limits;
    let quotas = Quotas {
        login: quota(limits.login),
        login_account: quota(limits.login_account),
        register: quota(limits.register),
        invitations: quota(limits.invitations),
        chat: quota(limits.chat),
        bad_credentials: quota(limits.bad_credentials),
        address: quota(limits.address),
        account: quota(limits.account),
        key: quota(limits.key),
        forgot: quota(limits.forgot),
        mailed_token: quota(limits.mailed_token),
        recipient: quota(limits.recipient),
    };
    Limiter::new(&quotas, config.http.trusted_proxies.clone())
}

/// Whether mail can be sent: to a server, in development to a folder.
fn can_mail(config: &Config) -> bool {
    config.mail.smtp_url.is_some() || config.environment == Environment::Development
}

fn auth_settings(config: &Config) -> auth::Settings {
    let public = config.http.public_url.iter();
    auth::Settings {
        lifetime: auth::Lifetime { idle: config.auth.session_idle, max: config.auth.session_max, renew: config.auth.session_renew },
        secure: config.environment == Environment::Production,
        origins: config.http.allowed_origins.iter().chain(public).cloned().collect(),
        mailed: can_mail(config)
            .then_some(auth::MailedTokens { verification: config.auth.verification, reset: config.auth.password_reset }),
        require_verified: config.auth.require_verified_email,
    }
}

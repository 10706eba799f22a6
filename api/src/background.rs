//! What a serving process does beside requests, put together from its settings.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use auth::Token;
use config::{Config, Environment};
use persistence::{Db, Due};
use upstream::{
    github::{self, GitHub},
    mail::Mailer,
    stripe::Stripe,
};
use worker::{
    inbox::Rules,
    mail::{NewToken, Post},
    sweep::Kept,
};

use crate::metrics::InboxHealth;

/// What sending mail takes: the server that is set, in development a folder; `None` when it is not configured.
///
/// # Errors
/// When `SMTP_URL` or `MAIL_FROM` cannot be used.
pub fn post(config: &Config, port: u16) -> Result<Option<Post>> {
    let mail = &config.mail;
    let development = config.environment == Environment::Development;
    let mailer = match &mail.smtp_url {
        Some(url) => Mailer::smtp(url.expose(), &mail.from, mail.timeout).context("SMTP_URL or MAIL_FROM cannot be used")?,
        None if development => {
            let folder = std::path::absolute(config.database.data_dir.join("mail"))?;
            Mailer::folder(folder, &mail.from).context("MAIL_FROM cannot be used")?
        }
        None => {
            slog_scope::info!("mail is not configured, nobody can be invited, verify an address or reset a password: set SMTP_URL");
            return Ok(None);
        }
    };
    let app_url = mail.app_url.clone().unwrap_or_else(|| format!("http://localhost:{port}"));
    Ok(Some(Post { mailer, app_url, log_links: development && mail.smtp_url.is_none(), new_token }))
}

fn new_token() -> domain::Result<NewToken> {
    let token = Token::generate()?;
    Ok(NewToken { text: token.reveal(), hash: token.hash() })
}

/// GitHub's API, when it is configured.
///
/// # Errors
/// When the token, the webhook or the address cannot be used; the text does not repeat the token.
pub fn github(config: &Config) -> Result<Option<GitHub>> {
    let Some(api) = &config.webhooks.github_api else { return Ok(None) };
    let settings = github::Settings { token: api.token.expose().clone(), api_base: api.base.clone(), hook: api.hook.clone() };
    Ok(Some(GitHub::new(&settings).context("GITHUB_TOKEN, GITHUB_HOOK or GITHUB_API_BASE cannot be used")?))
}

/// Does what is done beside requests, until it is dropped.
pub async fn work(
    config: Config,
    db: Db,
    post: Option<Post>,
    stripe: Option<Stripe>,
    github: Option<GitHub>,
    due: Arc<Due>,
    health: Arc<InboxHealth>,
) {
    let kept = Kept { audit: config.auth.audit, webhooks: config.webhooks.kept, chat: config.chat.usage };
    // It was tried at start; only a folder can have become unusable since.
    let files = crate::uploads::store(&config).unwrap_or_else(|error| {
        slog_scope::error!("deleted files are not removed"; "cause" => error.to_string());
        None
    });
    let billing = config.billing;
    let rules = Rules { stripe: stripe.clone(), live: billing.live, account: billing.account };
    let reconciling = async {
        match &stripe {
            Some(stripe) => {
                worker::reconcile::run(&db, stripe, |report| health.mended(report)).await;
            }
            None => std::future::pending().await,
        }
    };
    let asking_again = async {
        match &github {
            Some(github) => {
                worker::reconcile::github::run(&db, github).await;
            }
            None => std::future::pending().await,
        }
    };
    let mailing = async {
        match &post {
            Some(post) => {
                worker::mail::run(&db, post, &due.mail).await;
            }
            None => std::future::pending().await,
        }
    };
    let removing = async {
        match &files {
            Some(files) => {
                worker::uploads::run(&db, files).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::join!(
        worker::sweep::run(&db, kept),
        worker::inbox::run(&db, &rules, &due.webhooks),
        due.keep_telling(&db),
        mailing,
        reconciling,
        asking_again,
        removing,
        watch(&db, &health)
    );
}

/// How often the inbox is looked at for those who watch.
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// Keeps what is told of the inbox up to date.
async fn watch(db: &Db, health: &InboxHealth) {
    let mut ticks = tokio::time::interval(WATCH_EVERY);
    loop {
        ticks.tick().await;
        match persistence::inbox::pulse(db).await {
            Ok(pulse) => health.set(pulse),
            Err(error) => log::debug!("the inbox could not be looked at: {error}"),
        }
    }
}

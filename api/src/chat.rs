//! What asking the language model takes: the model, the budgets, and the ledger of what was used.

mod ledger;
mod meter;
mod told;

use std::{
    io::{Error as IoError, ErrorKind},
    sync::Arc,
    time::Duration,
};

use config::Config;
use domain::{
    ChatId, Code, Details, Error, Result, UserId,
    chat::{Usage, guessed_tokens},
};
use persistence::{Connector, Db, Revocations, Sizes, chat_usage};
use tokio::task::JoinHandle;
use upstream::chat::{self, Bounds, Message, Model, Settings};

use ledger::Ledger;
pub(crate) use meter::Meter;
pub use told::Told;
pub(crate) use told::{Form, Telling};

/// What one worker needs to ask the model.
#[derive(Clone)]
pub struct Chat {
    model: Option<Model>,
    ledger: Ledger,
    tokens_per_day: Option<u32>,
    heartbeat: Duration,
}

impl Chat {
    /// Opens the ledger; the task ends when everybody is gone who could write into it, and all is written.
    ///
    /// # Errors
    /// When a setting cannot be used. The text does not repeat the key.
    pub fn start(config: &Config, connector: &Connector, revocations: &Arc<Revocations>) -> std::io::Result<(Self, JoinHandle<()>)> {
        let database = &config.database;
        let sizes = Sizes { pool: 2, pipelines: 1, pool_wait: database.pool_wait, read: database.read_timeout };
        // A body can be dropped while its worker ends: what writes for it lives elsewhere, with connections of its own.
        let db = Db::new(Arc::new(connector.clone()), sizes, Arc::clone(revocations));
        let (ledger, writing) = Ledger::open(db);
        if config.chat.key.is_none() {
            log::info!("chat is not configured: set OPENAI_API_KEY");
        }
        let chat = Self { model: model(config)?, ledger, tokens_per_day: config.chat.tokens_per_day, heartbeat: config.chat.heartbeat };
        Ok((chat, writing))
    }

    /// The same for a worker, with connections of its own to the model.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        let apart = |model: &Model| model.apart().unwrap_or_else(|_| model.clone());
        Self { model: self.model.as_ref().map(apart), ..self.clone() }
    }

    /// The model.
    pub(crate) fn model(&self) -> Result<&Model> {
        self.model.as_ref().ok_or_else(not_configured)
    }

    /// How often clients that take events get a sign of life.
    pub(crate) fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// Refuses who used all they may use today. What is under way then goes on.
    pub(crate) async fn admit(&self, db: &Db, user: UserId) -> Result<()> {
        let Some(most) = self.tokens_per_day else { return Ok(()) };
        let today = chat_usage::today(db, user).await?;
        if today.tokens < u64::from(most) {
            return Ok(());
        }
        Err(Error::rate_limited(today.left.as_secs() + 1).with_message("All tokens of the day are used"))
    }

    /// What somebody used.
    pub(crate) async fn usage(&self, db: &Db, user: UserId, days: u16) -> Result<Usage> {
        let today = chat_usage::today(db, user).await?;
        let days = chat_usage::days(db, user, days).await?;
        Ok(Usage { tokens_per_day: self.tokens_per_day, tokens_today: today.tokens, resets_at: today.resets_at, days })
    }

    /// Begins to count what a question takes.
    pub(crate) fn meter(&self, id: ChatId, messages: &[Message<'_>]) -> Meter {
        let guessed = messages.iter().fold(0_u32, |sum, message| sum.saturating_add(guessed_tokens(message.content)));
        Meter::new(self.ledger.clone(), id, guessed)
    }
}

/// The model, when it is configured.
///
/// # Errors
/// When a setting cannot be used. The text does not repeat the key.
pub fn model(config: &Config) -> std::io::Result<Option<Model>> {
    let chat = &config.chat;
    let Some(key) = &chat.key else { return Ok(None) };
    let settings = Settings {
        key: key.expose().clone(),
        base_url: chat.base_url.clone(),
        model: chat.model.clone(),
        bounds: Bounds {
            first_token: chat.first_token,
            silence: chat.silence,
            total: chat.total,
            event_bytes: chat.event_bytes,
            answer_bytes: chat.answer_bytes,
        },
    };
    let wrong = |error| IoError::new(ErrorKind::InvalidInput, format!("OPENAI_API_KEY or OPENAI_BASE_URL: {error}"));
    Model::new(settings).map(Some).map_err(wrong)
}

fn not_configured() -> Error {
    Error::new(Code::NotConfigured, "Chat is not configured")
}

/// What a client is told when the model fails.
pub(crate) fn failed(error: chat::Error) -> Error {
    let ours = match &error {
        chat::Error::Timeout | chat::Error::TooLong => Error::new(Code::UpstreamTimeout, "The model did not answer in time"),
        chat::Error::Unauthorized => not_configured(),
        chat::Error::Refused { code, .. } if code == "context_length_exceeded" => {
            Error::invalid_body(Details::form("Longer than the model takes"))
        }
        chat::Error::Busy { .. } => Error::new(Code::UpstreamError, "The model is busy or broken"),
        _ => Error::new(Code::UpstreamError, "The model failed"),
    };
    ours.with_source(error)
}

//! Counts what a question takes. Dropped before its end, the client has left, or the server stops: that is noted too.

use domain::{
    ChatId,
    chat::{Outcome, Tokens},
};
use persistence::chat_usage::Ended;
use upstream::chat::{Error, Usage, Words};

use super::ledger::Ledger;

/// What a question has taken so far.
pub(crate) struct Meter {
    ledger: Ledger,
    id: ChatId,
    guessed_prompt: u32,
    events: u32,
    bytes: usize,
    told: Option<Usage>,
    open: bool,
}

impl Meter {
    pub(super) fn new(ledger: Ledger, id: ChatId, guessed_prompt: u32) -> Self {
        Self { ledger, id, guessed_prompt, events: 0, bytes: 0, told: None, open: true }
    }

    /// The guess for what was asked.
    pub(crate) fn guessed_prompt(&self) -> u32 {
        self.guessed_prompt
    }

    /// Counts words.
    pub(super) fn count(&mut self, words: &Words) {
        self.events = self.events.saturating_add(words.events);
        self.bytes = self.bytes.saturating_add(words.text.len());
    }

    /// Takes over what the model has told, which beats every guess.
    pub(super) fn told(&mut self, usage: Option<Usage>) {
        self.told = usage.or(self.told);
    }

    /// What it took: a token of most models is an event of their answers, and about four bytes.
    pub(super) fn tokens(&self) -> Tokens {
        if let Some(Usage { prompt_tokens, completion_tokens }) = self.told {
            return Tokens { prompt_tokens, completion_tokens, estimated: false };
        }
        let by_bytes = u32::try_from(self.bytes.div_ceil(4)).unwrap_or(u32::MAX);
        Tokens { prompt_tokens: self.guessed_prompt, completion_tokens: self.events.max(by_bytes), estimated: true }
    }

    /// Notes that the model failed before it said anything.
    pub(crate) fn fail(mut self, error: &Error) {
        if matches!(error, Error::Unreachable | Error::Unauthorized | Error::Refused { .. } | Error::Busy { .. }) {
            // It has not even begun.
            self.told = Some(Usage { prompt_tokens: 0, completion_tokens: 0 });
        }
        self.end(Outcome::Failed);
    }

    /// Notes the end.
    pub(super) fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.open, false) {
            self.ledger.note(Ended { id: self.id, outcome, tokens: self.tokens() });
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.end(Outcome::Left);
    }
}

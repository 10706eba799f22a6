//! An answer that is being given: its words as they come, until its end.

use reqwest::Response;
use tokio::{
    task::coop::consume_budget,
    time::{Instant, timeout_at},
};

use super::{Bounds, Error, Usage, chunk, events::Events};

/// An event has some hundred bytes around a word of a few: so much more may be read than an answer may have.
const OVERHEAD_MAX: usize = 256;

/// Words that came together, and how many events they came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// The text; never empty.
    pub text: String,
    /// The events.
    pub events: u32,
}

/// The next of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Words(Words),
    /// Nothing more will come.
    End(Result<End, Error>),
}

/// How an answer ended well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct End {
    /// Why it ended: `stop`, `length`, `content_filter`.
    pub finish_reason: Option<String>,
}

/// An answer that is being given. It is read only as fast as it is asked for; dropping it tells the model to stop.
pub struct Answer {
    response: Response,
    events: Events,
    bounds: Bounds,
    deadline: Instant,
    /// Since when the next event is waited for.
    waiting: Option<Instant>,
    /// What came before anybody asked.
    ready: Words,
    finish_reason: Option<String>,
    usage: Option<Usage>,
    /// How it ended, once it has.
    ended: Option<Result<End, Error>>,
    words_bytes: usize,
    read_bytes: usize,
}

impl Answer {
    pub(super) fn new(response: Response, bounds: Bounds, deadline: Instant) -> Self {
        Self {
            response,
            events: Events::new(bounds.event_bytes),
            bounds,
            deadline,
            waiting: None,
            ready: Words::default(),
            finish_reason: None,
            usage: None,
            ended: None,
            words_bytes: 0,
            read_bytes: 0,
        }
    }

    /// What it took, as far as the model has told.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The next words, all that came together, or the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Piece {
        if self.ready.text.is_empty() && self.ended.is_none() {
            let since = *self.waiting.get_or_insert_with(Instant::now);
            if let Err(error) = self.fill(Some(since)).await {
                self.ended = Some(Err(error));
            }
            self.waiting = None;
        }
        if !self.ready.text.is_empty() {
            return Piece::Words(std::mem::take(&mut self.ready));
        }
        Piece::End(self.ended.clone().unwrap_or(Err(Error::BrokenOff)))
    }

    /// Waits until there are words, or a good end.
    pub(super) async fn wait_for_words(&mut self) -> Result<(), Error> {
        let filled = self.fill(None).await;
        match &self.ended {
            Some(Err(error)) if self.ready.text.is_empty() => Err(error.clone()),
            _ => filled,
        }
    }

    /// Reads until there are words, or the end. With a moment to count silence from, each event moves it.
    async fn fill(&mut self, since: Option<Instant>) -> Result<(), Error> {
        let mut since = since;
        loop {
            if self.take_events()? {
                since = since.map(|_| Instant::now());
                self.waiting = since;
            }
            if !self.ready.text.is_empty() || self.ended.is_some() {
                return Ok(());
            }
            // A model that floods us must not keep others on this thread waiting.
            consume_budget().await;
            let until = since.map_or(self.deadline, |since| self.deadline.min(since + self.bounds.silence));
            match timeout_at(until, self.response.chunk()).await {
                Ok(Ok(Some(bytes))) => {
                    self.read_bytes = self.read_bytes.saturating_add(bytes.len());
                    if self.read_bytes / OVERHEAD_MAX > self.bounds.answer_bytes {
                        return Err(Error::TooLarge("all that came"));
                    }
                    self.events.feed(bytes);
                }
                // Some servers end without [DONE].
                Ok(Ok(None)) => self.ended = Some(if self.finish_reason.is_some() { Ok(self.end()) } else { Err(Error::BrokenOff) }),
                Ok(Err(_)) => return Err(Error::Unreachable),
                Err(_) if Instant::now() >= self.deadline => return Err(Error::TooLong),
                Err(_) => return Err(Error::Timeout),
            }
        }
    }

    /// Takes the events that are there, up to the end; whether there were any. What goes wrong after words comes after them.
    fn take_events(&mut self) -> Result<bool, Error> {
        let mut any = false;
        while self.ended.is_none() && self.ready.text.len() < self.bounds.event_bytes {
            match self.events.next().and_then(|data| data.map(|data| chunk::read(&data)).transpose()) {
                Ok(Some(told)) => self.take(told),
                Ok(None) => break,
                Err(error) if self.ready.text.is_empty() => return Err(error),
                Err(error) => self.ended = Some(Err(error)),
            }
            any = true;
        }
        Ok(any)
    }

    fn take(&mut self, told: chunk::Told) {
        self.usage = told.usage.or(self.usage);
        self.finish_reason = told.finish.or(self.finish_reason.take());
        if told.done {
            self.ended = Some(Ok(self.end()));
        }
        if told.words.is_empty() {
            return;
        }
        self.words_bytes = self.words_bytes.saturating_add(told.words.len());
        if self.words_bytes > self.bounds.answer_bytes {
            self.ended = Some(Err(Error::TooLarge("the answer")));
            return;
        }
        self.ready.text.push_str(&told.words);
        self.ready.events = self.ready.events.saturating_add(1);
    }

    fn end(&self) -> End {
        End { finish_reason: self.finish_reason.clone() }
    }
}

//! What the model says, and how it misbehaves.

use std::time::Duration;

/// An answer, step by step.
#[derive(Debug, Clone)]
pub struct Script {
    /// The HTTP status; any but 200 is an error of one JSON body.
    pub status: u16,
    /// The content type of a 200.
    pub content_type: &'static str,
    /// Whether even the head of the answer waits for [`crate::FakeModel::release`].
    pub hold_head: bool,
    /// How long before the first step.
    pub first: Duration,
    /// How long after each event.
    pub pace: Duration,
    /// Events are written in pieces of so many bytes.
    pub cut: Option<usize>,
    /// What is said.
    pub steps: Vec<Step>,
    /// Whether a prompt `/say 200 20` gets two hundred words, one every twenty milliseconds.
    pub obey: bool,
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum Step {
    /// Some words.
    Words(String),
    /// The same words again and again, without end.
    Endless(String),
    /// An event with this data.
    Event(String),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// Nothing until [`crate::FakeModel::release`] is called once more.
    Hold,
    /// The end as it should be: a finish reason, the usage, and `[DONE]`.
    Finish,
    /// The end as it should be, by a server that does not tell the usage.
    FinishUntold,
    /// The connection breaks.
    Break,
}

impl Script {
    /// Says these words, each in an event, and ends well.
    pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words = words.into_iter().map(|word| Step::Words(word.to_owned()));
        Self::steps(words.chain([Step::Finish]).collect::<Vec<_>>())
    }

    /// Says what it says as fast as it can.
    pub fn steps(steps: impl Into<Vec<Step>>) -> Self {
        Self {
            status: 200,
            content_type: "text/event-stream; charset=utf-8",
            hold_head: false,
            first: Duration::ZERO,
            pace: Duration::ZERO,
            cut: None,
            steps: steps.into(),
            obey: false,
        }
    }

    /// What a prompt asks to be said: `/say <words> <milliseconds between them>`.
    pub(crate) fn asked_for(prompt: &str) -> Option<Self> {
        let (count, pace) = prompt.strip_prefix("/say ")?.split_once(' ')?;
        let (count, pace) = (count.parse().ok()?, pace.parse().ok()?);
        let steps: Vec<Step> = (1..=count).map(|number: u32| Step::Words(format!("word{number} "))).chain([Step::Finish]).collect();
        Some(Self { pace: Duration::from_millis(pace), ..Self::steps(steps) })
    }

    /// Refuses with this status.
    pub fn refusing(status: u16) -> Self {
        Self { status, ..Self::steps([]) }
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::words(["Hello", ",", " world", "!"])
    }
}

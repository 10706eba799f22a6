//! Conversations with the language model: what may be asked, what is told while the answer comes, and what it took.

use chrono::{DateTime, NaiveDate, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{PROSE, present};

/// The most characters that all messages of a conversation have together.
pub const CONVERSATION_CHARS_MAX: usize = 100_000;

/// What is asked: a prompt alone, or a conversation so far.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChatQuestion", extend("oneOf" = [{ "required": ["prompt"] }, { "required": ["messages"] }]))]
pub struct Question {
    /// What the user says, and nothing else.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    #[garde(length(chars, min = 1, max = 32_000), pattern(PROSE), custom(instead_of(&self.messages)))]
    pub prompt: Option<String>,
    /// The conversation so far, oldest first; at most 100 000 characters in all.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Vec<Message>")]
    #[garde(length(min = 1, max = 100), dive, custom(bounded_together))]
    pub messages: Option<Vec<Message>>,
}

/// A message of a conversation.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Message {
    /// Who says it.
    #[garde(skip)]
    pub role: Speaker,
    /// What is said.
    #[garde(length(chars, min = 1, max = 32_000), pattern(PROSE))]
    pub content: String,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Speaker {
    /// Whoever sets the model its task.
    System,
    /// Who asks.
    User,
    /// The model.
    Assistant,
}

impl Speaker {
    /// The name, on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

impl Question {
    /// The conversation that it stands for.
    pub fn conversation(&self) -> impl Iterator<Item = (Speaker, &str)> {
        let alone = self.prompt.iter().map(|prompt| (Speaker::User, prompt.as_str()));
        alone.chain(self.messages.iter().flatten().map(|message| (message.role, message.content.as_str())))
    }
}

#[expect(clippy::ref_option, reason = "garde passes fields by reference")]
fn instead_of(messages: &Option<Vec<Message>>) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    let given = messages.is_some();
    move |prompt, ()| {
        if prompt.is_some() == given {
            return Err(garde::Error::new("Give either prompt or messages"));
        }
        Ok(())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "garde passes the field and its context by reference")]
fn bounded_together(messages: &Option<Vec<Message>>, _: &()) -> garde::Result {
    let chars: usize = messages.iter().flatten().map(|message| message.content.chars().count()).sum();
    if chars <= CONVERSATION_CHARS_MAX {
        return Ok(());
    }
    Err(garde::Error::new(format!("Must be at most {CONVERSATION_CHARS_MAX} characters together")))
}

/// How many tokens are guessed for a text that the model has not counted: a token has about four bytes.
#[must_use]
pub fn guessed_tokens(text: &str) -> u32 {
    u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX)
}

/// What an answer took, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ChatTokens")]
pub struct Tokens {
    /// What was asked.
    pub prompt_tokens: u32,
    /// What was said.
    pub completion_tokens: u32,
    /// Whether that is a guess: the model tells only at the end of an answer.
    pub estimated: bool,
}

/// The data of a `delta` event: some more words.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChatDelta")]
pub struct Delta<'a> {
    /// The words.
    pub content: &'a str,
}

/// The data of the `done` event: the answer is complete.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ChatDone")]
pub struct Done<'a> {
    /// Why it ends here: `stop`, or `length`, `content_filter` and what else the model says.
    pub finish_reason: Option<&'a str>,
}

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its answer is under way.
    Running,
    /// It was answered.
    Done,
    /// Who asked left before the end.
    Left,
    /// The model failed, or took too long, or said too much.
    Failed,
    /// Nobody knows: the process that asked ended.
    Lost,
}

impl Outcome {
    /// The name, in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Left => "left",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

/// What an account used.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ChatUsage")]
pub struct Usage {
    /// How many tokens it may use in a day; null is unlimited.
    pub tokens_per_day: Option<u32>,
    /// How many it used today, and answers under way as far as is known.
    pub tokens_today: u64,
    /// When the next day begins.
    pub resets_at: DateTime<Utc>,
    /// The days (UTC) with something on them, newest first.
    pub days: Vec<Day>,
}

/// What an account used in a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ChatDay")]
pub struct Day {
    /// The day, in UTC.
    pub date: NaiveDate,
    /// How many questions there were.
    pub questions: u64,
    /// The tokens of the questions.
    pub prompt_tokens: u64,
    /// The tokens of the answers.
    pub completion_tokens: u64,
    /// How many of the questions have guessed numbers.
    pub estimated: u64,
}

/// Which days to read.
#[derive(Debug, Clone, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChatPeriod")]
pub struct Period {
    /// How many days back, today included.
    #[serde(default = "days_default")]
    #[garde(range(min = 1, max = 366))]
    pub days: u16,
}

fn days_default() -> u16 {
    30
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_bounded_as_a_whole() {
        let message = Message { role: Speaker::User, content: "ä".repeat(32_000) };
        let question = |count| Question { prompt: None, messages: Some(vec![message.clone(); count]) };
        assert!(question(3).validate().is_ok());
        assert!(question(4).validate().is_err());
    }

    #[test]
    fn a_question_is_a_prompt_or_messages() {
        let (prompt, messages) = (Some("Hello".to_owned()), Some(vec![Message { role: Speaker::User, content: "Hello".to_owned() }]));
        assert!(Question { prompt: None, messages: None }.validate().is_err());
        assert!(Question { prompt: prompt.clone(), messages: messages.clone() }.validate().is_err());
        assert!(Question { prompt, messages: None }.validate().is_ok() && Question { prompt: None, messages }.validate().is_ok());
    }

    #[test]
    fn a_prompt_is_a_conversation_of_one() {
        let question = Question { prompt: Some("Hello".to_owned()), messages: None };
        assert_eq!(question.conversation().collect::<Vec<_>>(), [(Speaker::User, "Hello")]);
        assert_eq!((guessed_tokens(""), guessed_tokens("a"), guessed_tokens("Hello")), (0, 1, 2));
    }
}

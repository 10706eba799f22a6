//! The settings of the language model.

use std::fmt;

use super::{DAY_MS, SECOND_MS};
use crate::{reader::Reader, types::Chat, values::link_base};

pub(super) fn read(r: &mut Reader<'_>) -> Chat {
    r.section("Chat with a language model, through any server with OpenAI's API; without a key it answers 503");
    let key = r.secret("OPENAI_API_KEY", "key to the model's API; any text where the server wants none", |_| Ok(()), |_| "***".to_owned());
    let second = SECOND_MS;
    Chat {
        key,
        base_url: r.value(
            "OPENAI_BASE_URL",
            "https://api.openai.com/v1".to_owned(),
            "where the model's API is, with its version",
            link_base,
        ),
        model: r.value("OPENAI_MODEL", "gpt-4o-mini".to_owned(), "the model's name", |text| Ok(text.to_owned())),
        first_token: r.duration("CHAT_FIRST_TOKEN_SECONDS", 30, 1..=600, second, "longest wait for the first words of an answer"),
        silence: r.duration("CHAT_SILENCE_SECONDS", 30, 1..=600, second, "longest wait for the next words after that"),
        total: r.duration("CHAT_TOTAL_SECONDS", 300, 1..=3600, second, "longest time for an answer"),
        heartbeat: r.duration(
            "CHAT_HEARTBEAT_SECONDS",
            10,
            1..=60,
            second,
            "clients that take events get a sign of life when nothing else comes",
        ),
        event_bytes: r.number("CHAT_EVENT_BYTES", 64 << 10, 1024..=1 << 20, "largest event of the model's API, in bytes"),
        answer_bytes: r.number("CHAT_ANSWER_BYTES", 256 << 10, 1024..=1 << 26, "longest answer, in bytes"),
        tokens_per_day: r
            .value("CHAT_TOKENS_PER_DAY", Tokens(Some(200_000)), "tokens that one account may use in a day (UTC), or off", tokens)
            .0,
        usage: r.duration("CHAT_USAGE_DAYS", 400, 2..=3650, DAY_MS, "what was used is kept this long"),
    }
}

/// A number of tokens, or no bound.
#[derive(Clone, Copy)]
struct Tokens(Option<u32>);

fn tokens(text: &str) -> Result<Tokens, String> {
    if text == "off" {
        return Ok(Tokens(None));
    }
    let count = text.parse().ok().filter(|count| *count > 0);
    count.map(|count| Tokens(Some(count))).ok_or_else(|| "must be a whole number from 1 to 4294967295, or off".to_owned())
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(count) => write!(f, "{count}"),
            None => f.write_str("off"),
        }
    }
}

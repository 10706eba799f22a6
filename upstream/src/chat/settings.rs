//! What a client of a model is made with.

use std::{fmt, time::Duration};

use url::Url;

use super::Unusable;
use crate::base::{is_loopback, is_plain};

/// How to reach the model. `Debug` prints stars for the key.
#[derive(Clone)]
pub struct Settings {
    /// The key.
    pub key: String,
    /// Where the API is, with its version: `https://api.openai.com/v1`. Without any path, `/v1` is meant.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// What an answer may take.
    pub bounds: Bounds,
}

/// What an answer may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The longest wait for the first words, connecting included.
    pub first_token: Duration,
    /// The longest wait for the next event after that, not counting how long nobody asked for it.
    pub silence: Duration,
    /// The longest that all of it may take.
    pub total: Duration,
    /// The largest event, in bytes.
    pub event_bytes: usize,
    /// The longest answer, in bytes of its words.
    pub answer_bytes: usize,
}

impl Settings {
    /// Where completions are asked for, when everything makes sense.
    pub(super) fn checked(&self) -> Result<Url, Unusable> {
        if self.key.is_empty() || self.key.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(Unusable("the key is empty or has white space in it: was it copied with a blank or a line break?"));
        }
        if self.model.is_empty() {
            return Err(Unusable("the model has no name"));
        }
        let Bounds { first_token, silence, total, event_bytes, answer_bytes } = self.bounds;
        if first_token.is_zero() || silence.is_zero() || total.is_zero() || event_bytes == 0 || answer_bytes == 0 {
            return Err(Unusable("a bound of zero lets nothing through"));
        }
        let mut base =
            Url::parse(&self.base_url).map_err(|_| Unusable("the API's address is not of the form https://api.openai.com/v1"))?;
        if !is_plain(&base) {
            return Err(Unusable("the API's address may have nothing but http or https, host, port and path"));
        }
        // `http://ollama:11434` within a network of containers carries no secret; a key of OpenAI's does not belong there.
        if base.scheme() == "http" && self.key.starts_with("sk-") && self.key.len() >= 40 && !is_loopback(&base) {
            return Err(Unusable("the API's address would carry the key in the clear: it must begin with https://"));
        }
        let unversioned = base.path() == "/";
        let mut path = base.path_segments_mut().map_err(|()| Unusable("the API's address has no path"))?;
        path.pop_if_empty();
        if unversioned {
            path.push("v1");
        }
        path.extend(["chat", "completions"]);
        drop(path);
        Ok(base)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, base_url, model, bounds } = self;
        let mut out = f.debug_struct("Settings");
        out.field("key", &"***").field("base_url", base_url).field("model", model).field("bounds", bounds).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Model;

    fn with(key: &str, base_url: &str) -> Settings {
        let second = Duration::from_secs(1);
        let bounds = Bounds { first_token: second, silence: second, total: second, event_bytes: 1024, answer_bytes: 1024 };
        Settings { key: key.to_owned(), base_url: base_url.to_owned(), model: "gpt".to_owned(), bounds }
    }

    const REAL: &str = "sk-hunter2hunter2hunter2hunter2hunter2hunter2";

    #[test]
    fn slips_are_told_without_the_key() {
        for (key, base) in [
            ("", "https://api.openai.com/v1"),
            ("sk-hunter2 ", "https://api.openai.com/v1"),
            ("sk-hunter2\n", "https://api.openai.com/v1"),
            ("sk-hunter2", "api.openai.com"),
            ("sk-hunter2", "ftp://api.openai.com"),
            ("sk-hunter2", "https://sk-hunter2@api.openai.com"),
            ("sk-hunter2", "https://api.openai.com?key=sk-hunter2"),
            (REAL, "http://api.openai.com/v1"),
            (REAL, "http://127.0.0.1.example.com/v1"),
        ] {
            let refused = with(key, base).checked().expect_err(base).to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        let mut settings = with("sk-x", "https://api.openai.com/v1");
        settings.bounds.silence = Duration::ZERO;
        assert!(settings.checked().is_err());
    }

    #[test]
    fn completions_are_found_under_the_address() {
        for (base, url) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com", "https://api.openai.com/v1/chat/completions"),
            ("http://ollama:11434", "http://ollama:11434/v1/chat/completions"),
            ("https://gateway.example.com/openai", "https://gateway.example.com/openai/chat/completions"),
        ] {
            assert_eq!(with("ollama", base).checked().expect(base).as_str(), url);
        }
    }

    #[test]
    fn nothing_prints_the_key() {
        let settings = with(REAL, "https://api.openai.com/v1");
        let model = Model::new(settings.clone()).expect("a client");
        let printed = format!("{settings:?} {model:?} {model}");
        assert!(printed.contains("***") && !printed.contains("hunter2"), "{printed}");
    }
}

//! One event of an answer: what `data` of a stream of chat completions can say.

use serde::Deserialize;

use super::Error;

/// The data of the event that stands at the end.
const DONE: &str = "[DONE]";

/// What an answer took, in tokens, as the model counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What was asked.
    pub prompt_tokens: u32,
    /// What was said.
    pub completion_tokens: u32,
}

/// What an event says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Words; often none.
    pub(super) words: String,
    /// Why nothing more will be said.
    pub(super) finish: Option<String>,
    pub(super) usage: Option<Usage>,
    /// Whether this was the last event.
    pub(super) done: bool,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Counted>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// Reads the data of an event.
///
/// # Errors
/// `Garbage` when it is none, `Failed` when it is an error.
pub(super) fn read(data: &str) -> Result<Told, Error> {
    if data.trim() == DONE {
        return Ok(Told { done: true, ..Told::default() });
    }
    let chunk: Chunk = serde_json::from_str(data).map_err(|_| Error::Garbage("an event is no chunk of a completion"))?;
    if let Some(error) = &chunk.error {
        return Err(Error::told(error));
    }
    let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let usage =
        chunk.usage.map(|usage| Usage { prompt_tokens: count(usage.prompt_tokens), completion_tokens: count(usage.completion_tokens) });
    // Only one answer was asked for.
    let choice = chunk.choices.into_iter().find(|choice| choice.index == 0);
    let (words, finish) = choice.map(|choice| (choice.delta.and_then(|delta| delta.content), choice.finish_reason)).unwrap_or_default();
    Ok(Told { words: words.unwrap_or_default(), finish, usage, done: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_several_servers_are_read() {
        let words = |data: &str| read(data).expect(data).words;
        assert_eq!(
            words(r#"{"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#),
            ""
        );
        assert_eq!(words(r#"{"choices":[{"delta":{"content":"Hé"}}]}"#), "Hé");
        assert_eq!(words(r#"{"choices":[{"index":0,"delta":{"content":null,"reasoning_content":"hm"}}]}"#), "");
        assert_eq!(words(r#"{"choices":[{"index":1,"delta":{"content":"another"}}]}"#), "");
        let usage =
            read(r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":99999999999,"total_tokens":1}}"#).expect("usage").usage;
        assert_eq!(usage, Some(Usage { prompt_tokens: 9, completion_tokens: u32::MAX }));
        assert_eq!(
            read(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#).expect("an end").finish.as_deref(),
            Some("length")
        );
        assert!(read("[DONE]").expect("the end").done && read(" [DONE] ").expect("the end").done);
    }

    #[test]
    fn what_is_no_chunk_is_told() {
        for data in ["", "{", "[]", "null", r#"{"choices":"x"}"#, r#"{"choices":[{"delta":{"content":7}}]}"#] {
            assert!(matches!(read(data), Err(Error::Garbage(_))), "{data}");
        }
        let told = read(r#"{"error":{"message":"hunter2 is overloaded","type":"server_error","code":null}}"#);
        assert_eq!(told, Err(Error::Failed("server_error".to_owned())));
    }
}

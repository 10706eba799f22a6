//! What can go wrong with a mail, told apart by whether trying again can help.

use std::{error::Error as StdError, fmt, io, time::Duration};

use lettre::transport::smtp;

/// Longest text kept of a server's reply, in characters.
const REPLY_CHARS_MAX: usize = 300;

/// Why a mail was not sent. No text contains an address: they are not for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The mail cannot be sent as it is; permanent.
    #[error("the mail cannot be sent as it is: {0}")]
    Invalid(&'static str),
    /// The server said no for good (5xx): to the recipient, the mail or our password; permanent.
    #[error("the mail server refused: {0}")]
    Refused(Reply),
    /// The server said not now (4xx); temporary.
    #[error("the mail server asks to try later: {0}")]
    Deferred(Reply),
    /// No connection, no TLS where it is required, or a broken one; temporary.
    #[error("the mail server cannot be talked to")]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
    /// The mail was not taken within the time-out; temporary.
    #[error("the mail server did not take the mail within {0:?}")]
    TimedOut(Duration),
    /// The file could not be written; temporary.
    #[error("the mail cannot be written to its folder")]
    Folder(#[source] io::Error),
}

impl Error {
    /// Whether the same mail would fail again, however often it is tried.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Refused(_) => true,
            Self::Deferred(_) | Self::Unreachable(_) | Self::TimedOut(_) | Self::Folder(_) => false,
        }
    }
}

/// Only replies carry a code; whatever else went wrong between us and the server may be gone the next time.
impl From<smtp::Error> for Error {
    fn from(error: smtp::Error) -> Self {
        match error.status() {
            Some(code) => {
                let text = error.source().map(ToString::to_string).unwrap_or_default();
                let reply = Reply { code: code.into(), text: without_addresses(&text) };
                if error.is_permanent() { Self::Refused(reply) } else { Self::Deferred(reply) }
            }
            None => Self::Unreachable(Box::new(error)),
        }
    }
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// The text, with stars for what looks like an address; at most 300 characters.
    pub text: String,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// One line in which every word with an at sign is stars.
fn without_addresses(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.map(|word| if word.contains('@') { "***" } else { word }).collect();
    words.join(" ").chars().take(REPLY_CHARS_MAX).collect()
}

/// A mailer cannot be made of what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub(super) String);

#[cfg(test)]
mod tests {
    use super::without_addresses;

    #[test]
    fn a_reply_is_kept_without_addresses_and_on_one_line() {
        assert_eq!(without_addresses("5.1.1 <ada@example.com>:\r\n unknown\x1b user"), "5.1.1 *** unknown user");
        assert_eq!(without_addresses(&"long ".repeat(1000)).chars().count(), 300);
    }
}

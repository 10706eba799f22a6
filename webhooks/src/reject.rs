//! Why a request is refused.

/// A refusal. Its text is what the sender may read, and does not tell which step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// A header that signs is absent or blank.
    #[error("Missing signature")]
    Missing,
    /// No secret of ours made this signature over these bytes, or the headers are not as the provider writes them.
    #[error("Invalid signature")]
    Invalid,
    /// The signature is right, but made too long ago or too far ahead. Told apart for the log: it is a replay, or a clock is wrong.
    #[error("Invalid signature")]
    Stale {
        /// Our time less the sender's; negative when the sender is ahead.
        seconds: i64,
    },
}

impl Reject {
    /// One word for the log and for metrics; never for the sender.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Stale { .. } => "stale",
        }
    }
}

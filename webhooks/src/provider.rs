//! Who sends webhooks.

use std::fmt;

const MIB: usize = 1024 * 1024;

/// A sender, or a family of senders, with one way of signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Stripe, scheme `v1`.
    Stripe,
    /// GitHub, `X-Hub-Signature-256`.
    GitHub,
    /// Twilio.
    Twilio,
    /// Lemon Squeezy.
    LemonSqueezy,
    /// Whoever keeps to Standard Webhooks, and Svix.
    Standard,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 5] = [Self::Stripe, Self::GitHub, Self::Twilio, Self::LemonSqueezy, Self::Standard];

    /// The name in paths, in the inbox and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::GitHub => "github",
            Self::Twilio => "twilio",
            Self::LemonSqueezy => "lemon-squeezy",
            Self::Standard => "standard",
        }
    }

    /// The provider with that [`Provider::name`].
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }

    /// The most bytes a body may have: 25 MiB is GitHub's own bound, nobody else comes near 2 MiB.
    pub const fn body_bytes_max(self) -> usize {
        match self {
            Self::GitHub => 25 * MIB,
            _ => 2 * MIB,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_found_by_its_name() {
        for provider in Provider::ALL {
            assert_eq!(Provider::named(&provider.to_string()), Some(provider));
        }
        assert_eq!(Provider::named("Stripe"), None);
        assert_eq!(Provider::GitHub.body_bytes_max(), 26_214_400);
    }
}

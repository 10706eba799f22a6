//! What a fake is made with.

use std::{fmt, net::SocketAddr, time::Duration};

use webhooks::{Provider, Secret, SecretProblem};

/// How a fake behaves from its start.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How browsers and clients call it, without a slash at the end; `http://` and the address when absent.
    pub public_url: Option<String>,
    /// The key that clients must show.
    pub secret_key: String,
    /// Where webhooks go, in plain HTTP; none are sent when absent.
    pub webhook_url: Option<String>,
    /// What they are signed with.
    pub webhook_secret: Secret,
    /// The shape of subscriptions and invoices.
    pub shape: Shape,
    /// What time it is.
    pub clock: Clock,
    /// What becomes of a subscription that is not paid in the end.
    pub dunning: Dunning,
    /// After how long a delivery that failed is tried again, and how often. Stripe goes on for three days.
    pub redelivery: Vec<Duration>,
    /// Stands in every id. With an empty one ids are the same in every run; a program that keeps what it learned needs another in each.
    pub id_salt: String,
}

impl Settings {
    /// For a test: a free port of this machine, key `sk_test_fake`, a clock that stands still, and quick redelivery.
    ///
    /// # Errors
    /// When the secret is none.
    pub fn for_test(webhook_secret: &str) -> Result<Self, SecretProblem> {
        Ok(Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            secret_key: "sk_test_fake".to_owned(),
            webhook_url: None,
            webhook_secret: Secret::parse(Provider::Stripe, webhook_secret)?,
            shape: Shape::Basil,
            clock: Clock::StandsAt(1_750_000_000),
            dunning: Dunning::Cancel,
            redelivery: vec![Duration::from_millis(50), Duration::from_millis(200), Duration::from_secs(1)],
            id_salt: String::new(),
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = "***";
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("secret_key", &hidden)
            .field("webhook_url", &self.webhook_url)
            .field("shape", &self.shape)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// How subscriptions and invoices look, which an endpoint's and a client's API version decide at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Before 2025-03-31: a subscription has its period, an invoice its `subscription`.
    Acacia,
    /// Since 2025-03-31: the items of a subscription have the period, an invoice names its subscription under `parent`.
    Basil,
}

impl Shape {
    /// The API version that events say they have.
    pub(crate) const fn api_version(self) -> &'static str {
        match self {
            Self::Acacia => "2025-02-24.acacia",
            Self::Basil => "2025-03-31.basil",
        }
    }
}

/// What `created` and the periods are made from. Webhooks are signed at the real time: who receives them checks that against theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// This time, in unix seconds, until it is advanced.
    StandsAt(i64),
    /// The machine's, from where it can be advanced.
    Runs,
}

/// What becomes of a subscription when its last payment attempt failed; a setting of the account at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dunning {
    /// It ends.
    Cancel,
    /// It stays, as `unpaid`.
    Unpaid,
}

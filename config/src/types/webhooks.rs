//! Webhooks, and billing by them.

use std::time::Duration;

use crate::Secret;

/// The secrets that providers sign their webhooks with; several, newest first, separated by commas. Absent ones are not listened to.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    /// Stripe's endpoint secrets.
    pub stripe: Option<Secret<String>>,
    /// GitHub's webhook secrets.
    pub github: Option<Secret<String>>,
    /// Twilio's auth tokens.
    pub twilio: Option<Secret<String>>,
    /// Lemon Squeezy's signing secrets.
    pub lemon_squeezy: Option<Secret<String>>,
    /// The secrets of senders that keep to Standard Webhooks.
    pub standard: Option<Secret<String>>,
    /// GitHub's API, to ask for deliveries that failed again; without it nobody does.
    pub github_api: Option<GitHubApi>,
    /// How long bodies are kept.
    pub kept: Duration,
}

/// How to ask GitHub for deliveries again.
#[derive(Debug, Clone)]
pub struct GitHubApi {
    /// The token.
    pub token: Secret<String>,
    /// The webhook's path in the API.
    pub hook: String,
    /// Where the API is, without a trailing slash.
    pub base: String,
}

/// Billing through Stripe.
#[derive(Debug, Clone)]
pub struct Billing {
    /// The key to Stripe's API; without one nothing can be bought, and events count as they come.
    pub secret_key: Option<Secret<String>>,
    /// Where Stripe's API is, without a trailing slash.
    pub api_base: String,
    /// Whether events are about real money: as the key says; without one, either.
    pub live: Option<bool>,
    /// The connected account whose events are ours.
    pub account: Option<String>,
    /// How long an organisation that is past due may go on.
    pub grace: Duration,
}

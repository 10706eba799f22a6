//! What comes in, and the proof that it was verified.

use std::fmt;

use crate::{Envelope, Headers, Provider, github, lemon_squeezy, standard, stripe, twilio};

/// A request as it came over the wire.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// Its headers.
    pub headers: Headers<'r>,
    /// The URL as the sender knows it: the public base from the settings, then path and query as they came, escapes untouched. Never
    /// made from `Host` or `X-Forwarded-*`. Only Twilio signs it.
    pub url: &'r str,
    /// The body, byte for byte: not decoded, trimmed or written anew.
    pub body: &'r [u8],
}

/// Prints no header and nothing of the body: they hold personal data, and what a replay needs.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// A request whose signature is right. Only verification makes one.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'r> {
    provider: Provider,
    request: Request<'r>,
    signed_at: Option<i64>,
}

impl<'r> Verified<'r> {
    pub(crate) fn new(provider: Provider, request: &Request<'r>, signed_at: Option<i64>) -> Self {
        Self { provider, request: *request, signed_at }
    }

    /// Whose signature it is.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// When it was signed, in unix seconds, where the provider says: the time of this delivery, not of the event.
    pub fn signed_at(&self) -> Option<i64> {
        self.signed_at
    }

    /// The raw body.
    pub fn body(&self) -> &'r [u8] {
        self.request.body
    }

    /// What the inbox needs to know. Never fails: [`Envelope::problem`] tells what could not be read.
    pub fn envelope(&self) -> Envelope {
        match self.provider {
            Provider::Stripe => stripe::event::envelope(self.request.body),
            Provider::GitHub => github::event::envelope(&self.request),
            Provider::Twilio => twilio::event::envelope(&self.request),
            Provider::LemonSqueezy => lemon_squeezy::event::envelope(self.request.body),
            Provider::Standard => standard::event::envelope(&self.request),
        }
    }
}

//! The secrets of one provider, and with them the way in.

use crate::{
    Headers, Provider, Reject, Request, Secret, SecretError, SecretProblem, Verified, github, lemon_squeezy, standard, stripe, twilio,
};

/// The active secrets of one provider, newest first. More than one is active while a secret is being replaced, and where test and
/// live endpoints share a path. `Debug` prints stars.
#[derive(Debug, Clone)]
pub struct Keys(Held);

#[derive(Debug, Clone)]
enum Held {
    Stripe(Vec<Secret>),
    GitHub(Vec<Secret>),
    Twilio(Vec<Secret>),
    LemonSqueezy(Vec<Secret>),
    Standard(Vec<standard::Key>),
}

impl Keys {
    /// How many secrets one provider may have at once.
    pub const SECRETS_MAX: usize = 8;

    /// Reads secrets separated by commas, newest first.
    ///
    /// # Errors
    /// The first secret that is wrong, see [`SecretProblem`]. There is always at least one secret.
    pub fn parse(provider: Provider, text: &str) -> Result<Self, SecretError> {
        let shared = || list(text, |text| Secret::parse(provider, text));
        Ok(Self(match provider {
            Provider::Stripe => Held::Stripe(shared()?),
            Provider::GitHub => Held::GitHub(shared()?),
            Provider::Twilio => Held::Twilio(shared()?),
            Provider::LemonSqueezy => Held::LemonSqueezy(shared()?),
            Provider::Standard => Held::Standard(list(text, standard::Key::parse)?),
        }))
    }

    /// Whose secrets they are.
    pub fn provider(&self) -> Provider {
        match self.0 {
            Held::Stripe(_) => Provider::Stripe,
            Held::GitHub(_) => Provider::GitHub,
            Held::Twilio(_) => Provider::Twilio,
            Held::LemonSqueezy(_) => Provider::LemonSqueezy,
            Held::Standard(_) => Provider::Standard,
        }
    }

    /// Whether there is a signature at all, to be asked before the body is read.
    ///
    /// # Errors
    /// `Missing`, or `Invalid` when a header that signs came more than once.
    pub fn present(&self, headers: Headers<'_>) -> Result<(), Reject> {
        match self.0 {
            Held::Stripe(_) => headers.signing(stripe::SIGNATURE).map(drop),
            Held::GitHub(_) => headers.signing(github::SIGNATURE).map(drop),
            Held::Twilio(_) => headers.signing(twilio::SIGNATURE).map(drop),
            Held::LemonSqueezy(_) => headers.signing(lemon_squeezy::SIGNATURE).map(drop),
            Held::Standard(_) => standard::present(headers),
        }
    }

    /// Verifies a request; `now` in unix seconds. Every secret is tried for every request.
    ///
    /// # Errors
    /// See [`Reject`].
    pub fn verify<'r>(&self, request: &Request<'r>, now: i64) -> Result<Verified<'r>, Reject> {
        match &self.0 {
            Held::Stripe(secrets) => stripe::verify(secrets, request, now),
            Held::GitHub(secrets) => github::verify(secrets, request),
            Held::Twilio(tokens) => twilio::verify(tokens, request),
            Held::LemonSqueezy(secrets) => lemon_squeezy::verify(secrets, request),
            Held::Standard(keys) => standard::verify(keys, request, now),
        }
    }
}

fn list<K>(text: &str, parse: impl Fn(&str) -> Result<K, SecretProblem>) -> Result<Vec<K>, SecretError> {
    let secrets = text.split(',').zip(1..).map(|(text, position)| {
        let secret = if position > Keys::SECRETS_MAX { Err(SecretProblem::TooMany) } else { parse(text) };
        secret.map_err(|problem| SecretError { position, problem })
    });
    secrets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_the_secret_that_is_wrong() {
        let error = Keys::parse(Provider::Stripe, "whsec_a,whsec_b ,c").unwrap_err();
        assert_eq!((error.position, error.problem), (2, SecretProblem::WhiteSpace));
        assert!(error.to_string().starts_with("secret 2 has white space in it"), "{error}");
        for empty in ["", ",", "abcd,", ",abcd"] {
            for provider in Provider::ALL {
                assert_eq!(Keys::parse(provider, empty).map_err(|error| error.problem).err(), Some(SecretProblem::Empty), "{empty:?}");
            }
        }
        assert!(Keys::parse(Provider::Twilio, "1,2,3,4,5,6,7,8").is_ok());
        assert_eq!(Keys::parse(Provider::Twilio, "1,2,3,4,5,6,7,8,9").unwrap_err().problem, SecretProblem::TooMany);
    }

    #[test]
    fn keys_print_stars() {
        let keys = Keys::parse(Provider::Stripe, "whsec_a,whsec_b").unwrap();
        assert_eq!(format!("{keys:?}"), "Keys(Stripe([***, ***]))");
        let keys = Keys::parse(Provider::Standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(format!("{keys:?}"), "Keys(Standard([***]))");
    }

    #[test]
    fn keys_know_their_provider_and_its_header() {
        let names = [
            (Provider::Stripe, "stripe-signature"),
            (Provider::GitHub, "x-hub-signature-256"),
            (Provider::Twilio, "x-twilio-signature"),
            (Provider::LemonSqueezy, "x-signature"),
        ];
        for (provider, name) in names {
            let keys = Keys::parse(provider, "secret").unwrap();
            assert_eq!(keys.provider(), provider);
            assert_eq!(keys.present(Headers::new(&[(name, b"x")])), Ok(()));
            assert_eq!(keys.present(Headers::new(&[("x-hub-signature", b"x")])), Err(Reject::Missing));
            assert_eq!(keys.present(Headers::new(&[(name, b"x"), (name, b"x")])), Err(Reject::Invalid));
        }
    }
}

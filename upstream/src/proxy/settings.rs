//! What is to be known of a service.

use std::{fmt, time::Duration};

use reqwest::header::{HeaderName, HeaderValue};
use url::{Host, Url};

use super::guard::{Place, place};
use crate::{base, http::Unusable};

/// What lets us in: a header and its value. Prints stars.
#[derive(Clone)]
pub struct Credential {
    /// The header, in small letters.
    pub header: String,
    /// Its value.
    pub value: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}: ***)", self.header)
    }
}

/// What is to be known of a service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name, for the log.
    pub name: String,
    /// Where it is: http or https, host, port and path.
    pub base: String,
    /// The path under which we pass it on, without a trailing slash.
    pub mount: String,
    /// Whether it is reached at private addresses only, else at public ones only.
    pub private: bool,
    /// What lets us in.
    pub credential: Option<Credential>,
    /// In which header it is told who calls.
    pub user_header: Option<String>,
    /// The longest to connect.
    pub connect: Duration,
    /// The longest from the end of a request to the head of its answer, retries included.
    pub head: Duration,
    /// The longest without a byte.
    pub silence: Duration,
    /// The longest for all of a call.
    pub total: Duration,
    /// The largest request body, in bytes; held by who sends it.
    pub request_bytes_max: u64,
    /// The largest answer body, in bytes.
    pub answer_bytes_max: u64,
    /// The largest head of an answer, in bytes.
    pub answer_head_bytes_max: usize,
    /// Calls at the same time.
    pub calls_max: usize,
    /// How often what is safe is tried again.
    pub retries: u32,
    /// Calls in 10 s of which half must fail for it to be left alone; 0 is never.
    pub breaker_calls: u32,
    /// How long it is left alone.
    pub breaker_open: Duration,
}

impl Settings {
    pub(super) fn place(&self) -> Place {
        if self.private { Place::Private } else { Place::Public }
    }

    /// The address, when it is one. A literal is held to its place here, as there is no name to look up when it is connected to.
    pub(super) fn checked_base(&self) -> Result<Url, Unusable> {
        let url = Url::parse(&self.base).map_err(|_| Unusable("its address is none"))?;
        if !base::is_plain(&url) {
            return Err(Unusable("its address must have nothing but http or https, host, port and path"));
        }
        if url.scheme() == "http" && !self.private {
            return Err(Unusable("its address must be https, as it is not private"));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(place(address.into())),
            Some(Host::Ipv6(address)) => Some(place(address.into())),
            Some(Host::Domain(_)) => None,
            None => return Err(Unusable("its address has no host")),
        };
        match literal {
            Some(Place::Nowhere) => Err(Unusable("its address is one that nothing may call")),
            Some(place) if place != self.place() => Err(Unusable("its address is private and it is not, or the other way round")),
            _ => Ok(url),
        }
    }

    pub(super) fn checked_credential(&self) -> Result<Option<(HeaderName, HeaderValue)>, Unusable> {
        let Some(credential) = &self.credential else { return Ok(None) };
        let name = HeaderName::try_from(&credential.header).map_err(|_| Unusable("its credential's header is none"))?;
        let mut value = HeaderValue::try_from(&credential.value).map_err(|_| Unusable("its credential fits in no header"))?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    pub(super) fn checked_user_header(&self) -> Result<Option<HeaderName>, Unusable> {
        let header = self.user_header.as_deref().map(HeaderName::try_from).transpose();
        header.map_err(|_| Unusable("the header for its callers is none"))
    }
}

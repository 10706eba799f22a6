//! What clients are told of limits: `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10.

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{HeaderName, HeaderValue},
};
use domain::{Error, Result};

use super::{
    rule::{Left, Rank, Rule, Verdict},
    seconds,
};

/// What the headers will say, kept with the request until there is an answer to put them on; only then they are written out.
#[derive(Debug, Clone)]
pub struct RateHeaders {
    name: &'static str,
    rank: Rank,
    left: Left,
    policy: HeaderValue,
}

impl RateHeaders {
    /// `RateLimit` and `RateLimit-Policy`.
    #[must_use]
    pub fn pairs(self) -> [(HeaderName, HeaderValue); 2] {
        let Left { remaining, reset_s } = self.left;
        let limit = format!("\"{}\";r={remaining};t={reset_s}", self.name);
        // A name of ours and two numbers are always a header's value.
        let limit = HeaderValue::try_from(limit).unwrap_or_else(|_| HeaderValue::from_static(""));
        [(HeaderName::from_static("ratelimit"), limit), (HeaderName::from_static("ratelimit-policy"), self.policy)]
    }
}

/// Turns a verdict into a result, and keeps it for the answer: that of the most specific limit, or of the one that refused.
pub(super) fn keep(request: &HttpRequest, rule: &Rule, verdict: Verdict) -> Result<()> {
    let (left, result) = match verdict {
        Verdict::Admitted(left) => (left, Ok(())),
        Verdict::Refused(wait) => {
            let reset_s = seconds(wait);
            (Left { remaining: 0, reset_s }, Err(Error::rate_limited(reset_s)))
        }
    };
    let mut extensions = request.extensions_mut();
    let counts = result.is_err() || extensions.get::<RateHeaders>().is_none_or(|kept| kept.rank <= rule.rank);
    if counts {
        extensions.insert(RateHeaders { name: rule.name, rank: rule.rank, left, policy: rule.policy.clone() });
    }
    result
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::test::TestRequest;
    use persistence::rate_limits::Quota;

    use super::*;

    fn told(asked: &[(Rank, &'static str, Verdict)]) -> String {
        let request = TestRequest::get().to_http_request();
        for (rank, name, verdict) in asked {
            let _ = keep(&request, &Rule::new(name, *rank, Quota { count: 60, window: Duration::from_secs(60) }), *verdict);
        }
        let kept = request.extensions().get::<RateHeaders>().cloned().unwrap();
        kept.pairs().iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect()
    }

    #[test]
    fn the_most_specific_limit_tells_unless_another_refused() {
        let admitted = Verdict::Admitted(Left { remaining: 7, reset_s: 53 });
        let refused = Verdict::Refused(Duration::from_millis(1500));
        let login = "ratelimit: \"login\";r=7;t=53\nratelimit-policy: \"login\";q=60;w=60\n";
        let (by_address, by_login) = ((Rank::Address, "address", admitted), (Rank::Strict, "login", admitted));
        assert_eq!(told(&[by_address, by_login]), login);
        assert_eq!(told(&[by_login, (Rank::Caller, "account", admitted)]), login);
        let account = "ratelimit: \"account\";r=0;t=2\nratelimit-policy: \"account\";q=60;w=60\n";
        assert_eq!(told(&[by_login, (Rank::Caller, "account", refused)]), account);
    }
}

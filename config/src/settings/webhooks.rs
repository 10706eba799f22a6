//! The settings of webhooks.

use super::DAY_MS;
use crate::{
    reader::Reader,
    types::{GitHubApi, Webhooks},
    values::link_base,
};

pub(super) fn read(r: &mut Reader<'_>) -> Webhooks {
    r.section("Webhooks: secrets, each may be several, newest first, separated by commas; without one its path answers 503");
    let mut secret = |name, doc| r.secret(name, doc, |_| Ok(()), |_| "***".to_owned());
    Webhooks {
        stripe: secret("STRIPE_WEBHOOKS_SECRET", "Stripe's endpoint secret, whsec_…"),
        github: secret("GITHUB_WEBHOOK_SECRET", "GitHub's webhook secret"),
        twilio: secret("TWILIO_AUTH_TOKEN", "Twilio's auth token; PUBLIC_URL must be the address Twilio calls"),
        lemon_squeezy: secret("LEMON_SQUEEZY_SIGNING_SECRET", "Lemon Squeezy's signing secret"),
        standard: secret("STANDARD_WEBHOOK_SECRET", "secret of a sender that keeps to Standard Webhooks, whsec_… or whpk_…"),
        kept: r.duration("WEBHOOK_DAYS", 90, 4..=3650, DAY_MS, "bodies of events are kept this long, for replay"),
        github_api: github_api(r),
    }
}

fn github_api(r: &mut Reader<'_>) -> Option<GitHubApi> {
    r.section("Webhooks: deliveries of GitHub that failed are asked for again, with a token and a webhook");
    let token = r.secret("GITHUB_TOKEN", "token to GitHub's API that may read and write the webhook", |_| Ok(()), |_| "***".to_owned());
    let hook =
        r.optional("GITHUB_HOOK", "the webhook, repos/{owner}/{repo}/hooks/{id} or orgs/{org}/hooks/{id}", |text| Ok(text.to_owned()));
    let default = "https://api.github.com".to_owned();
    let base = r.value("GITHUB_API_BASE", default, "where GitHub's API is; https://<host>/api/v3 of an own server", link_base);
    match (token, hook) {
        (Some(token), Some(hook)) => Some(GitHubApi { token, hook, base }),
        (None, None) => None,
        _ => {
            r.problem("GITHUB_TOKEN and GITHUB_HOOK go together: set both or neither");
            None
        }
    }
}

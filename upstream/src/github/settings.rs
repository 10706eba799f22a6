//! What a client of GitHub's API is made with.

use std::fmt;

use url::Url;

use super::Unusable;
use crate::base::{is_loopback, is_plain};

/// The most characters of an owner's or a repository's name, with room to spare.
const NAME_CHARS_MAX: usize = 100;

/// How to reach GitHub. `Debug` prints stars for the token.
#[derive(Clone)]
pub struct Settings {
    /// A token that may read and ask for deliveries of the webhook: permission "Webhooks", read and write.
    pub token: String,
    /// Where the API is: `https://api.github.com`, `https://<host>/api/v3`, or a test server.
    pub api_base: String,
    /// The webhook: `repos/{owner}/{repo}/hooks/{id}` or `orgs/{org}/hooks/{id}`.
    pub hook: String,
}

impl Settings {
    /// Where the webhook's deliveries are, when everything makes sense.
    pub(super) fn checked(&self) -> Result<Url, Unusable> {
        if self.token.is_empty() || self.token.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(Unusable("the token is empty or has white space in it: was it copied with a blank or a line break?"));
        }
        let mut base = Url::parse(&self.api_base).map_err(|_| Unusable("the API's address is not of the form https://api.github.com"))?;
        if !is_plain(&base) {
            return Err(Unusable("the API's address may have nothing but http or https, host, port and path"));
        }
        if base.scheme() == "http" && !is_loopback(&base) {
            return Err(Unusable("the API's address would carry the token in the clear: it must begin with https://"));
        }
        let hook: Vec<&str> = self.hook.split('/').collect();
        let fit = match hook.as_slice() {
            ["repos", owner, repo, "hooks", id] => is_account(owner) && is_repo(repo) && is_id(id),
            ["orgs", org, "hooks", id] => is_account(org) && is_id(id),
            _ => false,
        };
        if !fit {
            return Err(Unusable("the webhook must be repos/{owner}/{repo}/hooks/{id} or orgs/{org}/hooks/{id}"));
        }
        let no_path = |()| Unusable("the API's address has no path");
        base.path_segments_mut().map_err(no_path)?.pop_if_empty().extend(hook).push("deliveries");
        Ok(base)
    }
}

/// The underscore is in names of accounts that an enterprise manages.
fn is_account(name: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn is_repo(name: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(known) && !matches!(name, "." | "..")
}

fn is_id(id: &str) -> bool {
    id.bytes().all(|b| b.is_ascii_digit()) && id.parse::<u64>().is_ok_and(|id| id > 0)
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token: _, api_base, hook } = self;
        f.debug_struct("Settings").field("token", &"***").field("api_base", api_base).field("hook", hook).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::GitHub;

    fn with(token: &str, api_base: &str, hook: &str) -> Settings {
        Settings { token: token.to_owned(), api_base: api_base.to_owned(), hook: hook.to_owned() }
    }

    const API: &str = "https://api.github.com";
    const HOOK: &str = "repos/octo-cat/Hello.World/hooks/12";

    #[test]
    fn slips_are_told_without_the_token() {
        for (token, base, hook) in [
            ("", API, HOOK),
            ("ghp_hunter2 ", API, HOOK),
            ("ghp_hunter2", "api.github.com", HOOK),
            ("ghp_hunter2", "ftp://api.github.com", HOOK),
            ("ghp_hunter2", "http://api.github.com", HOOK),
            ("ghp_hunter2", "https://ghp_hunter2@api.github.com", HOOK),
            ("ghp_hunter2", "https://api.github.com?token=ghp_hunter2", HOOK),
            ("ghp_hunter2", API, ""),
            ("ghp_hunter2", API, "/repos/o/r/hooks/1"),
            ("ghp_hunter2", API, "repos/o/r/hooks/1/"),
            ("ghp_hunter2", API, "repos/o/../hooks/1"),
            ("ghp_hunter2", API, "repos/o/r%2F/hooks/1"),
            ("ghp_hunter2", API, "repos/o//hooks/1"),
            ("ghp_hunter2", API, "repos/o/r/hooks/0"),
            ("ghp_hunter2", API, "repos/o/r/hooks/+1"),
            ("ghp_hunter2", API, "orgs/o?/hooks/1"),
            ("ghp_hunter2", API, "users/o/hooks/1"),
        ] {
            let refused = with(token, base, hook).checked().expect_err(hook).to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn a_webhook_is_found_under_the_address() {
        let url = |base, hook| with("ghp_hunter2", base, hook).checked().expect("settings").to_string();
        assert_eq!(url(API, HOOK), "https://api.github.com/repos/octo-cat/Hello.World/hooks/12/deliveries");
        assert_eq!(url("https://ghe.example.com/api/v3/", "orgs/o/hooks/1"), "https://ghe.example.com/api/v3/orgs/o/hooks/1/deliveries");
        assert_eq!(url("http://127.0.0.1:1", "orgs/o/hooks/1"), "http://127.0.0.1:1/orgs/o/hooks/1/deliveries");
    }

    #[test]
    fn nothing_prints_the_token() {
        let settings = with("ghp_hunter2", API, HOOK);
        let github = GitHub::new(&settings).expect("a client");
        let printed = format!("{settings:?} {github:?} {github}");
        assert!(printed.contains("***") && !printed.contains("hunter2"), "{printed}");
    }
}

//! Forms that several settings have, and how they print.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

/// A list that prints as it is written.
#[derive(Clone)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: std::fmt::Display> std::fmt::Display for List<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let items: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&items.join(","))
    }
}

/// An address alone is the network of itself.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    let alone = text.parse::<IpAddr>().map(IpNet::from);
    alone.or_else(|_| text.parse()).map_err(|_| "must be addresses or networks such as 10.0.0.0/8".to_owned())
}

/// Scheme, host and port as a browser writes them; anything more is a mistake that would silently never match.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let wrong = || "must be an origin such as https://app.example.com, without a path".to_owned();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if matches!(url.scheme(), "http" | "https") && bare && url.has_host() { Ok(url.origin().ascii_serialization()) } else { Err(wrong()) }
}

/// A web address that a path can be added to.
pub(crate) fn link_base(text: &str) -> Result<String, String> {
    let wrong = || "must be an address such as https://app.example.com".to_owned();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let fit = matches!(url.scheme(), "http" | "https") && bare;
    if fit { Ok(url.as_str().trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

/// Checks the form; what the parts mean is for the one who connects.
pub(crate) fn smtp_url(text: &str) -> Result<(), String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host());
    let Some(url) = url else { return Err("must be a URL of the form smtps://user:password@host:465".to_owned()) };
    // Such a password would be taken for host and path, and be printed.
    if url[url::Position::BeforePath..].contains('@') {
        return Err("must have / ? # in user and password written as %2F %3F %23".to_owned());
    }
    Ok(())
}

/// A folder by its whole path, or a bucket with what keys in it begin with.
pub(crate) fn storage_url(text: &str) -> Result<String, String> {
    let wrong = || "must be a folder such as file:///var/lib/handrail or a bucket such as s3://bucket/prefix".to_owned();
    let clean = |path: &str| path.split('/').all(|segment| !matches!(segment, "." | "..")) && !path.contains(char::is_control);
    let fit = match text.split_once("://") {
        Some(("file", path)) => path.starts_with('/') && clean(path),
        Some(("s3", rest)) => {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let letters = bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
            (3..=63).contains(&bucket.len()) && letters && clean(prefix) && !prefix.contains(['?', '#'])
        }
        _ => false,
    };
    if fit { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// The URL with stars for its password, wherever that stands.
pub(crate) fn redact_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return "***".to_owned() };
    let (authority, path) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len())).unwrap_or((rest, ""));
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:***"))),
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, query)) if query.contains("password") => format!("{path}?***"),
        _ => path.to_owned(),
    };
    format!("{scheme}://{authority}{path}")
}

#[cfg(test)]
mod tests {
    use super::redact_url;

    #[test]
    fn no_password_survives_redaction() {
        for (url, shown) in [
            ("postgres://u:p@h:5432/d", "postgres://u:***@h:5432/d"),
            ("postgresql://u@/d?host=/run/x", "postgresql://u@/d?host=/run/x"),
            ("postgres://u:p@ss@h/d", "postgres://u:***@h/d"),
            ("postgres://h/d?user=u&password=p", "postgres://h/d?***"),
        ] {
            assert_eq!(redact_url(url), shown);
        }
    }
}

//! Parameters as Stripe takes them: forms with nested names in brackets, and none that it does not know.

use url::form_urlencoded;

use crate::{Refusal, state::Metadata};

/// The parameters of a call, from its query and its body.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(query: &str, body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body));
        Self(pairs.map(|(name, text)| (name.into_owned(), text.into_owned())).collect())
    }

    /// Refuses every name but these; one that ends in `[` lets in whatever begins so.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let is_known = |name: &str| known.iter().any(|known| if known.ends_with('[') { name.starts_with(known) } else { name == *known });
        match self.0.iter().find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(Refusal::invalid(Some("parameter_unknown"), format!("Received unknown parameter: {name}"), Some(name))),
            None => Ok(()),
        }
    }

    /// The text of a parameter.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, text)| text.as_str()).filter(|text| !text.is_empty())
    }

    /// The text of a parameter that must be there.
    pub(crate) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| Refusal::invalid(Some("parameter_missing"), format!("Missing required param: {name}."), Some(name)))
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&self, name: &str, min: i64, max: i64) -> Result<Option<i64>, Refusal> {
        let wrong = || Refusal::invalid(Some("parameter_invalid_integer"), format!("Invalid integer: {name}"), Some(name));
        let read = |text: &str| text.parse().ok().filter(|number| (min..=max).contains(number)).ok_or_else(wrong);
        self.text(name).map(read).transpose()
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let wrong = || Refusal::invalid(None, format!("Invalid boolean: {name}"), Some(name));
        self.text(name).map(|text| text.parse().map_err(|_| wrong())).transpose()
    }

    /// An address on the web.
    pub(crate) fn address(&self, name: &str) -> Result<&str, Refusal> {
        let text = self.needed(name)?;
        let web = text.starts_with("http://") || text.starts_with("https://");
        if web && text.len() <= 5000 { Ok(text) } else { Err(Refusal::invalid(Some("url_invalid"), "Not a valid URL", Some(name))) }
    }

    /// What is nested under a name: `metadata` for `metadata[…]`.
    pub(crate) fn under(&self, name: &str) -> Metadata {
        let inner = |given: &str| given.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']').map(str::to_owned);
        self.0.iter().filter_map(|(given, text)| Some((inner(given)?, text.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_names_are_read() {
        let params = Params::parse("limit=3", b"metadata%5Borg_id%5D=o1&metadata[x]=1&name=A+B&empty=");
        assert_eq!(params.under("metadata").get("org_id").map(String::as_str), Some("o1"));
        assert_eq!((params.text("name"), params.text("empty")), (Some("A B"), None));
        assert_eq!(params.integer("limit", 1, 100), Ok(Some(3)));
        assert!(params.integer("limit", 4, 100).is_err());
        assert!(params.only(&["limit", "metadata[", "name", "empty"]).is_ok());
        assert_eq!(params.only(&["metadata[", "name", "empty"]).unwrap_err().param.as_deref(), Some("limit"));
    }
}

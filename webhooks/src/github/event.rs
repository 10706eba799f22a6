//! GitHub's events: the name and the delivery id are in headers, the rest in the body.

use std::borrow::Cow;

use crate::{Envelope, Problem, Provider, Request, envelope::storable, form, json::Json};

/// Reads what [`Envelope`] holds. The headers `X-GitHub-Event` and `X-GitHub-Delivery` are not signed; a redelivery keeps the id.
pub(crate) fn envelope(request: &Request<'_>) -> Envelope {
    let unread = Envelope::of_body(Provider::GitHub, request.body);
    let key = request.headers.text("x-github-delivery").and_then(storable);
    let name = request.headers.text("x-github-event").and_then(storable);
    let payload = payload(request);
    let event = Json::parse(&payload);
    let problem = if event.is_none() { Some(Problem::NotJson) } else { Problem::of(key.as_ref(), name.as_ref()) };
    let [action, repository, organization, installation] =
        event.map(|event| event.fields(["action", "repository", "organization", "installation"])).unwrap_or_default();
    let subject = |kind: &str, json: Json<'_>| json.at("id").id().and_then(|id| storable(&format!("{kind}:{id}")));
    Envelope {
        key: key.unwrap_or_else(|| unread.key.clone()),
        event_type: name.map(|name| action.text().and_then(|action| storable(&format!("{name}.{action}"))).unwrap_or(name)),
        subject: subject("repository", repository)
            .or_else(|| subject("organization", organization))
            .or_else(|| subject("installation", installation)),
        account: organization.at("login").or(repository.at("owner").at("login")).text(),
        problem,
        ..unread
    }
}

/// The JSON, which a hook can be set to send as the field `payload` of a form.
fn payload<'r>(request: &Request<'r>) -> Cow<'r, [u8]> {
    if !form::is_form(request.headers) {
        return Cow::Borrowed(request.body);
    }
    let fields = form::pairs(request.body).unwrap_or_default();
    Cow::Owned(fields.into_iter().find(|(name, _)| name == b"payload").map(|(_, value)| value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;

    fn read(headers: &[(&str, &str)], body: &str) -> Envelope {
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        envelope(&Request { headers: Headers::new(&headers), url: "", body: body.as_bytes() })
    }

    const NAMED: [(&str, &str); 2] = [("X-GitHub-Event", "issues"), ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")];

    #[test]
    fn an_event_is_read() {
        let event = read(&NAMED, r#"{"action":"opened","repository":{"id":1296269,"owner":{"login":"octocat"}}}"#);
        assert_eq!((event.key.as_str(), event.event_type.as_deref()), (NAMED[1].1, Some("issues.opened")));
        assert_eq!((event.subject.as_deref(), event.account.as_deref()), (Some("repository:1296269"), Some("octocat")));
        assert_eq!(event.problem, None);
    }

    #[test]
    fn two_equal_pushes_are_two_events() {
        let push = |id| read(&[("x-github-event", "push"), ("x-github-delivery", id)], "{}");
        assert_ne!(push("1").key, push("2").key);
        assert_eq!(push("1").event_type.as_deref(), Some("push"));
    }

    #[test]
    fn a_form_carries_the_same() {
        let headers = [NAMED[0], NAMED[1], ("content-type", "application/x-www-form-urlencoded")];
        let event =
            read(&headers, "payload=%7B%22action%22%3A%22closed%22%2C%22organization%22%3A%7B%22id%22%3A1%2C%22login%22%3A%22o%22%7D%7D");
        assert_eq!((event.event_type.as_deref(), event.subject.as_deref()), (Some("issues.closed"), Some("organization:1")));
        assert_eq!(event.account.as_deref(), Some("o"));
        assert_eq!(read(&headers, "other=1").problem, Some(Problem::NotJson));
    }

    #[test]
    fn what_is_absent_is_told() {
        assert_eq!(read(&NAMED[..1], "{}").problem, Some(Problem::NoKey));
        assert_eq!(read(&NAMED[1..], "{}").problem, Some(Problem::NoType));
        assert_eq!(read(&NAMED, "no").problem, Some(Problem::NotJson));
        assert_eq!(read(&[NAMED[0], NAMED[1], NAMED[1]], "{}").problem, Some(Problem::NoKey), "a doubled id is none");
        assert!(read(&NAMED[..1], "{}").key.starts_with("sha256:"));
    }
}

//! Events in the payload structure that Standard Webhooks recommends.

use crate::{Envelope, Problem, Provider, Request, json::Json};

/// Reads what [`Envelope`] holds. The key is the signed `webhook-id`. A type is recommended to senders, not required of them, so an
/// event without one is an event.
pub(crate) fn envelope(request: &Request<'_>) -> Envelope {
    let unread = Envelope::of_body(Provider::Standard, request.body);
    let key = super::id(request.headers).map_or_else(|| unread.key.clone(), str::to_owned);
    let Some(event) = Json::parse(request.body) else { return Envelope { key, ..unread }.with(Problem::NotJson) };
    let [event_type, timestamp, data] = event.fields(["type", "timestamp", "data"]);
    let object = data.at("id").id();
    Envelope { key, event_type: event_type.text(), created_at: timestamp.time(), subject: object.clone(), object, ..unread }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;

    fn read(body: &str) -> Envelope {
        let pairs: [(&str, &[u8]); 3] = [("webhook-id", b"msg_1"), ("webhook-timestamp", b"1"), ("webhook-signature", b"v1,x")];
        envelope(&Request { headers: Headers::new(&pairs), url: "", body: body.as_bytes() })
    }

    #[test]
    fn the_recommended_payload_is_read() {
        let event = read(r#"{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52"}}"#);
        assert_eq!((event.key.as_str(), event.event_type.as_deref()), ("msg_1", Some("contact.created")));
        assert_eq!((event.subject.as_deref(), event.object.as_deref()), (Some("1f81eb52"), Some("1f81eb52")));
        assert_eq!(event.created_at.map(|time| time.timestamp_micros()), Some(1_667_507_170_344_522));
    }

    #[test]
    fn other_payloads_are_kept() {
        assert_eq!((read(r#"{"test": 2432232314}"#).problem, read(r#"{"test": 2432232314}"#).event_type), (None, None));
        assert_eq!((read("text").problem, read("text").key.as_str()), (Some(Problem::NotJson), "msg_1"));
    }
}

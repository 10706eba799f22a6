//! Twilio's events: forms, whose fields differ by product, and JSON.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::{
    Envelope, Problem, Provider, Request,
    envelope::{hash_key, storable},
    form,
    json::Json,
    twilio::url,
};

/// The field that tells what became of something, what that is, and the field with its id.
const STATUSES: [(&str, &str, &str); 6] = [
    ("MessageStatus", "message", "MessageSid"),
    ("SmsStatus", "message", "MessageSid"),
    ("RecordingStatus", "recording", "RecordingSid"),
    ("TranscriptionStatus", "transcription", "TranscriptionSid"),
    ("StatusCallbackEvent", "conference", "ConferenceSid"),
    ("CallStatus", "call", "CallSid"),
];

/// Reads what [`Envelope`] holds. The key is Twilio's idempotency token where it comes (it is not signed), else a hash of query and body.
pub(crate) fn envelope(request: &Request<'_>) -> Envelope {
    let query = url::query(request.url);
    let token = request.headers.text("i-twilio-idempotency-token").and_then(storable);
    let key = token.unwrap_or_else(|| hash_key(&[query.as_bytes(), b"\n", request.body]));
    let unread = Envelope { key, ..Envelope::of_body(Provider::Twilio, request.body) };
    if !url::body_hashes(request.url).is_empty() {
        return of_json(request.body, unread);
    }
    // A `GET` has its fields in the query.
    let form = if request.body.is_empty() { query.as_bytes() } else { request.body };
    match form::pairs(form) {
        Some(pairs) => of_form(pairs, unread),
        None => unread.with(Problem::NotJson),
    }
}

fn of_form(pairs: Vec<(Vec<u8>, Vec<u8>)>, unread: Envelope) -> Envelope {
    let text = |bytes: Vec<u8>| storable(&String::from_utf8(bytes).ok()?);
    let fields: HashMap<String, String> = pairs.into_iter().filter_map(|(name, value)| text(name).zip(text(value))).collect();
    let field = |name: &str| fields.get(name).cloned();
    let status = STATUSES.iter().find_map(|&(name, noun, sid)| Some((format!("{noun}.{}", fields.get(name)?), sid)));
    let (event_type, sid) = status.unzip();
    let object = sid.and_then(field).or_else(|| ["MessageSid", "SmsSid", "CallSid"].into_iter().find_map(field));
    Envelope {
        event_type: event_type.and_then(|event_type| storable(&event_type)),
        created_at: field("Timestamp").and_then(|text| time(&text)),
        // What is recorded of a call waits for the call.
        subject: field("CallSid").or_else(|| object.clone()),
        object,
        account: field("AccountSid"),
        ..unread
    }
}

/// One event, or a batch of them, of which the first stands for all.
fn of_json(body: &[u8], unread: Envelope) -> Envelope {
    let Some(events) = Json::parse(body) else { return unread.with(Problem::NotJson) };
    let [event_type, older_type, time, account, data] = events.first().fields(["type", "EventType", "time", "AccountSid", "data"]);
    let account = account.text().or_else(|| {
        let [camel, pascal] = data.fields(["accountSid", "AccountSid"]);
        camel.or(pascal).text()
    });
    Envelope { event_type: event_type.or(older_type).text(), created_at: time.time(), account, ..unread }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).or_else(|_| DateTime::parse_from_rfc3339(text)).ok().map(|time| time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;

    fn read(url: &str, headers: &[(&str, &[u8])], body: &str) -> Envelope {
        envelope(&Request { headers: Headers::new(headers), url, body: body.as_bytes() })
    }

    #[test]
    fn a_message_status_is_read() {
        let event = read("https://h/p", &[], "MessageSid=SM1&SmsSid=SM1&MessageStatus=delivered&AccountSid=AC1&From=%2B1415");
        assert_eq!((event.event_type.as_deref(), event.subject.as_deref()), (Some("message.delivered"), Some("SM1")));
        assert_eq!((event.object.as_deref(), event.account.as_deref(), event.problem), (Some("SM1"), Some("AC1"), None));
    }

    #[test]
    fn what_belongs_to_a_call_has_its_subject() {
        let call = read("https://h/p", &[], "CallSid=CA1&CallStatus=completed&Timestamp=Sun%2C+22+Nov+2026+13%3A00%3A00+%2B0000");
        assert_eq!((call.event_type.as_deref(), call.subject.as_deref()), (Some("call.completed"), Some("CA1")));
        assert_eq!(call.created_at.map(|time| time.timestamp()), Some(1_795_352_400));
        let recording = read("https://h/p", &[], "CallSid=CA1&RecordingSid=RE1&RecordingStatus=completed");
        assert_eq!((recording.object.as_deref(), recording.subject.as_deref()), (Some("RE1"), Some("CA1")));
    }

    #[test]
    fn the_key_is_the_token_or_the_content() {
        let token: [(&str, &[u8]); 1] = [("I-Twilio-Idempotency-Token", b"token-1")];
        assert_eq!(read("https://h/p?a=1", &token, "x=1").key, "token-1");
        let key = read("https://h/p?a=1", &[], "x=1").key;
        assert!(key.starts_with("sha256:") && key == read("https://other/q?a=1", &[], "x=1").key);
        assert_ne!(key, read("https://h/p?a=2", &[], "x=1").key);
        assert_ne!(key, read("https://h/p?a=1", &[], "x=2").key);
        assert_ne!(key, read("https://h/p?a=1x", &[], "=1").key);
    }

    #[test]
    fn a_get_has_its_fields_in_the_query() {
        assert_eq!(read("https://h/p?CallSid=CA1&CallStatus=ringing", &[], "").event_type.as_deref(), Some("call.ringing"));
    }

    #[test]
    fn json_is_read_where_its_hash_is_signed() {
        let batch = r#"[{"type":"com.twilio.messaging.message.sent","time":"2026-11-22T13:00:00Z","data":{"accountSid":"AC1"}}]"#;
        let event = read("https://h/p?bodySHA256=00", &[], batch);
        assert_eq!(event.event_type.as_deref(), Some("com.twilio.messaging.message.sent"));
        assert_eq!((event.created_at.map(|time| time.timestamp()), event.account.as_deref()), (Some(1_795_352_400), Some("AC1")));
        assert_eq!(read("https://h/p?bodySHA256=00", &[], "no").problem, Some(Problem::NotJson));
    }
}

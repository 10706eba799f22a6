//! Stripe's events: snapshots, and thin events that only name their object.

use crate::{Envelope, Problem, Provider, json::Json};

/// Reads what [`Envelope`] holds from an event.
pub(crate) fn envelope(body: &[u8]) -> Envelope {
    let unread = Envelope::of_body(Provider::Stripe, body);
    let Some(event) = Json::parse(body) else { return unread.with(Problem::NotJson) };
    let [id, event_type, kind, created, livemode, account, api_version, data, related, context] =
        event.fields(["id", "type", "object", "created", "livemode", "account", "api_version", "data", "related_object", "context"]);
    let thin = kind.text().as_deref() == Some("v2.core.event");
    let about = if thin { related } else { data.at("object") };
    let (key, event_type) = (id.text(), event_type.text());
    let [object, customer, subscription] = parties(about);
    Envelope {
        problem: Problem::of(key.as_ref(), event_type.as_ref()),
        key: key.unwrap_or_else(|| unread.key.clone()),
        event_type,
        created_at: created.time(),
        // The customer first: a subscription, its invoices and the check-out that began it must not run beside each other.
        subject: customer.or_else(|| subscription.clone()).or_else(|| object.clone()),
        object,
        subscription,
        livemode: livemode.flag(),
        account: account.or(context).text(),
        api_version: api_version.text(),
        thin,
        ..unread
    }
}

/// The object itself (an upcoming invoice has no id), its customer and its subscription, each an id or an expanded object.
fn parties(about: Json<'_>) -> [Option<String>; 3] {
    let [id, kind, customer, subscription, parent] = about.fields(["id", "object", "customer", "subscription", "parent"]);
    let id = id.text();
    // Since API version 2025-03-31 an invoice names its subscription under `parent`.
    let subscription = || subscription.id().or_else(|| parent.at("subscription_details").at("subscription").id());
    match kind.text().as_deref() {
        Some("customer") => [id.clone(), id, None],
        Some("subscription") => [id.clone(), customer.id(), id],
        _ => [id, customer.id(), subscription()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Envelope {
        envelope(body.as_bytes())
    }

    fn parties(body: &str) -> [Option<String>; 3] {
        let Envelope { subject, object, subscription, problem: None, .. } = read(body) else { panic!("{body}") };
        [subject, object, subscription]
    }

    fn some(texts: [&str; 3]) -> [Option<String>; 3] {
        texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    #[test]
    fn a_snapshot_is_read() {
        let event = read(
            r#"{
  "id": "evt_1", "object": "event", "api_version": "2025-03-31.basil", "created": 1614265330, "livemode": false,
  "account": "acct_1", "type": "customer.subscription.updated", "request": "req_1",
  "data": { "object": { "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "odd" } }
}"#,
        );
        assert_eq!((event.key.as_str(), event.event_type.as_deref()), ("evt_1", Some("customer.subscription.updated")));
        assert_eq!(event.created_at.map(|time| time.timestamp()), Some(1_614_265_330));
        assert_eq!((event.livemode, event.account.as_deref()), (Some(false), Some("acct_1")));
        assert_eq!(event.api_version.as_deref(), Some("2025-03-31.basil"));
        assert_eq!((event.subject.as_deref(), event.subscription.as_deref()), (Some("cus_1"), Some("sub_1")));
        assert!(!event.thin && event.problem.is_none());
    }

    #[test]
    fn everything_about_a_customer_has_one_subject() {
        let of = |object: &str| parties(&format!(r#"{{"id":"evt_1","type":"x","data":{{"object":{object}}}}}"#));
        assert_eq!(of(r#"{"id":"cus_1","object":"customer"}"#), some(["cus_1", "cus_1", ""]));
        assert_eq!(of(r#"{"id":"in_1","object":"invoice","customer":"cus_1","subscription":"sub_1"}"#), some(["cus_1", "in_1", "sub_1"]));
        let basil = r#"{"id":"in_1","object":"invoice","customer":{"id":"cus_1"},"subscription":null,
            "parent":{"type":"subscription_details","subscription_details":{"subscription":{"id":"sub_1"}}}}"#;
        assert_eq!(of(basil), some(["cus_1", "in_1", "sub_1"]));
        assert_eq!(of(r#"{"object":"invoice","customer":"cus_1"}"#), some(["cus_1", "", ""]), "an upcoming invoice");
        assert_eq!(of(r#"{"id":"cs_1","object":"checkout.session","customer":null}"#), some(["cs_1", "cs_1", ""]));
        assert_eq!(of(r#"{"id":"price_1","object":"price","product":"prod_1"}"#), some(["price_1", "price_1", ""]));
        assert_eq!(of("[]"), some(["", "", ""]));
    }

    #[test]
    fn a_thin_event_names_its_object() {
        let event = read(
            r#"{"id":"evt_test_1","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","account":null,"context":"acct_1",
            "created":"2024-09-17T06:20:52.246Z","livemode":true,
            "related_object":{"id":"mtr_1","type":"billing.meter","url":"/v1/billing/meters/mtr_1"}}"#,
        );
        assert!(event.thin && event.problem.is_none());
        assert_eq!((event.object.as_deref(), event.account.as_deref()), (Some("mtr_1"), Some("acct_1")));
        assert_eq!(event.created_at.map(|time| time.timestamp_millis()), Some(1_726_554_052_246));
    }

    #[test]
    fn what_is_no_event_still_has_a_key() {
        let problems = [
            ("not json", Problem::NotJson),
            ("", Problem::NotJson),
            ("{}", Problem::NoKey),
            ("[]", Problem::NoKey),
            (r#"{"id":17,"type":"x"}"#, Problem::NoKey),
            (r#"{"id":"evt\u0000","type":"x"}"#, Problem::NoKey),
            (r#"{"id":"evt_1"}"#, Problem::NoType),
            (r#"{"id":"evt_1","type":["x"]}"#, Problem::NoType),
        ];
        for (body, problem) in problems {
            let event = read(body);
            assert_eq!(event.problem, Some(problem), "{body}");
            assert!(event.key == "evt_1" || event.key.starts_with("sha256:") && event.key.len() == 71, "{}", event.key);
        }
        let long = format!(r#"{{"id":"{}","type":"x"}}"#, "e".repeat(256));
        assert_eq!(read(&long).problem, Some(Problem::NoKey));
    }

    #[test]
    fn odd_fields_are_passed_over() {
        let event = read(r#"{"id":"evt_1","type":"never.heard.of","created":"soon","livemode":"yes","account":7,"data":null,"new":[1]}"#);
        assert_eq!((event.key.as_str(), event.problem), ("evt_1", None));
        assert_eq!((event.created_at, event.livemode, event.account, event.subject), (None, None, None, None));
    }
}

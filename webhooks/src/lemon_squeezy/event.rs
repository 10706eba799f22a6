//! Lemon Squeezy's events, in the shape of JSON:API.

use crate::{Envelope, Problem, Provider, envelope::storable, json::Json};

/// Reads what [`Envelope`] holds. A retry repeats the body byte for byte, so its hash is the key. The header `X-Event-Name` is not
/// signed and not read.
pub(crate) fn envelope(body: &[u8]) -> Envelope {
    let unread = Envelope::of_body(Provider::LemonSqueezy, body);
    let Some(event) = Json::parse(body) else { return unread.with(Problem::NotJson) };
    let [meta, data] = event.fields(["meta", "data"]);
    let [name, test_mode] = meta.fields(["event_name", "test_mode"]);
    let [kind, id, attributes] = data.fields(["type", "id", "attributes"]);
    let [store, subscription, updated] = attributes.fields(["store_id", "subscription_id", "updated_at"]);
    let event_type = name.text();
    let kind = kind.text();
    let object = kind.as_ref().zip(id.id()).and_then(|(kind, id)| storable(&format!("{kind}:{id}")));
    // The invoices of a subscription belong to it.
    let subscription = if kind.as_deref() == Some("subscriptions") { id.id() } else { subscription.id() };
    Envelope {
        problem: event_type.is_none().then_some(Problem::NoType),
        event_type,
        created_at: updated.time(),
        subject: subscription.as_ref().and_then(|id| storable(&format!("subscriptions:{id}"))).or_else(|| object.clone()),
        object,
        subscription,
        livemode: test_mode.flag().map(|test| !test),
        account: store.id(),
        ..unread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_and_its_invoice_have_one_subject() {
        let subscription = envelope(
            br#"{"meta":{"test_mode":true,"event_name":"subscription_updated","custom_data":{"org":"1"}},"data":{"type":"subscriptions",
            "id":"1","attributes":{"store_id":7,"updated_at":"2021-08-11T13:47:29.000000Z"}}}"#,
        );
        assert_eq!((subscription.event_type.as_deref(), subscription.problem), (Some("subscription_updated"), None));
        assert_eq!((subscription.livemode, subscription.account.as_deref()), (Some(false), Some("7")));
        assert_eq!(subscription.created_at.map(|time| time.timestamp()), Some(1_628_689_649));
        let invoice = envelope(
            br#"{"meta":{"event_name":"subscription_payment_success"},"data":{"type":"subscription-invoices","id":"9",
            "attributes":{"subscription_id":1}}}"#,
        );
        assert_eq!(invoice.subject.as_deref(), Some("subscriptions:1"));
        assert_eq!(subscription.subject, invoice.subject);
        assert_eq!((invoice.object.as_deref(), invoice.subscription.as_deref()), (Some("subscription-invoices:9"), Some("1")));
    }

    #[test]
    fn the_body_is_the_key() {
        assert_eq!(envelope(b"{}").key, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        assert_eq!(envelope(b"{}").problem, Some(Problem::NoType));
        assert_eq!(envelope(b"no").problem, Some(Problem::NotJson));
    }
}

//! Check-outs: how an organisation becomes a customer, and what was bought at once.

use serde_json::Value;

use super::{Malformed, read::Object};
use crate::OrgId;

/// A check-out session, as Stripe shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Stripe's id.
    pub id: String,
    /// `subscription`, `payment` or `setup`.
    pub mode: String,
    /// `paid`, `unpaid` or `no_payment_required`.
    pub payment_status: String,
    /// Who checked out: Stripe's id of the customer.
    pub customer: Option<String>,
    /// What began by it: Stripe's id of the subscription.
    pub subscription: Option<String>,
    /// The organisation it is for, as was said when it began. Payment links let anybody say so: the customer's organisation counts.
    pub org: Option<OrgId>,
}

/// How far a check-out has come; it never goes back, so that the furthest counts, whatever order its events come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Progress {
    /// Completed, but the money is still on its way.
    Waiting,
    /// Nobody completed it in time.
    Expired,
    /// The money did not come.
    Failed,
    /// Paid, or free.
    Paid,
}

impl Progress {
    const ALL: [Self; 4] = [Self::Waiting, Self::Expired, Self::Failed, Self::Paid];

    /// How far it has come by an event of this type; `None` when the event says nothing about it.
    #[must_use]
    pub fn of_event(event_type: &str, checkout: &Checkout) -> Option<Self> {
        match event_type.strip_prefix("checkout.session.")? {
            "completed" if matches!(checkout.payment_status.as_str(), "paid" | "no_payment_required") => Some(Self::Paid),
            "completed" => Some(Self::Waiting),
            "async_payment_succeeded" => Some(Self::Paid),
            "async_payment_failed" => Some(Self::Failed),
            "expired" => Some(Self::Expired),
            _ => None,
        }
    }

    /// The name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Paid => "paid",
        }
    }
}

impl From<&str> for Progress {
    /// What is not known is the least.
    fn from(name: &str) -> Self {
        Self::ALL.into_iter().find(|progress| progress.as_str() == name).unwrap_or(Self::Waiting)
    }
}

impl Checkout {
    /// Reads a check-out session from Stripe's JSON.
    ///
    /// # Errors
    /// When a field is missing (`id`, `mode`, `payment_status`) or absurd, or when two fields name two organisations.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let object = Object::of(value, "checkout.session")?;
        let metadata = object.texts("metadata")?;
        let parsed = |id: &String| id.parse::<OrgId>().ok();
        let named = metadata.get("org_id").and_then(parsed);
        let referred = object.short("client_reference_id")?.as_ref().and_then(parsed);
        if named.zip(referred).is_some_and(|(named, referred)| named != referred) {
            return Err(Malformed { field: "client_reference_id", why: "contradicts metadata.org_id" });
        }
        Ok(Self {
            id: object.required("id")?,
            mode: object.required("mode")?,
            payment_status: object.required("payment_status")?,
            customer: object.reference("customer")?,
            subscription: object.reference("subscription")?,
            org: named.or(referred),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ORG: &str = "0190b5a4-7c3e-7000-8000-000000000001";
    const OTHER: &str = "0190b5a4-7c3e-7000-8000-000000000002";

    fn session(more: &Value) -> Value {
        let mut value = json!({ "id": "cs_1", "object": "checkout.session", "mode": "subscription", "payment_status": "paid" });
        for (name, field) in more.as_object().into_iter().flatten() {
            value[name] = field.clone();
        }
        value
    }

    #[test]
    fn the_organisation_is_named_in_either_place_but_not_two_of_them() {
        let org = |more| Checkout::read(&session(&more)).map(|checkout| checkout.org.map(|org| org.to_string()));
        let same = Ok(Some(ORG.to_owned()));
        assert_eq!(org(json!({ "client_reference_id": ORG })), same);
        assert_eq!(org(json!({ "metadata": { "org_id": ORG } })), same);
        assert_eq!(org(json!({ "metadata": { "org_id": ORG }, "client_reference_id": ORG })), same);
        assert_eq!(org(json!({ "client_reference_id": "order 17" })), Ok(None));
        assert_eq!(
            org(json!({ "metadata": { "org_id": ORG }, "client_reference_id": OTHER })),
            Err(Malformed { field: "client_reference_id", why: "contradicts metadata.org_id" })
        );
    }

    #[test]
    fn nothing_counts_as_paid_that_is_not() {
        let progress = |event: &str, status: &str| {
            let checkout = Checkout::read(&session(&json!({ "payment_status": status }))).expect("a session");
            Progress::of_event(&format!("checkout.session.{event}"), &checkout)
        };
        assert_eq!(progress("completed", "paid"), Some(Progress::Paid));
        assert_eq!(progress("completed", "no_payment_required"), Some(Progress::Paid));
        assert_eq!(progress("completed", "unpaid"), Some(Progress::Waiting));
        assert_eq!(progress("completed", "odd"), Some(Progress::Waiting));
        assert_eq!(progress("async_payment_succeeded", "paid"), Some(Progress::Paid));
        assert_eq!(progress("async_payment_failed", "unpaid"), Some(Progress::Failed));
        assert_eq!(progress("expired", "unpaid"), Some(Progress::Expired));
        assert_eq!(progress("odd", "paid"), None);
        for progress in Progress::ALL {
            assert_eq!(Progress::from(progress.as_str()), progress);
        }
    }

    #[test]
    fn fields_must_be_there_and_sane() {
        for (field, value) in [("id", json!(1)), ("mode", json!(null)), ("payment_status", json!(null)), ("customer", json!(7))] {
            assert_eq!(Checkout::read(&session(&json!({ field: value }))).expect_err("refused").field, field);
        }
        let expanded = session(&json!({ "customer": { "id": "cus_1" }, "subscription": { "id": "sub_1" } }));
        let read = Checkout::read(&expanded).expect("a session");
        assert_eq!((read.customer.as_deref(), read.subscription.as_deref()), (Some("cus_1"), Some("sub_1")));
    }
}

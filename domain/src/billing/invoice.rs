//! Invoices, as Stripe shows them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Malformed, Mark, Place, read::Object};

/// An invoice. Of two that nothing else tells apart, the one that compares greater counts: the one with more attempts, or more paid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    /// Stripe's id.
    pub id: String,
    /// Its state, as Stripe names it: `draft`, `open`, `paid`, `uncollectible`, `void`, or one to come.
    pub status: String,
    /// How often its payment was tried.
    pub attempt_count: u32,
    /// What was paid, in the smallest unit of the currency.
    pub amount_paid: i64,
    /// What is due in all, in the smallest unit of the currency.
    pub amount_due: i64,
    /// The currency, as its three letters (ISO 4217) in lower case.
    pub currency: String,
    /// Whether it is paid.
    pub paid: bool,
    /// Where it is shown and can be paid.
    pub hosted_url: Option<String>,
    /// The beginning of what it is for.
    pub period_start: Option<DateTime<Utc>>,
    /// The end of what it is for.
    pub period_end: Option<DateTime<Utc>>,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// The subscription it is for, if for one: Stripe's id.
    #[serde(rename = "subscriptionId")]
    pub subscription: Option<String>,
    /// Whose it is: Stripe's id of the customer.
    #[serde(skip)]
    pub customer: Option<String>,
}

impl Invoice {
    /// Reads an invoice from Stripe's JSON. One that is to come (`invoice.upcoming`) has no id and is refused.
    ///
    /// # Errors
    /// When a field is missing (`id`, `status`, `currency`, `amount_due`, `amount_paid`) or absurd.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let object = Object::of(value, "invoice")?;
        let amount = |field| object.amount(field)?.ok_or(Malformed { field, why: "missing" });
        let status = object.required("status")?;
        let hosted_url = object.long("hosted_invoice_url")?;
        // It is shown as a link.
        if hosted_url.as_ref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
            return Err(Malformed { field: "hosted_invoice_url", why: "not an address" });
        }
        // Since 2025-03-31 an invoice names its subscription under `parent`, and no longer says `paid` beside its status.
        let subscription = object.reference("subscription")?.or(object.reference("parent.subscription_details.subscription")?);
        Ok(Self {
            id: object.required("id")?,
            attempt_count: object.count("attempt_count")?.unwrap_or(0),
            amount_paid: amount("amount_paid")?,
            amount_due: amount("amount_due")?,
            currency: object.currency("currency")?,
            paid: object.flag("paid", false)? || status == "paid",
            status,
            hosted_url,
            period_start: object.time("period_start")?,
            period_end: object.time("period_end")?,
            created: object.time("created")?,
            subscription,
            customer: object.reference("customer")?,
        })
    }

    /// Its place in the order of everything said of it. Within one second, a draft becomes open, is given up, and ends paid or void.
    #[must_use]
    pub fn place(&self, mark: Mark) -> Place {
        let rank = match self.status.as_str() {
            "draft" => 1,
            "open" => 2,
            "uncollectible" => 4,
            "void" => 5,
            "paid" => 6,
            _ => 3,
        };
        // None of them is final: money may come late, or be taken back.
        mark.place(rank, false)
    }
}

/// Since when a subscription is unpaid: since the oldest invoice that was tried to be paid and is open, of those after the last paid one.
#[must_use]
pub fn unpaid_since(subscription: &str, invoices: &[Invoice]) -> Option<DateTime<Utc>> {
    let own = || invoices.iter().filter(|invoice| invoice.subscription.as_deref() == Some(subscription));
    let paid = own().filter(|invoice| invoice.paid).filter_map(|invoice| invoice.created).max();
    let open = own().filter(|invoice| invoice.status == "open" && invoice.attempt_count > 0);
    open.filter_map(|invoice| invoice.created).filter(|created| paid.is_none_or(|paid| *created > paid)).min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn least() -> Value {
        json!({ "id": "in_1", "object": "invoice", "status": "open", "currency": "EUR", "amount_due": 1250, "amount_paid": 0 })
    }

    #[test]
    fn both_shapes_are_read_alike() {
        let (mut old, mut new) = (least(), least());
        old["customer"] = json!("cus_1");
        old["subscription"] = json!("sub_1");
        new["customer"] = json!({ "id": "cus_1" });
        new["parent"] = json!({ "type": "subscription_details", "subscription_details": { "subscription": { "id": "sub_1" } } });
        let read = Invoice::read(&old).expect("the old shape");
        assert_eq!(Invoice::read(&new), Ok(read.clone()));
        assert_eq!((read.subscription.as_deref(), read.customer.as_deref()), (Some("sub_1"), Some("cus_1")));
        assert_eq!((read.currency.as_str(), read.amount_due, read.paid), ("eur", 1250, false));
        new["status"] = json!("paid");
        assert!(Invoice::read(&new).expect("paid").paid);
    }

    #[test]
    fn absurd_things_are_refused_by_name() {
        let cases = [
            ("id", json!(null)),
            ("status", json!(null)),
            ("currency", json!("euro")),
            ("amount_due", json!(null)),
            ("amount_due", json!(1e18)),
            ("amount_paid", json!("12")),
            ("attempt_count", json!(-1)),
            ("hosted_invoice_url", json!("javascript:alert(1)")),
            ("created", json!(253_402_300_800_i64)),
        ];
        for (field, value) in cases {
            let mut object = least();
            object[field] = value;
            assert_eq!(Invoice::read(&object).expect_err("refused").field, field);
        }
    }

    #[test]
    fn what_is_unpaid_counts_from_the_first_failure_after_the_last_payment() {
        let invoice = |status: &str, attempts: u32, created: i64| {
            let mut value = least();
            value["subscription"] = json!("sub_1");
            (value["status"], value["attempt_count"], value["created"]) = (json!(status), json!(attempts), json!(created));
            Invoice::read(&value).expect("an invoice")
        };
        let since = |invoices: &[Invoice]| unpaid_since("sub_1", invoices).map(|time| time.timestamp());
        assert_eq!(since(&[]), None);
        assert_eq!(since(&[invoice("open", 0, 9)]), None, "nobody tried yet");
        let all = [invoice("open", 1, 1), invoice("paid", 1, 5), invoice("open", 3, 7), invoice("open", 1, 9), invoice("void", 1, 6)];
        assert_eq!(since(&all), Some(7));
        assert_eq!(unpaid_since("sub_2", &all), None);
    }
}

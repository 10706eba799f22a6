//! Subscriptions, as Stripe shows them, and what is kept of all that it said of one.

#[cfg(test)]
mod properties;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Malformed, Mark, Place, Source, Status, Verdict, judge, read::Object};
use crate::OrgId;

/// The most items a subscription has; Stripe allows 20.
const ITEMS_MAX: usize = 100;

/// A subscription. Of two that nothing else tells apart, the one that compares greater counts: mostly the one with the later period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Stripe's id.
    pub id: String,
    /// Its state.
    pub status: Status,
    /// When the period began that is paid or to be paid now.
    pub current_period_start: Option<DateTime<Utc>>,
    /// When that period ends, and the next payment is due.
    pub current_period_end: Option<DateTime<Utc>>,
    /// When it will end, if that is settled.
    pub cancel_at: Option<DateTime<Utc>>,
    /// Whether it ends with the period.
    pub cancel_at_period_end: bool,
    /// When somebody asked to end it.
    pub canceled_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When the trial ends or ended.
    pub trial_end: Option<DateTime<Utc>>,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// What is subscribed to, by item id.
    pub items: Vec<Item>,
    /// Whose it is: Stripe's id of the customer.
    #[serde(skip)]
    pub customer: String,
    /// Whether it is about real money; `None` when Stripe does not say.
    #[serde(skip)]
    pub livemode: Option<bool>,
    /// The organisation its metadata names (`org_id`). Metadata proves nothing: the customer's organisation counts.
    #[serde(skip)]
    pub claimed_org: Option<OrgId>,
}

/// Something subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SubscriptionItem")]
pub struct Item {
    /// Stripe's id of the item.
    #[serde(skip)]
    pub id: String,
    /// At which price.
    pub price_id: Option<String>,
    /// Which product.
    pub product_id: Option<String>,
    /// How many; null for what is paid by use.
    pub quantity: Option<u32>,
}

impl Subscription {
    /// Reads a subscription from Stripe's JSON.
    ///
    /// # Errors
    /// When a field is missing (`id`, `customer`, `status`) or absurd.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let object = Object::of(value, "subscription")?;
        let values = object.list("items.data", ITEMS_MAX)?;
        let mut items = values.iter().map(Item::read).collect::<Result<Vec<_>, _>>()?;
        items.sort();
        if items.windows(2).any(|pair| matches!(pair, [one, other] if one.id == other.id)) {
            return Err(Malformed { field: "items.data.id", why: "not unique" });
        }
        // Before 2025-03-31 the period is the subscription's; since then each item has its own, and the one that ends first says when
        // something is due.
        let own @ [own_end, _] = [object.time("current_period_end")?, object.time("current_period_start")?];
        let periods = values.iter().map(Item::period).collect::<Result<Vec<_>, _>>()?;
        let [end, start] = if own_end.is_some() { own } else { periods.into_iter().filter(|[end, _]| end.is_some()).min().unwrap_or(own) };
        let metadata = object.texts("metadata")?;
        Ok(Self {
            id: object.required("id")?,
            status: object.required("status")?.as_str().into(),
            current_period_start: start,
            current_period_end: end,
            cancel_at: object.time("cancel_at")?,
            cancel_at_period_end: object.flag("cancel_at_period_end", false)?,
            canceled_at: object.time("canceled_at")?,
            ended_at: object.time("ended_at")?,
            trial_end: object.time("trial_end")?,
            created: object.time("created")?,
            items,
            customer: object.reference("customer")?.ok_or(Malformed { field: "customer", why: "missing" })?,
            livemode: object.optional_flag("livemode")?,
            claimed_org: metadata.get("org_id").and_then(|id| id.parse().ok()),
        })
    }

    /// When it ends, as far as that is settled.
    #[must_use]
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.cancel_at.or(self.current_period_end.filter(|_| self.cancel_at_period_end))
    }

    fn place(&self, mark: Mark) -> Place {
        mark.place(self.status.rank(), self.status.is_terminal())
    }
}

impl Item {
    fn read(value: &Value) -> Result<Self, Malformed> {
        let object = Object::any(value, "items.data")?;
        // `plan` is what prices were called before 2019, and Stripe still sends it beside.
        let price_id = object.reference("price")?.or(object.reference("plan")?);
        let product_id = object.within("price").reference("product")?.or(object.within("plan").reference("product")?);
        let id = object.short("id")?.or_else(|| price_id.clone());
        let id = id.ok_or(Malformed { field: "items.data.id", why: "missing" })?;
        Ok(Self { id, price_id, product_id, quantity: object.count("quantity")? })
    }

    /// Its end and its start.
    fn period(value: &Value) -> Result<[Option<DateTime<Utc>>; 2], Malformed> {
        let object = Object::any(value, "items.data")?;
        Ok([object.time("current_period_end")?, object.time("current_period_start")?])
    }
}

/// What is kept of everything Stripe said of one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What counts.
    pub subscription: Subscription,
    /// As of when it is true.
    pub mark: Mark,
    /// The last state that this version knew: while the state is unknown, it goes on.
    pub known: Option<Known>,
}

/// A state whose meaning is known, and as of when it was true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The state.
    pub status: Status,
    /// As of when.
    pub mark: Mark,
}

impl Known {
    fn place(&self) -> Place {
        self.mark.place(self.status.rank(), self.status.is_terminal())
    }
}

impl Stored {
    /// What is kept after one more snapshot, and what becomes of that.
    #[must_use]
    pub fn merge(stored: Option<Self>, mut incoming: Subscription, mark: Mark) -> (Self, Verdict) {
        if mark.source == Source::Deleted && !incoming.status.is_terminal() {
            incoming.status = Status::Canceled;
            incoming.ended_at.get_or_insert(mark.at);
        }
        let known = incoming.status.is_known().then(|| Known { status: incoming.status.clone(), mark });
        let Some(mut stored) = stored else {
            return (Self { subscription: incoming, mark, known }, Verdict::New);
        };
        let places = (stored.subscription.place(stored.mark), incoming.place(mark));
        let verdict = judge((places.0, &stored.subscription), (places.1, &incoming));
        // What is too old to be shown may still be the last that was understood.
        stored.known = match (stored.known, known) {
            (Some(kept), Some(new)) if new.place() <= kept.place() && !(verdict == Verdict::Newer) => Some(kept),
            (kept, new) => new.or(kept),
        };
        if verdict == Verdict::Newer {
            stored.subscription = incoming;
        }
        if verdict == Verdict::Newer || places.1 > places.0 && verdict == Verdict::Same {
            stored.mark = mark;
        }
        (stored, verdict)
    }

    /// The state whose meaning counts: the last known one while the present one is unknown.
    #[must_use]
    pub fn meaning(&self) -> Option<&Status> {
        let status = &self.subscription.status;
        if status.is_known() { Some(status) } else { self.known.as_ref().map(|known| &known.status) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seconds(time: Option<DateTime<Utc>>) -> Option<i64> {
        time.map(|time| time.timestamp())
    }

    #[test]
    fn both_shapes_are_read_alike() {
        let common = json!({
            "id": "sub_1", "object": "subscription", "status": "active", "cancel_at_period_end": true, "canceled_at": 30, "created": 5,
            "trial_end": null, "livemode": true, "metadata": { "org_id": "0190b5a4-7c3e-7000-8000-000000000001", "more": "x" },
        });
        let (mut old, mut new) = (common.clone(), common);
        old["customer"] = json!("cus_1");
        old["current_period_start"] = json!(10);
        old["current_period_end"] = json!(20);
        old["items"] = json!({ "data": [{ "id": "si_1", "quantity": 3, "price": { "id": "price_1", "product": "prod_1" } }] });
        new["customer"] = json!({ "id": "cus_1", "object": "customer" });
        new["items"] = json!({ "data": [{
            "id": "si_1", "quantity": 3, "current_period_start": 10, "current_period_end": 20,
            "price": { "id": "price_1", "product": { "id": "prod_1", "object": "product" } },
        }] });
        let read = Subscription::read(&old).expect("the old shape");
        assert_eq!(Subscription::read(&new), Ok(read.clone()));
        assert_eq!((read.id.as_str(), read.customer.as_str(), read.status.clone()), ("sub_1", "cus_1", Status::Active));
        assert_eq!((seconds(read.current_period_start), seconds(read.current_period_end)), (Some(10), Some(20)));
        assert_eq!((seconds(read.ends_at()), seconds(read.canceled_at), read.trial_end), (Some(20), Some(30), None));
        assert_eq!(read.items[0].product_id.as_deref(), Some("prod_1"));
        assert_eq!((read.items[0].quantity, read.livemode), (Some(3), Some(true)));
        assert!(read.claimed_org.is_some());
    }

    #[test]
    fn of_several_items_the_one_that_ends_first_says_when_something_is_due() {
        let item = |id: &str, start: i64, end: i64| json!({ "id": id, "price": "price_1", "current_period_start": start, "current_period_end": end });
        let value = json!({ "id": "sub_1", "customer": "cus_1", "status": "odd", "items": { "data": [
            item("si_2", 1, 1000), item("si_1", 50, 80), { "id": "si_0", "plan": { "id": "plan_1", "product": "prod_1" } },
        ] } });
        let read = Subscription::read(&value).expect("a subscription");
        assert_eq!((seconds(read.current_period_start), seconds(read.current_period_end)), (Some(50), Some(80)));
        assert_eq!(read.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["si_0", "si_1", "si_2"]);
        assert_eq!((read.items[0].price_id.as_deref(), read.items[0].product_id.as_deref()), (Some("plan_1"), Some("prod_1")));
        assert_eq!(read.status, Status::Unknown("odd".to_owned()));
    }

    #[test]
    fn little_is_needed_and_absurd_things_are_refused() {
        let least = json!({ "id": "sub_1", "customer": "cus_1", "status": "active" });
        assert!(Subscription::read(&least).is_ok());
        let cases = [
            ("id", json!(null), "id"),
            ("id", json!("x".repeat(256)), "id"),
            ("customer", json!(null), "customer"),
            ("customer", json!({ "object": "customer" }), "customer"),
            ("status", json!(1), "status"),
            ("status", json!("a\u{0}"), "status"),
            ("object", json!("invoice"), "object"),
            ("current_period_end", json!(1e300), "current_period_end"),
            ("items", json!({ "data": [1] }), "items.data"),
            ("items", json!({ "data": [{}] }), "items.data.id"),
            ("items", json!({ "data": [{ "id": "si_1" }, { "id": "si_1" }] }), "items.data.id"),
            ("items", json!({ "data": [{ "id": "si_1", "quantity": -1 }] }), "quantity"),
        ];
        for (field, value, named) in cases {
            let mut object = least.clone();
            object[field] = value;
            assert_eq!(Subscription::read(&object).expect_err("refused").field, named, "{object}");
        }
        let untold = json!({ "id": "sub_1", "customer": "cus_1", "status": "active", "metadata": { "org_id": "acme" } });
        assert_eq!(Subscription::read(&untold).expect("read").claimed_org, None);
    }
}

//! What an organisation may use by its subscription.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Product, Status, Subscription, catalogue::FREE, subscription::Stored};

/// What an organisation may use at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entitlements {
    /// The plan that was subscribed to, `free` when none was.
    pub plan: String,
    /// The state of the subscription, as Stripe names it; null when there is none.
    pub status: Option<Status>,
    /// How many seats are paid for; 0 when the plan may not be used, or is the free one.
    pub seats: u64,
    /// What is limited to how much, by name: by the plan, or by the free one when the plan may not be used. What is not listed is not limited.
    pub limits: BTreeMap<String, u64>,
    /// Whether the plan may be used; when not, what the free plan gives is all there is.
    pub may_use: bool,
    /// Until when it may be used if nothing more happens: the end of what is paid, of the subscription, or of the grace after a failed
    /// payment. Null for the free plan, and when it may not be used.
    pub until: Option<DateTime<Utc>>,
    /// When the trial ends, while there is one.
    pub trial_ends_at: Option<DateTime<Utc>>,
    /// When the subscription ends, if that is settled.
    pub cancel_at: Option<DateTime<Utc>>,
    /// Whether the state is one this version does not know, and somebody should look: the last known state goes on.
    #[serde(skip)]
    pub unknown: bool,
}

/// What the decision is made from.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The subscription that counts.
    pub subscription: Option<&'a Stored>,
    /// The products subscribed to, and the one of the free plan, as far as they are known.
    pub products: &'a [Product],
    /// Since when it is unpaid, as far as invoices tell.
    pub unpaid_since: Option<DateTime<Utc>>,
    /// The time.
    pub now: DateTime<Utc>,
    /// For how long a plan may still be used after its payment failed.
    pub grace: Duration,
}

/// Of several subscriptions, the one that counts: the one that gives most by its state, then the youngest.
#[must_use]
pub fn foremost(all: &[Stored]) -> Option<&Stored> {
    let standing = |stored: &Stored| match stored.meaning() {
        Some(Status::Active) => 6,
        Some(Status::Trialing) => 5,
        Some(Status::PastDue) => 4,
        Some(Status::Unpaid) => 3,
        Some(Status::Paused) => 2,
        Some(Status::Canceled | Status::IncompleteExpired) => 0,
        Some(Status::Incomplete | Status::Unknown(_)) | None => 1,
    };
    all.iter().max_by_key(|stored| (standing(stored), stored.subscription.created, stored.subscription.id.as_str()))
}

/// What may be used. Who never subscribed has the free plan; who did may use theirs on trial, while it is paid, and for the grace after
/// a payment failed. In a state this version does not know, what the last known one gave goes on; nothing, if there was none.
#[must_use]
pub fn entitlements(basis: &Basis<'_>) -> Entitlements {
    let free =
        || basis.products.iter().find(|product| product.active && product.plan() == Some(FREE)).map(Product::limits).unwrap_or_default();
    let Some(stored) = basis.subscription else {
        return Entitlements {
            plan: FREE.to_owned(),
            status: None,
            seats: 0,
            limits: free(),
            may_use: true,
            until: None,
            trial_ends_at: None,
            cancel_at: None,
            unknown: false,
        };
    };
    let subscription = &stored.subscription;
    let (may_use, until) = decide(stored, basis);
    let bought = Bought::of(subscription, basis.products);
    let meaning = stored.meaning();
    Entitlements {
        plan: bought.plan,
        status: Some(subscription.status.clone()),
        seats: if may_use { bought.seats } else { 0 },
        limits: if may_use { bought.limits } else { free() },
        may_use,
        until,
        trial_ends_at: subscription.trial_end.filter(|_| meaning == Some(&Status::Trialing)),
        cancel_at: subscription.ends_at().filter(|_| !subscription.status.is_terminal()),
        unknown: !subscription.status.is_known(),
    }
}

/// Whether it may be used, and until when.
fn decide(stored: &Stored, basis: &Basis<'_>) -> (bool, Option<DateTime<Utc>>) {
    let subscription = &stored.subscription;
    match stored.meaning() {
        Some(Status::Trialing | Status::Active) => (true, subscription.ends_at().into_iter().chain(subscription.current_period_end).min()),
        Some(Status::PastDue) => {
            // A renewal is due when its period begins; only what is due in between begins elsewhere, and then an invoice says so.
            let since = basis.unpaid_since.or(subscription.current_period_start).unwrap_or(stored.mark.at);
            let grace = TimeDelta::from_std(basis.grace).unwrap_or(TimeDelta::MAX);
            let until = since.checked_add_signed(grace).unwrap_or(DateTime::<Utc>::MAX_UTC);
            let may_use = basis.now < until;
            (may_use, Some(until).filter(|_| may_use))
        }
        Some(Status::Incomplete | Status::IncompleteExpired | Status::Unpaid | Status::Canceled | Status::Paused | Status::Unknown(_))
        | None => (false, None),
    }
}

/// What the items of a subscription amount to.
struct Bought {
    plan: String,
    seats: u64,
    limits: BTreeMap<String, u64>,
}

impl Bought {
    /// The plan is that of the first item whose product is one; seats are counted where that plan is. Of limits that several products
    /// set, the largest counts.
    fn of(subscription: &Subscription, products: &[Product]) -> Self {
        let known = |id: &Option<String>| products.iter().find(|product| Some(&product.id) == id.as_ref());
        let items = || subscription.items.iter().map(|item| (item, known(&item.product_id)));
        let plan = items().find_map(|(_, product)| product?.plan());
        let of_plan = items().filter(|(_, product)| plan.is_none() || product.and_then(Product::plan) == plan);
        let seats = of_plan.map(|(item, _)| u64::from(item.quantity.unwrap_or(0))).sum();
        let mut limits = BTreeMap::new();
        for (name, number) in items().filter_map(|(_, product)| product).flat_map(Product::limits) {
            let limit = limits.entry(name).or_insert(number);
            *limit = number.max(*limit);
        }
        let named = || items().find_map(|(_, product)| product).map(|product| product.name.clone());
        let plan = plan.map(str::to_owned).or_else(named).or_else(|| subscription.items.iter().find_map(|item| item.product_id.clone()));
        Self { plan: plan.unwrap_or_else(|| "unknown".to_owned()), seats, limits }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::Mark, *};

    const DAY: i64 = 86_400;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a time")
    }

    fn said(stored: Option<Stored>, status: &str, second: i64, more: &Value) -> Stored {
        let mut value = json!({
            "id": "sub_1", "customer": "cus_1", "status": status, "current_period_start": 10 * DAY, "current_period_end": 40 * DAY,
            "trial_end": 39 * DAY,
            "items": { "data": [
                { "id": "si_1", "quantity": 5, "price": { "id": "price_1", "product": "prod_pro" } },
                { "id": "si_2", "quantity": 2, "price": { "id": "price_2", "product": "prod_more" } },
            ] },
        });
        for (name, field) in more.as_object().into_iter().flatten() {
            value[name] = field.clone();
        }
        Stored::merge(stored, Subscription::read(&value).expect("a subscription"), Mark::event(at(second), "x.updated")).0
    }

    fn products() -> Vec<Product> {
        let product = |id: &str, metadata: Value| Product::read(&json!({ "id": id, "name": id, "metadata": metadata })).expect("a product");
        vec![
            product("prod_free", json!({ "plan": "free", "limit_projects": "1" })),
            product("prod_pro", json!({ "plan": "pro", "limit_projects": "10", "limit_api": "3" })),
            product("prod_more", json!({ "limit_projects": "50", "limit_storage": "7" })),
        ]
    }

    fn decided(stored: Option<&Stored>, unpaid_since: Option<i64>, now: i64) -> Entitlements {
        let basis = Basis {
            subscription: stored,
            products: &products(),
            unpaid_since: unpaid_since.map(at),
            now: at(now),
            grace: Duration::from_secs(7 * 86_400),
        };
        entitlements(&basis)
    }

    fn map(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
        pairs.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
    }

    #[test]
    fn without_a_subscription_there_is_the_free_plan() {
        let free = decided(None, None, 0);
        assert_eq!((free.plan.as_str(), free.may_use, free.limits, free.status), ("free", true, map(&[("projects", 1)]), None));
    }

    #[test]
    fn every_known_state_decides() {
        for status in Status::KNOWN {
            let stored = said(None, status.as_str(), 1, &json!({}));
            let within = decided(Some(&stored), None, 17 * DAY - 1);
            let expected = matches!(status, Status::Trialing | Status::Active | Status::PastDue);
            assert_eq!((within.may_use, within.unknown), (expected, false), "{status}");
            let (seats, limits) =
                if expected { (5, map(&[("api", 3), ("projects", 50), ("storage", 7)])) } else { (0, map(&[("projects", 1)])) };
            assert_eq!((within.plan.as_str(), within.seats, within.limits), ("pro", seats, limits), "{status}");
            assert_eq!(within.trial_ends_at, (status == Status::Trialing).then(|| at(39 * DAY)), "{status}");
            let late = decided(Some(&stored), None, 17 * DAY);
            assert_eq!(late.may_use, matches!(status, Status::Trialing | Status::Active), "{status}: the grace is over");
        }
    }

    #[test]
    fn the_grace_counts_from_the_first_unpaid_invoice() {
        let stored = said(None, "past_due", 1, &json!({}));
        assert_eq!(decided(Some(&stored), None, 0).until, Some(at(17 * DAY)));
        assert_eq!(decided(Some(&stored), Some(20 * DAY), 0).until, Some(at(27 * DAY)));
        assert!(!decided(Some(&stored), Some(2 * DAY), 9 * DAY).may_use);
    }

    #[test]
    fn an_end_that_is_settled_comes_before_the_end_of_the_period() {
        let stored = |more| said(None, "active", 1, &more);
        assert_eq!(decided(Some(&stored(json!({}))), None, 0).until, Some(at(40 * DAY)));
        let early = decided(Some(&stored(json!({ "cancel_at": 20 * DAY }))), None, 0);
        assert_eq!((early.until, early.cancel_at), (Some(at(20 * DAY)), Some(at(20 * DAY))));
        let with_period = decided(Some(&stored(json!({ "cancel_at_period_end": true }))), None, 0);
        assert_eq!((with_period.until, with_period.cancel_at), (Some(at(40 * DAY)), Some(at(40 * DAY))));
    }

    #[test]
    fn an_unknown_state_keeps_the_last_decision_whatever_order_it_came_in() {
        for (status, may_use) in [("active", true), ("unpaid", false)] {
            let in_order = said(Some(said(None, status, 1, &json!({}))), "odd", 2, &json!({}));
            let reversed = said(Some(said(None, "odd", 2, &json!({}))), status, 1, &json!({}));
            assert_eq!(in_order, reversed);
            let decision = decided(Some(&in_order), None, 0);
            assert_eq!((decision.may_use, decision.unknown), (may_use, true));
            assert_eq!(decision.status, Some(Status::Unknown("odd".to_owned())));
        }
        let never = decided(Some(&said(None, "odd", 1, &json!({}))), None, 0);
        assert_eq!((never.may_use, never.unknown), (false, true));
    }

    #[test]
    fn of_several_the_one_that_gives_most_counts() {
        let own = |id: &str, status: &str, created: i64| said(None, status, 1, &json!({ "id": id, "created": created }));
        let all = [own("sub_a", "canceled", 9), own("sub_b", "active", 1), own("sub_c", "active", 3), own("sub_d", "incomplete", 8)];
        assert_eq!(foremost(&all).map(|stored| stored.subscription.id.as_str()), Some("sub_c"));
        assert_eq!(foremost(&all[..1]).map(|stored| stored.subscription.id.as_str()), Some("sub_a"));
        assert_eq!(foremost(&[]), None);
    }

    #[test]
    fn products_not_known_yet_are_named_by_their_id() {
        let stored = said(None, "active", 1, &json!({}));
        let basis = Basis { subscription: Some(&stored), products: &[], unpaid_since: None, now: at(0), grace: Duration::ZERO };
        let decision = entitlements(&basis);
        assert_eq!((decision.plan.as_str(), decision.seats, decision.may_use), ("prod_pro", 7, true));
    }
}

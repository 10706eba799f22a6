//! `/api/orgs/{orgId}/billing`, `/api/plans`: bought at Stripe, told by webhooks, compared when those get lost.

use std::time::Duration;

use fake_stripe::{Chaos, FakeStripe, Fault, Settings};
use serde_json::{Value, json};
use tests::{App, Caller, eventually};

const SECRET: &str = "whsec_of_the_fake";

/// A server and the Stripe it knows.
pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) stripe: FakeStripe,
    pub(crate) owner: Caller,
    pub(crate) org: String,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(true).await
    }

    /// With Stripe's API, or with webhooks alone.
    async fn with(api: bool) -> Self {
        let stripe = FakeStripe::start(Settings::for_test(SECRET).expect("a secret")).expect("a fake Stripe");
        let key = Settings::for_test(SECRET).expect("a secret").secret_key;
        let mut settings = vec![("STRIPE_WEBHOOKS_SECRET", SECRET), ("STRIPE_API_BASE", stripe.base_url.as_str())];
        if api {
            settings.push(("STRIPE_SECRET_KEY", &key));
        }
        let app = App::with(&settings).await;
        stripe.set_webhook_url(Some(&format!("http://{}/api/webhooks/stripe", app.address)));
        let owner = app.user("Ada").await;
        let org = owner.client.post("/api/orgs").json(&json!({ "name": "Acme" })).send().await.expect(201).text_at("/id");
        Self { app, stripe, owner, org }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/orgs/{}/billing{rest}", self.org)
    }

    async fn billing(&self) -> Value {
        self.owner.client.get(&self.path("")).send().await.expect(200).json()
    }

    /// Begins to buy, and says which session.
    pub(crate) async fn begin(&self, price: &str, quantity: u32) -> String {
        let body = json!({ "priceId": price, "quantity": quantity });
        let url = self.owner.client.post(&self.path("/checkout")).json(&body).send().await.expect(200).text_at("/url");
        let (_, session) = url.rsplit_once('/').expect("a session");
        session.split(['?', '#']).next().expect("a session").to_owned()
    }

    /// Waits until the plan is this one and may be used or not.
    async fn until(&self, plan: &str, may_use: bool) {
        eventually(&format!("the plan is {plan}, {may_use}"), async || {
            let billing = self.billing().await;
            let entitlements = billing.get("entitlements").expect("entitlements");
            entitlements.get("plan") == Some(&plan.into()) && entitlements.get("mayUse") == Some(&may_use.into())
        })
        .await;
    }

    pub(crate) async fn price(&self, lookup_key: &str) -> String {
        let mut found = None;
        eventually("the plans are there", async || {
            let plans = self.app.anon().get("/api/plans").send().await.expect(200).json();
            let prices = plans.as_array().into_iter().flatten().filter_map(|plan| plan.get("prices")?.as_array()).flatten();
            found = prices.into_iter().find(|price| price.get("lookupKey") == Some(&lookup_key.into())).cloned();
            found.is_some()
        })
        .await;
        found.and_then(|price| price.get("id")?.as_str().map(str::to_owned)).expect("a price")
    }
}

#[tokio::test]
async fn what_is_paid_for_is_the_organisations_when_the_webhook_arrives() {
    let shop = Shop::open().await;
    assert_eq!(shop.billing().await.pointer("/entitlements/plan"), Some(&"free".into()));
    let price = shop.price("team_monthly").await;
    let session = shop.begin(&price, 5).await;
    assert_eq!(shop.billing().await.pointer("/entitlements/plan"), Some(&"free".into()), "nothing is given before it is paid");
    let subscription = shop.stripe.pay(&session).expect("paid");
    shop.until("team", true).await;
    let billing = shop.billing().await;
    assert_eq!(
        (billing.pointer("/entitlements/seats"), billing.pointer("/subscription/id")),
        (Some(&5.into()), Some(&subscription.clone().into()))
    );
    assert_eq!(billing.get("customer"), Some(&true.into()));
    let portal = shop.owner.client.post(&shop.path("/portal")).send().await.expect(200).text_at("/url");
    assert!(portal.starts_with(&shop.stripe.base_url), "{portal}");
    shop.stripe.cancel_now(&subscription).expect("cancelled");
    shop.until("team", false).await;
}

#[tokio::test]
async fn without_stripes_api_events_count_as_they_come() {
    let shop = Shop::with(false).await;
    shop.owner.client.post(&shop.path("/checkout")).json(&json!({ "priceId": "x" })).send().await.expect_error(503, "NOT_CONFIGURED");
    let events: Vec<Value> = [("created", 10, "incomplete"), ("updated", 11, "active"), ("deleted", 20, "canceled")]
        .into_iter()
        .map(|(kind, at, status)| {
            json!({ "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": status, "created": at, "livemode": false,
                "cancel_at_period_end": false, "metadata": {}, "items": { "data": [{ "id": "si_1", "quantity": 2,
                "price": { "id": "price_1", "product": "prod_1" }, "current_period_start": at, "current_period_end": at + 100 }] },
                "kind": kind })
        })
        .collect();
    // In the wrong order: the end first.
    for event in events.iter().rev() {
        let kind = event.get("kind").and_then(Value::as_str).expect("a kind");
        shop.stripe.emit(&format!("customer.subscription.{kind}"), event.clone());
    }
    shop.stripe.settled().await;
    let done = "SELECT count(*) FROM webhook_events WHERE status = 'done'";
    shop.app.until_count(3, done).await;
    assert_eq!(shop.app.count("SELECT count(*) FROM subscriptions WHERE status = 'canceled'").await, 1);
}

#[tokio::test]
async fn a_customer_is_made_once_however_many_begin_to_buy() {
    let shop = Shop::open().await;
    let price = shop.price("starter_monthly").await;
    let begin = (0..10).map(|_| shop.begin(&price, 1));
    futures::future::join_all(begin).await;
    assert_eq!(shop.app.count("SELECT count(DISTINCT customer) FROM billing_customers").await, 1);
    let made: std::collections::HashSet<_> =
        shop.stripe.calls().into_iter().filter(|call| call.path == "/v1/customers").map(|call| call.idempotency_key).collect();
    assert_eq!(made.len(), 1, "all with one key");
}

#[tokio::test]
async fn a_price_that_is_not_sold_is_refused_and_stripes_troubles_are_told_as_such() {
    let shop = Shop::open().await;
    let buy = async |price: &str| shop.owner.client.post(&shop.path("/checkout")).json(&json!({ "priceId": price })).send().await;
    buy("price_of_nothing").await.expect_refused(&["priceId"]);
    shop.owner.client.post(&shop.path("/portal")).send().await.expect(200);
    for fault in [Fault::Down, Fault::Garbage] {
        shop.stripe.fail(fault, None);
        buy("price_starter_monthly").await.expect_error(502, "UPSTREAM_ERROR");
    }
    shop.stripe.mend();
    buy("price_starter_monthly").await.expect(200);
}

#[tokio::test]
async fn an_event_waits_while_stripe_is_down_and_is_done_when_it_is_back() {
    let shop = Shop::open().await;
    let price = shop.price("team_yearly").await;
    let session = shop.begin(&price, 1).await;
    shop.stripe.fail(Fault::Down, None);
    shop.stripe.pay(&session).expect("paid");
    shop.app
        .until_count(
            1,
            "SELECT count(*) FROM (SELECT FROM webhook_events WHERE status = 'pending' AND last_error LIKE '%' LIMIT 1) AS waiting",
        )
        .await;
    shop.stripe.mend();
    shop.app.sql("UPDATE webhook_events SET due_at = now() WHERE status = 'pending'").await;
    shop.until("team", true).await;
}

#[tokio::test]
async fn what_gets_lost_on_the_way_is_found_by_comparing() {
    let shop = Shop::open().await;
    let price = shop.price("team_monthly").await;
    shop.stripe.set_chaos(Chaos { drop_percent: 100, ..Chaos::default() });
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(shop.begin(&price, 2).await);
    }
    let subscription = shop.stripe.pay(sessions.first().expect("a session")).expect("paid");
    shop.stripe.settled().await;
    assert_eq!(shop.billing().await.pointer("/entitlements/plan"), Some(&"free".into()), "no event arrived");
    let url = shop.app.database.url.clone();
    let reconcile = async || {
        let output = tests::command(
            &["billing", "reconcile"],
            &[("DATABASE_URL", &url), ("STRIPE_SECRET_KEY", "sk_test_fake"), ("STRIPE_API_BASE", &shop.stripe.base_url)],
        );
        let output = tokio::task::spawn_blocking(move || {
            let mut output = output;
            output.output().expect("the program")
        })
        .await
        .expect("its end");
        (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    };
    let (done, told) = reconcile().await;
    assert!(done && told.contains("events taken in"), "{told}");
    shop.until("team", true).await;
    shop.stripe.cancel_now(&subscription).expect("cancelled");
    shop.app.sql("DELETE FROM webhook_events WHERE status = 'pending'").await;
    let (done, told) = reconcile().await;
    assert!(done && !told.contains(" 0 of 0 "), "{told}");
    shop.until("team", false).await;
    let (_, told) = reconcile().await;
    assert!(told.contains("0 events taken in, 0 of "), "nothing is left to mend: {told}");
}

/// Grace is no longer than it says.
#[tokio::test]
async fn who_does_not_pay_may_go_on_for_the_grace_and_no_longer() {
    let shop = Shop::open().await;
    let price = shop.price("starter_monthly").await;
    let session = shop.begin(&price, 1).await;
    let subscription = shop.stripe.pay(&session).expect("paid");
    shop.until("starter", true).await;
    let customer = shop.app.text("SELECT customer FROM billing_customers WHERE customer IS NOT NULL").await;
    shop.stripe.set_payment(&customer, false).expect("a customer");
    shop.stripe.advance(Duration::from_secs(32 * 86_400));
    shop.stripe.settled().await;
    shop.app.until_count(1, &format!("SELECT count(*) FROM subscriptions WHERE id = '{subscription}' AND status = 'past_due'")).await;
}

//! Every call once, and lists page by page.

use fake_stripe::{FakeStripe, Settings, Shape};
use serde_json::{Value, json};
use upstream::stripe::{Error, EventFilter, List, NewCheckout, Page, Stripe};

use super::{ADA, KEY, checkout, client, customer, fake, http, session, settings, subscribed};

fn ids(list: &List) -> Vec<&str> {
    list.objects.iter().map(|object| object.id.as_str()).collect()
}

#[tokio::test]
async fn a_customer_is_made_and_read() {
    let fake = fake();
    let stripe = client(&fake);
    let made = stripe.create_customer("k1", &ADA).await.expect("a customer");
    let read = stripe.customer(&made.id).await.expect("the customer");
    assert_eq!(made.value(), read.value());
    let value = read.value();
    assert_eq!((&value["email"], &value["name"], &value["metadata"]["org_id"]), (&json!(ADA.email), &json!(ADA.name), &json!("org-1")));
    assert_eq!(value["created"], 1_750_000_000);
    let calls = fake.calls();
    assert_eq!((calls[0].method.as_str(), calls[0].path.as_str()), ("POST", "/v1/customers"));
    assert_eq!(calls[0].idempotency_key.as_deref(), Some("k1"));
    assert!(calls.iter().all(|call| call.version.as_deref() == Some(upstream::stripe::API_VERSION)));
    assert_eq!(calls[1].idempotency_key, None);
}

#[tokio::test]
async fn a_checkout_leads_to_a_subscription_that_knows_its_organisation() {
    let fake = fake();
    let stripe = client(&fake);
    let customer = customer(&stripe).await;
    let new = NewCheckout { trial_days: Some(14), ..checkout(&customer) };
    let session = stripe.create_checkout("k2", &new).await.expect("a session");
    assert_eq!(session.url.as_str(), format!("{}/checkout/{}", fake.base_url, session.id));
    let id = fake.pay(&session.id).expect("a subscription");
    let subscription = stripe.subscription(&id).await.expect("the subscription").value();
    assert_eq!((&subscription["status"], &subscription["customer"]), (&json!("trialing"), &json!(customer)));
    assert_eq!(subscription["metadata"]["org_id"], "org-1");
    let item = &subscription["items"]["data"][0];
    assert_eq!((&item["quantity"], &item["price"]["id"]), (&json!(2), &json!("price_team_monthly")));
    assert_eq!(item["current_period_end"], 1_750_000_000 + 14 * 86_400);
    let invoice = stripe.invoice(subscription["latest_invoice"].as_str().expect("an invoice")).await.expect("the invoice").value();
    assert_eq!((&invoice["status"], &invoice["amount_due"]), (&json!("paid"), &json!(0)));
    let completed = stripe.events(&EventFilter::default(), &Page::first().of(1)).await.expect("events").objects[0].value();
    assert_eq!((&completed["type"], &completed["data"]["object"]["id"]), (&json!("checkout.session.completed"), &json!(session.id)));
    assert_eq!(completed["data"]["object"]["client_reference_id"], "org-1");
    assert!(fake.pay(&session.id).is_err(), "a session is paid once");
}

#[tokio::test]
async fn both_shapes_say_the_same_in_their_places() {
    for shape in [Shape::Acacia, Shape::Basil] {
        let fake = FakeStripe::start(Settings { shape, ..settings() }).expect("a fake");
        let stripe = client(&fake);
        let (_, id) = subscribed(&fake, &stripe).await;
        let subscription = stripe.subscription(&id).await.expect("the subscription").value();
        let invoice = stripe.invoice(subscription["latest_invoice"].as_str().expect("an id")).await.expect("the invoice").value();
        let at = |value: &Value, path: &str| value.pointer(path).cloned();
        let (old, new) = (
            [at(&subscription, "/current_period_end"), at(&invoice, "/subscription")],
            [at(&subscription, "/items/data/0/current_period_end"), at(&invoice, "/parent/subscription_details/subscription")],
        );
        // 15 July 2025, a month after the clock's time.
        let said = [Some(json!(1_752_592_000)), Some(json!(id))];
        let expected = if shape == Shape::Acacia { (said, [None, None]) } else { ([None, None], said) };
        assert_eq!((old, new), expected);
    }
}

#[tokio::test]
async fn the_portal_has_an_address() {
    let fake = fake();
    let stripe = client(&fake);
    let customer = customer(&stripe).await;
    let first = stripe.create_portal(&customer, "http://app.example/").await.expect("a portal");
    let second = stripe.create_portal(&customer, "http://app.example/").await.expect("a portal");
    assert!(first.as_str().starts_with(&fake.base_url) && first != second);
    assert!(fake.calls().iter().filter(|call| call.method == "POST").all(|call| call.idempotency_key.is_some()));
}

#[tokio::test]
async fn the_catalogue_is_what_is_on_sale() {
    let fake = fake();
    let stripe = client(&fake);
    let products = stripe.products(&Page::first()).await.expect("products");
    assert_eq!(ids(&products), ["prod_business", "prod_team", "prod_starter"]);
    let team = products.objects[1].value();
    assert_eq!((&team["metadata"]["plan"], &team["metadata"]["limit_projects"]), (&json!("team"), &json!("20")));
    assert_eq!(stripe.prices(&Page::first()).await.expect("prices").objects.len(), 6);
    fake.set_price_active("price_team_yearly", false).expect("off sale");
    let prices = stripe.prices(&Page::first()).await.expect("prices");
    assert!(prices.objects.len() == 5 && !ids(&prices).contains(&"price_team_yearly"));
    let customer = customer(&stripe).await;
    let refused = stripe.create_checkout("k", &NewCheckout { price: "price_team_yearly", ..checkout(&customer) }).await;
    assert!(matches!(refused, Err(Error::Rejected { status: 400, param: Some(param), .. }) if param == "line_items[0][price]"));
}

async fn every<F: AsyncFn(&Page) -> List>(first: Page, ask: F) -> (Vec<String>, usize) {
    let (mut found, mut pages, mut next) = (Vec::new(), 0, Some(first));
    while let Some(page) = next {
        let list = ask(&page).await;
        found.extend(ids(&list).into_iter().map(str::to_owned));
        pages += 1;
        next = list.next;
    }
    (found, pages)
}

#[tokio::test]
async fn lists_go_on_page_by_page_in_both_directions() {
    let fake = fake();
    let stripe = client(&fake);
    let emitted: Vec<String> = (0..25).map(|n| fake.emit("custom.event", json!({ "id": format!("x_{n}") }))).collect();
    let filter = EventFilter::default();
    let ask = async |page: &Page| stripe.events(&filter, page).await.expect("events");
    let newest_first: Vec<String> = emitted.iter().rev().cloned().collect();
    assert_eq!(every(Page::first().of(10), ask).await, (newest_first.clone(), 3));
    assert_eq!(every(Page::first().of(25), ask).await, (newest_first, 1));
    assert_eq!(every(Page::newer_than(&emitted[4]).of(7), ask).await, (emitted[5..].to_vec(), 3));
    assert_eq!(every(Page::newer_than(&emitted[24]), ask).await, (vec![], 1));
    let gone = stripe.events(&filter, &Page::newer_than("evt_gone")).await;
    assert!(matches!(gone, Err(Error::Rejected { status: 400, code: Some(code), .. }) if code == "resource_missing"));
}

#[tokio::test]
async fn subscriptions_of_every_status_are_listed() {
    let fake = fake();
    let stripe = client(&fake);
    let (customer, first) = subscribed(&fake, &stripe).await;
    let other = stripe.create_customer("other", &ADA).await.expect("a customer").id;
    let session = stripe.create_checkout("other:checkout", &checkout(&other)).await.expect("a session");
    let second = fake.pay(&session.id).expect("a subscription");
    fake.cancel_now(&first).expect("canceled");
    assert_eq!(ids(&stripe.subscriptions(None, &Page::first()).await.expect("all")), [second.as_str(), &first]);
    assert_eq!(ids(&stripe.subscriptions(Some(&customer), &Page::first()).await.expect("one")), [first.as_str()]);
    assert_eq!(ids(&stripe.subscriptions(Some("cus_none"), &Page::first()).await.expect("none")), [""; 0]);
}

#[tokio::test]
async fn an_event_is_read_and_what_is_not_there_is_not_found() {
    let fake = fake();
    let stripe = client(&fake);
    let id = fake.emit("custom.event", json!({ "id": "x" }));
    assert_eq!(stripe.event(&id).await.expect("the event").value()["type"], "custom.event");
    let asked = fake.calls().len();
    for id in ["evt_none", "", ".", "..", "../customers", "a/b", "a?b", "a%2fb", "ä", &"x".repeat(256)] {
        assert_eq!(stripe.event(id).await.err(), Some(Error::NotFound), "{id}");
    }
    assert_eq!(fake.calls().len(), asked + 1, "what no id can be is not asked for");
    for call in [stripe.subscription("sub_none").await, stripe.invoice("in_none").await, stripe.customer("cus_none").await] {
        assert_eq!(call.err(), Some(Error::NotFound));
    }
}

#[tokio::test]
async fn the_fake_is_as_strict_as_stripe() {
    let fake = fake();
    let stripe = client(&fake);
    let (customer, _) = session(&stripe).await;
    let missing = stripe.create_checkout("m", &NewCheckout { customer: "cus_none", ..checkout(&customer) }).await;
    assert!(
        matches!(missing, Err(Error::Rejected { code: Some(code), param: Some(param), .. }) if code == "resource_missing" && param == "customer")
    );
    let url = format!("{}/v1/customers", fake.base_url);
    let unknown = http().post(&url).bearer_auth(KEY).body("nickname=x").send().await.expect("an answer");
    assert_eq!(unknown.status().as_u16(), 400);
    assert!(unknown.headers().contains_key("request-id"));
    let body: Value = unknown.json().await.expect("JSON");
    assert_eq!(
        body["error"],
        json!({ "type": "invalid_request_error", "code": "parameter_unknown", "param": "nickname",
        "message": "Received unknown parameter: nickname" })
    );
    let nothing = http().get(&url).send().await.expect("an answer");
    assert_eq!(nothing.status().as_u16(), 401);
}

#[tokio::test]
async fn clones_may_call_at_the_same_time() {
    let fake = fake();
    let stripe = client(&fake);
    let calls = (0..20).map(|n| {
        let stripe: Stripe = stripe.clone();
        async move { stripe.create_customer(&format!("k{n}"), &ADA).await }
    });
    let made = futures::future::join_all(calls).await;
    let mut ids: Vec<String> = made.into_iter().map(|made| made.expect("a customer").id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

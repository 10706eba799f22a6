//! The pages as a browser without scripts uses them, and the controls over HTTP.

use reqwest::Response;
use serde_json::{Value, json};

use super::{client, fake, http, session, subscribed};

/// The addresses of the forms of a page, in their order.
fn forms(page: &str) -> Vec<String> {
    page.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

fn location(answer: &Response) -> &str {
    answer.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn a_checkout_is_declined_canceled_and_paid_by_plain_forms() {
    let fake = fake();
    let (_, session) = session(&client(&fake)).await;
    let page = http().get(session.url.clone()).send().await.expect("a page").text().await.expect("text");
    assert!(page.contains("Team, $29.00 a month × 2") && page.contains("$58.00 due today") && page.contains("ada@example.com"), "{page}");
    let forms = forms(&page);
    let post = async |form: &str| http().post(format!("{}{form}", fake.base_url)).send().await.expect("an answer");
    let [pay, decline, cancel] = forms.as_slice() else { panic!("{forms:?}") };
    let declined = post(decline).await;
    assert_eq!(declined.status().as_u16(), 402);
    assert!(declined.text().await.expect("text").contains("Your card was declined."));
    assert_eq!(location(&post(cancel).await), "http://app.example/plans");
    let paid = post(pay).await;
    assert_eq!((paid.status().as_u16(), location(&paid)), (303, format!("http://app.example/done?session={}", session.id).as_str()));
    assert_eq!(post(pay).await.status().as_u16(), 400);
    let page = http().get(session.url).send().await.expect("a page").text().await.expect("text");
    assert!(page.contains("This has been paid") && !page.contains("<form"));
}

#[tokio::test]
async fn the_portal_changes_and_ends_a_subscription() {
    let fake = fake();
    let stripe = client(&fake);
    let (customer, id) = subscribed(&fake, &stripe).await;
    let portal = stripe.create_portal(&customer, "http://app.example/billing").await.expect("a portal");
    let show = async || http().get(portal.clone()).send().await.expect("a page").text().await.expect("text");
    let page = show().await;
    assert!(page.contains("href=\"http://app.example/billing\"") && page.contains("renews on 15 July 2025"), "{page}");
    let post = async |action: &str, body: String| {
        let answer = http().post(format!("{portal}/{action}")).body(body).send().await.expect("an answer");
        (answer.status().as_u16(), location(&answer) == portal.as_str())
    };
    assert_eq!(post("change", format!("subscription={id}&price=price_business_monthly")).await, (303, true));
    assert_eq!(post("cancel", format!("subscription={id}")).await, (303, true));
    let page = show().await;
    assert!(page.contains("Business, $99.00 a month</p>") && page.contains("ends on 15 July 2025"), "{page}");
    assert_eq!(post("resume", format!("subscription={id}")).await, (303, true));
    assert_eq!(post("cancel-now", format!("subscription={id}")).await, (303, true));
    assert!(show().await.contains("Status: canceled"));
    assert_eq!(post("cancel-now", format!("subscription={id}")).await.0, 404);
    assert_eq!(post("cancel", "subscription=sub_none".to_owned()).await.0, 404);
    let kinds: Vec<String> = fake.deliveries().into_iter().skip(7).map(|event| event.kind).collect();
    let updated = "customer.subscription.updated";
    assert_eq!(kinds, [updated, updated, updated, "customer.subscription.deleted"]);
}

#[tokio::test]
async fn everything_can_be_done_over_http() {
    let fake = fake();
    let stripe = client(&fake);
    let (customer, session) = session(&stripe).await;
    let post = async |action: &str, body: Value| {
        let answer = http().post(format!("{}/_fake/{action}", fake.base_url)).body(body.to_string()).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let (status, paid) = post("pay", json!({ "session": session.id })).await;
    let id = &paid["subscription"];
    assert!(status == 200 && id.is_string());
    for (action, body) in [
        ("price", json!({ "subscription": id, "price": "price_starter_yearly" })),
        ("cancel", json!({ "subscription": id })),
        ("resume", json!({ "subscription": id })),
        ("payment", json!({ "customer": customer, "works": false })),
        ("advance", json!({ "seconds": 400 * 86_400 })),
        ("product", json!({ "id": "prod_team", "name": "Crew" })),
        ("sale", json!({ "price": "price_team_yearly", "active": false })),
        ("chaos", json!({ "drop_percent": 10, "delay_ms": 5, "seed": 3 })),
        ("fail", json!({ "fault": { "too_many": 3 }, "times": 1 })),
        ("fail", json!({ "fault": "down" })),
        ("mend", json!({})),
        ("redeliver", json!({})),
        ("webhook_url", json!({ "url": null })),
    ] {
        assert_eq!(post(action, body).await, (200, json!({})), "{action}");
    }
    assert!(post("emit", json!({ "type": "x.y", "object": {} })).await.1["event"].is_string());
    assert_eq!(post("cancel", json!({ "subscription": id, "now": true })).await.0, 404, "it has ended unpaid");
    assert_eq!(post("pay", json!({ "sessions": "x" })).await.0, 400);
    assert_eq!(post("nonsense", json!({})).await.0, 404);
    let get = async |what: &str| {
        let answer = http().get(format!("{}/_fake/{what}", fake.base_url)).send().await.expect("an answer");
        answer.json::<Value>().await.expect("JSON")
    };
    assert_eq!(get("calls").await[0]["path"], "/v1/customers");
    assert_eq!(get("now").await["now"], fake.now());
    assert_eq!(get("settled").await["settled"], true);
    let deliveries = get("deliveries").await;
    let kinds: Vec<&str> = deliveries.as_array().expect("a list").iter().filter_map(|event| event["type"].as_str()).collect();
    assert!(kinds.contains(&"product.updated") && kinds.contains(&"price.updated") && kinds.contains(&"invoice.payment_failed"));
}

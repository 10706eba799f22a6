//! `/api/webhooks/*`: what is acknowledged is kept, once, and nothing else is.

use serde_json::{Value, json};
use tests::{Answer, App, Database, Proxy};
use webhooks::{Provider, Secret, github, stripe};

const SECRET: &str = "whsec_a_secret_of_the_endpoint";
const SETTINGS: &[(&str, &str)] = &[
    ("STRIPE_WEBHOOKS_SECRET", "whsec_a_secret_of_the_endpoint,whsec_an_older_one"),
    ("GITHUB_WEBHOOK_SECRET", "It's a Secret to Everybody"),
];

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    i64::try_from(since.as_secs()).expect("seconds")
}

fn signature(secret: &str, at: i64, body: &[u8]) -> String {
    stripe::sign(&[Secret::parse(Provider::Stripe, secret).expect("a secret")], at, body)
}

fn event(id: &str) -> Value {
    json!({
        "id": id, "object": "event", "type": "customer.subscription.updated", "created": 1_700_000_000, "livemode": false,
        "api_version": "2025-03-31.basil", "data": { "object": { "id": "sub_1", "object": "subscription", "customer": "cus_1" } },
    })
}

async fn send(app: &App, body: impl Into<Vec<u8>>, signature: &str) -> Answer {
    let request = app.anon().post("/api/webhooks/stripe").header("stripe-signature", signature);
    request.body("application/json; charset=utf-8", body.into()).send().await
}

/// Sends an event as Stripe does.
async fn deliver(app: &App, body: &Value) -> Answer {
    let body = serde_json::to_vec_pretty(body).expect("JSON");
    let signature = signature(SECRET, now(), &body);
    send(app, body, &signature).await
}

async fn kept(app: &App) -> i64 {
    app.count("SELECT count(*) FROM webhook_events").await
}

#[tokio::test]
async fn an_event_is_kept_as_it_came_and_acknowledged() {
    let app = App::with(SETTINGS).await;
    let answer = deliver(&app, &event("evt_1")).await.expect(200);
    assert_eq!(answer.text, r#"{"received":true}"#);
    let admin = app.admin().await;
    let listed = admin.client.get("/api/admin/webhook-events").send().await.expect(200);
    assert_eq!((listed.text_at("/0/eventKey"), listed.text_at("/0/type")), ("evt_1".into(), "customer.subscription.updated".into()));
    assert_eq!((listed.text_at("/0/provider"), listed.text_at("/0/subject")), ("stripe".into(), "cus_1".into()));
    let shown = admin.client.get(&format!("/api/admin/webhook-events/{}", listed.text_at("/0/id"))).send().await.expect(200);
    assert_eq!(serde_json::from_str::<Value>(&shown.text_at("/body")).expect("JSON"), event("evt_1"));
    assert!(!shown.text.contains("v1="), "no signature is kept: {}", shown.text);
}

#[tokio::test]
async fn fifty_deliveries_at_once_are_one_event() {
    let app = App::with(SETTINGS).await;
    let deliveries = (0..50).map(|_| async { deliver(&app, &event("evt_1")).await.expect(200) });
    futures::future::join_all(deliveries).await;
    assert_eq!(kept(&app).await, 1);
    let many = (0..200).map(|number| {
        let app = &app;
        async move { deliver(app, &event(&format!("evt_many_{number}"))).await.expect(200) }
    });
    futures::future::join_all(many).await;
    assert_eq!(kept(&app).await, 201);
}

#[tokio::test]
async fn what_is_not_signed_right_is_refused_and_not_kept() {
    let app = App::with(SETTINGS).await;
    let body = serde_json::to_vec(&event("evt_1")).expect("JSON");
    let right = signature(SECRET, now(), &body);
    app.anon().post("/api/webhooks/stripe").json(&event("evt_1")).send().await.expect_error(400, "MISSING_SIGNATURE");
    let wrong = [
        signature("whsec_somebody_elses", now(), &body),
        signature(SECRET, now() - 301, &body),
        signature(SECRET, now() + 302, &body),
        right.replace("v1=", "v0="),
        format!("{right}0"),
        "nonsense".to_owned(),
    ];
    for wrong in wrong {
        let answer = send(&app, body.clone(), &wrong).await.expect_error(400, "INVALID_SIGNATURE");
        assert_eq!(answer.text_at("/error"), "Invalid signature");
    }
    let mut changed = body.clone();
    changed.push(b' ');
    send(&app, changed, &right).await.expect_error(400, "INVALID_SIGNATURE");
    assert_eq!(kept(&app).await, 0);
    let older = signature("whsec_an_older_one", now(), &body);
    send(&app, body, &older).await.expect(200);
}

#[tokio::test]
async fn odd_bodies_are_kept_and_what_is_no_json_is_refused() {
    let app = App::with(SETTINGS).await;
    let odd: [&[u8]; 5] = [
        br#"{"id":"evt_nul","type":"x.y","data":{"object":{"id":"a\u0000b"}}}"#,
        br#"{"id":"evt_lone","type":"x.y","data":{"object":{"name":"\ud800"}}}"#,
        br#"{"id":"evt_huge","type":"x.y","data":{"object":{"amount":1e400}}}"#,
        br#"{"id":"evt_twice","id":"evt_twice","type":"x.y"}"#,
        br#"{"type":"x.y"}"#,
    ];
    for body in odd {
        let signature = signature(SECRET, now(), body);
        send(&app, body, &signature).await.expect(200);
    }
    let deep = format!(r#"{{"id":"evt_deep","type":"x.y","data":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    send(&app, deep.clone(), &signature(SECRET, now(), deep.as_bytes())).await.expect(200);
    assert_eq!(kept(&app).await, 6);
    for body in [&b"{"[..], b"", b"\xff\xfe", b"null garbage"] {
        send(&app, body, &signature(SECRET, now(), body)).await.expect_error(400, "VALIDATION_ERROR");
    }
    assert_eq!(kept(&app).await, 6);
}

#[tokio::test]
async fn a_body_of_two_mebibytes_fits_and_no_more() {
    let app = App::with(SETTINGS).await;
    let sized = |length: usize| {
        let frame = r#"{"id":"evt_large","type":"x.y","data":""}"#.len();
        format!(r#"{{"id":"evt_large","type":"x.y","data":"{}"}}"#, "x".repeat(length - frame)).into_bytes()
    };
    let body = sized(2 << 20);
    send(&app, body.clone(), &signature(SECRET, now(), &body)).await.expect(200);
    let body = sized((2 << 20) + 1);
    send(&app, body.clone(), &signature(SECRET, now(), &body)).await.expect_error(413, "PAYLOAD_TOO_LARGE");
    let large = app.count("SELECT octet_length(raw)::bigint FROM webhook_events").await;
    assert_eq!(large, 2 << 20);
}

#[tokio::test]
async fn without_the_database_nothing_is_acknowledged() {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    let app = App::on(database, &url, SETTINGS).await;
    deliver(&app, &event("evt_1")).await.expect(200);
    proxy.cut();
    let answer = deliver(&app, &event("evt_2")).await.expect_error(503, "UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("1"));
    proxy.mend();
    deliver(&app, &event("evt_2")).await.expect(200);
    assert_eq!(kept(&app).await, 2);
}

#[tokio::test]
async fn every_provider_has_its_own_events_and_one_without_a_secret_is_not_listened_to() {
    let app = App::with(SETTINGS).await;
    let body = br#"{"zen":"Design for failure.","repository":{"id":7}}"#;
    let secret = Secret::parse(Provider::GitHub, "It's a Secret to Everybody").expect("a secret");
    for _ in 0..2 {
        let request = app.anon().post("/api/webhooks/github").header("x-hub-signature-256", &github::sign(&secret, body));
        let request = request.header("x-github-event", "ping").header("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958");
        request.body("application/json", body.to_vec()).send().await.expect(200);
    }
    assert_eq!(kept(&app).await, 1);
    for path in ["/api/webhooks/twilio", "/api/webhooks/lemon-squeezy", "/api/webhooks/standard"] {
        app.anon().post(path).json(&json!({})).send().await.expect_error(503, "NOT_CONFIGURED");
    }
}

#[tokio::test]
async fn an_unknown_type_is_ignored_and_can_be_replayed() {
    let app = App::with(SETTINGS).await;
    let admin = app.admin().await.client;
    let mut unknown = event("evt_1");
    unknown["type"] = "radar.early_fraud_warning.created".into();
    deliver(&app, &unknown).await.expect(200);
    let list = "/api/admin/webhook-events?status=ignored&type=radar.early_fraud_warning.created&source=stripe";
    let settled = async |attempts: i64| {
        tests::eventually("it is settled", async || {
            let events = admin.get(list).send().await.expect(200).json();
            events[0]["attempts"] == attempts && events[0]["status"] == "ignored"
        })
        .await;
    };
    settled(1).await;
    let answer = admin.get(list).send().await.expect(200);
    assert!(answer.text_at("/0/lastError").contains("Unhandled event type"), "{}", answer.text);
    let id = answer.text_at("/0/id");
    admin.post(&format!("/api/admin/webhook-events/{id}/replay")).send().await.expect(200);
    settled(1).await;
    let window = |since: &str, until: &str| json!({ "source": "stripe", "type": "radar.early_fraud_warning.created", "since": since, "until": until });
    let replay = async |body: Value| admin.post("/api/admin/webhook-events/replay").json(&body).send().await;
    assert_eq!(replay(window("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z")).await.expect(200).at("/replayed"), 1);
    assert_eq!(replay(window("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")).await.expect(200).at("/replayed"), 0);
    replay(window("2021-01-01T00:00:00Z", "2020-01-01T00:00:00Z")).await.expect_refused(&["until"]);
}

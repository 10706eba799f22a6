//! Events that cannot be processed, now or ever, and those of others.

use serde_json::json;
use tests::App;

use super::{SETTINGS, change, deliver, deliver_raw, delivery, status, until_status};

/// A body of a known type with this in it.
fn body(key: &str, object: &str) -> String {
    format!(r#"{{"id":"{key}","type":"customer.subscription.updated","created":1750000000,"livemode":false,"data":{{"object":{object}}}}}"#)
}

#[tokio::test]
async fn what_can_never_be_read_is_given_up_at_once_and_holds_nobody_up() {
    let app = App::with(SETTINGS).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let poison = [
        body("evt_huge", r#"{"id":"sub_1","customer":"cus_1","status":"active","amount":1e400}"#),
        body("evt_lone", r#"{"id":"sub_1","customer":"cus_1","status":"\ud800"}"#),
        body("evt_deep", &format!(r#"{{"id":"sub_1","customer":"cus_1","status":"active","x":{deep}}}"#)),
        body("evt_nul", r#"{"id":"sub\u00001","customer":"cus_1","status":"active"}"#),
        body("evt_list", "[]"),
        body("evt_null", "null"),
        body("evt_bare", r#"{"customer":"cus_1"}"#),
        body("evt_mistyped", r#"{"id":"sub_1","customer":7,"status":["active"]}"#),
        body("evt_many", r#"{"id":"sub_1","customer":"cus_1","status":"active","items":{"data":[{"id":"si_1","quantity":9e18}]}}"#),
        r#"{"id":"evt_empty","type":"customer.subscription.updated"}"#.to_owned(),
        r#"{"id":"evt_invoice","type":"invoice.paid","created":1,"data":{"object":{"id":5}}}"#.to_owned(),
        r#"{"id":"evt_checkout","type":"checkout.session.completed","created":1,"data":{"object":{}}}"#.to_owned(),
    ];
    for body in &poison {
        deliver_raw(&app, body).await;
    }
    deliver(&app, &change("evt_good", 1, 5)).await;
    until_status(&app, "evt_good", "done").await;
    app.until_count(poison.len().try_into().expect("a few"), "SELECT count(*) FROM webhook_events WHERE status = 'dead'").await;
    assert_eq!(app.count("SELECT max(attempts)::bigint FROM webhook_events").await, 1, "given up at once");
    assert_eq!(app.count("SELECT count(*) FROM webhook_events WHERE status = 'dead' AND last_error IS NULL").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM subscriptions").await, 1);
}

/// What arrives together is kept in one statement.
#[tokio::test]
async fn an_event_of_an_absurd_time_does_not_keep_out_those_beside_it() {
    let app = App::with(SETTINGS).await;
    let times = ["-8000000000000", "8000000000000", "-1", "253402300800", "9223372036854775807", "-9223372036854775808", "null", "1e300"];
    let mut bodies = Vec::new();
    for (number, time) in times.into_iter().enumerate() {
        bodies.push(format!(r#"{{"id":"evt_{number}","type":"x.y","created":{time}}}"#));
        bodies.push(change(&format!("evt_good_{number}"), number, 1).to_string());
    }
    let client = app.anon();
    let answers = futures::future::join_all(bodies.iter().map(|body| delivery(&client, body.as_bytes()).send())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), bodies.len());
    app.until_count(8, "SELECT count(*) FROM webhook_events WHERE status = 'done'").await;
}

#[tokio::test]
async fn what_the_database_refuses_is_tried_again_with_growing_pauses_and_given_up_in_the_end() {
    let app = App::with(SETTINGS).await;
    app.sql("ALTER TABLE subscriptions ADD CONSTRAINT refused CHECK (customer <> 'cus_1')").await;
    deliver(&app, &change("evt_bad", 1, 1)).await;
    deliver(&app, &change("evt_good", 2, 1)).await;
    until_status(&app, "evt_good", "done").await;
    let mut longest = 0.0_f64;
    for attempt in 1..15 {
        let ended =
            format!("SELECT count(*) FROM webhook_events WHERE event_key = 'evt_bad' AND attempts >= {attempt} AND last_error IS NOT NULL");
        app.until_count(1, &ended).await;
        let pause = "SELECT extract(epoch FROM due_at - now())::text FROM webhook_events WHERE event_key = 'evt_bad'";
        let pause: f64 = app.text(pause).await.parse().expect("a number");
        // A short pause may have ended by itself meanwhile.
        let made = app.count("SELECT attempts::bigint FROM webhook_events WHERE event_key = 'evt_bad'").await;
        let made = i32::try_from(made).expect("a number");
        assert!(pause <= f64::min(3600.0, f64::powi(2.0, made - 1)), "after attempt {made}: {pause} s");
        longest = longest.max(pause);
        app.sql("UPDATE webhook_events SET due_at = now(), last_error = NULL WHERE status = 'pending'").await;
    }
    assert!(longest > 60.0, "the pauses grow: {longest} s at most");
    until_status(&app, "evt_bad", "dead").await;
    let error = app.text("SELECT last_error FROM webhook_events WHERE event_key = 'evt_bad'").await;
    assert!(error.contains("refused"), "{error}");
    assert_eq!(app.count("SELECT count(*) FROM subscriptions WHERE customer = 'cus_1'").await, 0);

    // Somebody mends it and has it processed again.
    app.sql("ALTER TABLE subscriptions DROP CONSTRAINT refused").await;
    let id = app.text("SELECT id::text FROM webhook_events WHERE event_key = 'evt_bad'").await;
    let admin = app.admin().await.client;
    admin.post(&format!("/api/admin/webhook-events/{id}/replay")).send().await.expect(200);
    until_status(&app, "evt_bad", "done").await;
    assert_eq!(app.count("SELECT attempts::bigint FROM webhook_events WHERE event_key = 'evt_bad'").await, 1);
    assert_eq!(app.count("SELECT count(*) FROM subscriptions WHERE customer = 'cus_1'").await, 1);
}

#[tokio::test]
async fn events_of_the_other_mode_and_of_other_accounts_are_ignored() {
    let app = App::with(&[SETTINGS, &[("STRIPE_SECRET_KEY", "sk_test_x"), ("STRIPE_API_BASE", "http://127.0.0.1:9")]].concat()).await;
    let mut live = change("evt_live", 1, 1);
    live["livemode"] = json!(true);
    let mut connected = change("evt_connected", 2, 1);
    connected["account"] = json!("acct_1");
    for event in [&live, &connected] {
        deliver(&app, event).await;
    }
    for key in ["evt_live", "evt_connected"] {
        until_status(&app, key, "ignored").await;
    }
    assert_eq!(app.count("SELECT count(*) FROM subscriptions").await, 0);
    // The account it is told of is its own.
    let ours = App::with(&[SETTINGS, &[("STRIPE_ACCOUNT", "acct_1")]].concat()).await;
    let mut connected = change("evt_ours", 2, 1);
    connected["account"] = json!("acct_1");
    deliver(&ours, &connected).await;
    deliver(&ours, &change("evt_platform", 3, 1)).await;
    until_status(&ours, "evt_ours", "done").await;
    until_status(&ours, "evt_platform", "ignored").await;
    assert_eq!(status(&ours, "evt_ours").await, "done");
}

/// Its delays, in seconds: the median, and what one of a hundred exceeds.
async fn delays(app: &App, like: &str) -> Vec<f64> {
    let delay = format!(
        "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM processed_at - received_at)::float8) \
         FROM webhook_events WHERE event_key LIKE '{like}'"
    );
    app.database.connect().await.query_one(&delay, &[]).await.expect("the test's SQL").get(0)
}

#[tokio::test]
async fn an_event_has_its_effect_soon_after_it_is_acknowledged() {
    let app = App::with(SETTINGS).await;
    for number in 0..100 {
        let key = format!("evt_calm_{number}");
        deliver(&app, &change(&key, number % 20, 1)).await;
        until_status(&app, &key, "done").await;
    }
    let calm = delays(&app, "evt_calm_%").await;
    for number in 0..500 {
        deliver(&app, &change(&format!("evt_busy_{number}"), number % 20, 1)).await;
    }
    app.until_count(600, "SELECT count(*) FROM webhook_events WHERE status = 'done'").await;
    let busy = delays(&app, "evt_busy_%").await;
    println!("from received to processed, in seconds, p50 and p99: {calm:?} at rest, {busy:?} when they come without a pause");
    assert!(calm[0] < 1.0, "{calm:?}");
}

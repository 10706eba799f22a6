//! `handrail worker`: what is done beside requests, in a process of its own.

use serde_json::json;
use tests::{Database, Program};
use webhooks::{Provider, Secret, stripe};

const SECRET: &str = "whsec_a_secret";

#[tokio::test]
async fn a_worker_alone_does_what_a_server_without_one_leaves() {
    let database = Database::cloned().await;
    let variables = [("DATABASE_URL", database.url.as_str()), ("PORT", "0"), ("STRIPE_WEBHOOKS_SECRET", SECRET)];
    let server = Program::start(&["serve"], &[&variables[..], &[("WORKER", "false")]].concat());
    let client = server.client();
    while client.get("/readyz").try_send().await.is_ok_and(|status| status != 200) {
        tokio::task::yield_now().await;
    }
    let body = json!({ "id": "evt_1", "type": "something.unknown", "data": { "object": { "id": "x" } } }).to_string();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    let secret = Secret::parse(Provider::Stripe, SECRET).expect("a secret");
    let signature = stripe::sign(&[secret], i64::try_from(now).expect("seconds"), body.as_bytes());
    client.post("/api/webhooks/stripe").header("stripe-signature", &signature).body("application/json", body).send().await.expect(200);
    let pending = "SELECT count(*) FROM webhook_events WHERE status = 'pending' AND attempts = 0";
    let connection = database.connect().await;
    let count = async |query: &str| connection.query_one(query, &[]).await.expect("a count").get::<_, i64>(0);
    assert_eq!(count(pending).await, 1, "nobody works on it");

    let mut worker = Program::start(&["worker"], &variables);
    worker.expect_line("something.unknown evt_1: ignored");
    tests::eventually("it is ended", async || count("SELECT count(*) FROM webhook_events WHERE status = 'ignored'").await == 1).await;
    worker.terminate();
    assert!(worker.wait().success(), "{}", worker.output());
}

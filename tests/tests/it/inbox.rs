//! The inbox under faults: what was acknowledged gets its effect, once, whatever breaks meanwhile.

mod crashes;
mod leases;
mod poison;
mod stripe;

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database};
use webhooks::{Provider, Secret};

const SECRET: &str = "whsec_a_secret_of_the_endpoint";

/// What a server is to know to take events in.
const SETTINGS: &[(&str, &str)] = &[("STRIPE_WEBHOOKS_SECRET", SECRET)];

/// The header that signs this body now.
fn signature(body: &[u8]) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    webhooks::stripe::sign(&[Secret::parse(Provider::Stripe, SECRET).expect("a secret")], now.try_into().expect("seconds"), body)
}

/// A delivery, signed and not yet sent.
fn delivery(client: &Client, body: &[u8]) -> tests::Request {
    let request = client.post("/api/webhooks/stripe").header("stripe-signature", &signature(body));
    request.body("application/json; charset=utf-8", body.to_vec())
}

/// Delivers an event, as it is.
async fn deliver_raw(app: &App, body: &str) -> Answer {
    delivery(&app.anon(), body.as_bytes()).send().await.expect(200)
}

async fn deliver(app: &App, event: &Value) -> Answer {
    deliver_raw(app, &event.to_string()).await
}

/// The `version`th change of a subscription: it has so many seats then.
fn change(id: &str, subscription: usize, version: u32) -> Value {
    json!({
        "id": id, "object": "event", "type": "customer.subscription.updated", "created": 1_750_000_000 + version, "livemode": false,
        "api_version": "2025-03-31.basil",
        "data": { "object": {
            "id": format!("sub_{subscription}"), "object": "subscription", "customer": format!("cus_{subscription}"), "status": "active",
            "created": 1_750_000_000, "livemode": false, "cancel_at_period_end": false, "metadata": {},
            "items": { "data": [{ "id": format!("si_{subscription}"), "quantity": version,
                "price": { "id": "price_1", "product": "prod_1" },
                "current_period_start": 1_750_000_000, "current_period_end": 1_760_000_000 }] },
        } },
    })
}

/// Has the database count how often each event was ended as done; its effect is in the same transaction.
async fn count_ends(database: &Database) {
    let statements = "CREATE TABLE ends (event uuid); \
        CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ends VALUES (NEW.id); RETURN NULL; END $$; \
        CREATE TRIGGER note_end AFTER UPDATE ON webhook_events FOR EACH ROW WHEN (NEW.status = 'done') EXECUTE FUNCTION note_end()";
    database.connect().await.batch_execute(statements).await.expect("a trigger");
}

/// How often an event was done more than once.
const TWICE: &str = "SELECT count(*) - count(DISTINCT event) FROM ends";

/// The state of an event.
async fn status(app: &App, key: &str) -> String {
    app.text(&format!("SELECT status FROM webhook_events WHERE event_key = '{key}'")).await
}

async fn until_status(app: &App, key: &str, wanted: &str) {
    app.until_count(1, &format!("SELECT count(*) FROM webhook_events WHERE event_key = '{key}' AND status = '{wanted}'")).await;
}

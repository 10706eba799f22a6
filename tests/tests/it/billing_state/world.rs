//! A database with organisations in it, and Stripe's words about them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{
    OrgId, UserId,
    billing::{Billing, Checkout, Invoice, Mark, Price, Product, Progress, Subscription, Verdict},
};
use persistence::{
    Db, Sizes,
    billing::{self, Applied, CheckedOut, Link},
    orgs::{self, Admin, Member, Proof},
};
use serde_json::{Value, json};
use tests::Database;
use tokio_postgres::Client;

pub(super) const DAY: i64 = 86_400;
pub(super) const GRACE: Duration = Duration::from_secs(7 * 86_400);

pub(super) struct World {
    pub(super) db: Db,
    sql: Client,
    _database: Database,
}

impl World {
    pub(super) async fn new() -> Self {
        let database = Database::cloned().await;
        let wait = Duration::from_secs(20);
        let sizes = Sizes { pool: 16, pipelines: 1, pool_wait: wait, read: wait };
        let db = Db::new(database.connector().into(), sizes, std::sync::Arc::default());
        let sql = database.connect().await;
        Self { db, sql, _database: database }
    }

    /// A new organisation, and the proof that its owner administrates it.
    pub(super) async fn org(&self) -> (OrgId, Member, Admin) {
        let (org, user) = (OrgId::new(), UserId::new());
        self.run(&format!(
            "INSERT INTO users (id, email, name) VALUES ('{user}', '{user}@example.com', 'Ada');
             INSERT INTO organisations (id, name, slug) VALUES ('{org}', 'Acme', '{org}');
             INSERT INTO memberships (org_id, user_id, role) VALUES ('{org}', '{user}', 'owner');"
        ))
        .await;
        let member = orgs::membership(&self.db, org, user).await.expect("a query").expect("a membership");
        (org, member, Admin::of(member).expect("an administrator"))
    }

    pub(super) async fn run(&self, statements: &str) {
        self.sql.batch_execute(statements).await.expect("the test's SQL");
    }

    pub(super) async fn text(&self, query: &str) -> String {
        self.sql.query_one(query, &[]).await.expect("the test's SQL").get::<_, Option<String>>(0).unwrap_or_default()
    }

    /// All that is kept of subscriptions, but for when it last changed.
    pub(super) async fn subscriptions(&self) -> String {
        self.text(
            "SELECT jsonb_agg(to_jsonb(s) - 'updated_at' || jsonb_build_object('items',
               (SELECT jsonb_agg(i ORDER BY i.id) FROM subscription_items i WHERE i.subscription_id = s.id)) ORDER BY s.id)::text
             FROM subscriptions s",
        )
        .await
    }

    pub(super) async fn subscription(&self, value: &Value, mark: Mark) -> Applied {
        let said = Subscription::read(value).expect("a subscription");
        billing::in_subject(&self.db, &alone(), async |conn, _| billing::apply_subscription(conn, &said, mark).await)
            .await
            .expect("applied")
    }

    pub(super) async fn invoice(&self, value: &Value, mark: Mark) -> Applied {
        let said = Invoice::read(value).expect("an invoice");
        billing::in_subject(&self.db, &alone(), async |conn, _| billing::apply_invoice(conn, &said, mark).await).await.expect("applied")
    }

    pub(super) async fn checkout(&self, event: &str, value: &Value) -> CheckedOut {
        let said = Checkout::read(value).expect("a session");
        let progress = Progress::of_event(&format!("checkout.session.{event}"), &said).expect("progress");
        billing::in_subject(&self.db, &alone(), async |conn, _| billing::apply_checkout(conn, &said, progress).await)
            .await
            .expect("applied")
    }

    pub(super) async fn product(&self, id: &str, metadata: Value, mark: Mark) -> Verdict {
        let said = Product::read(&json!({ "id": id, "name": id, "metadata": metadata })).expect("a product");
        billing::in_subject(&self.db, &alone(), async |conn, _| billing::apply_product(conn, &said, mark).await).await.expect("applied")
    }

    pub(super) async fn price(&self, id: &str, product: &str, mark: Mark) -> Verdict {
        let value = json!({ "id": id, "product": product, "currency": "eur", "unit_amount": 900, "recurring": { "interval": "month" } });
        let said = Price::read(&value).expect("a price");
        billing::in_subject(&self.db, &alone(), async |conn, _| billing::apply_price(conn, &said, mark).await).await.expect("applied")
    }

    pub(super) async fn link(&self, org: OrgId, customer: &str) -> Link {
        billing::in_subject(&self.db, &alone(), async |conn, _| billing::link_customer(conn, org, customer, Some(false)).await)
            .await
            .expect("a link")
    }

    pub(super) async fn show(&self, member: &Member) -> Billing {
        billing::show(&self.db, member, GRACE).await.expect("the billing state")
    }
}

/// A subject of nobody else's: what an effect locks by itself is all there is.
fn alone() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).expect("a time")
}

/// A subscription of `cus_1`.
pub(super) fn subscription(status: &str, quantity: u32) -> Value {
    json!({
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": status, "created": 1000,
        "items": { "data": [
            { "id": "si_1", "quantity": quantity, "price": { "id": "price_1", "product": "prod_pro" } },
            { "id": "si_B", "price": { "id": "price_2", "product": "prod_use" } },
        ] },
    })
}

pub(super) fn invoice(id: &str, status: &str, created: i64) -> Value {
    json!({
        "id": id, "customer": "cus_1", "subscription": "sub_1", "status": status, "currency": "eur", "amount_due": 900, "amount_paid": 0,
        "created": created, "attempt_count": 1, "hosted_invoice_url": "https://invoice.example.com/1",
    })
}

pub(super) fn checkout(id: &str, org: &str, customer: Option<&str>, payment_status: &str) -> Value {
    json!({
        "id": id, "object": "checkout.session", "mode": "subscription", "payment_status": payment_status, "customer": customer,
        "subscription": "sub_1", "client_reference_id": org,
    })
}

pub(super) fn event(second: i64, kind: &str) -> Mark {
    Mark::event(time(second), &format!("customer.subscription.{kind}"))
}

pub(super) fn permutations<T: Clone>(rest: &[T]) -> Vec<Vec<T>> {
    if rest.is_empty() {
        return vec![Vec::new()];
    }
    let with = |index: usize| {
        let mut others = rest.to_vec();
        let first = others.remove(index);
        permutations(&others).into_iter().map(move |tail| [vec![first.clone()], tail].concat())
    };
    (0..rest.len()).flat_map(with).collect()
}

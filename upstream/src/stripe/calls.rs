//! The calls: what goes out, and what of the answer is needed here.

use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{Error, EventFilter, List, Object, Page, Stripe, form::Form};

/// The most bytes of an id.
const ID_BYTES_MAX: usize = 255;

/// Who is to pay.
#[derive(Debug, Clone, Copy)]
pub struct NewCustomer<'a> {
    /// Where receipts go.
    pub email: &'a str,
    /// The name on invoices.
    pub name: &'a str,
    /// Our organisation, kept as `metadata[org_id]`.
    pub org_id: &'a str,
}

/// A subscription to be paid for at Stripe's check-out.
#[derive(Debug, Clone, Copy)]
pub struct NewCheckout<'a> {
    /// Stripe's id of the customer.
    pub customer: &'a str,
    /// Stripe's id of the price.
    pub price: &'a str,
    /// How many of it.
    pub quantity: u32,
    /// Our organisation, kept as `client_reference_id`, and as `metadata[org_id]` of the session and of the subscription it leads to.
    pub org_id: &'a str,
    /// Where the browser goes when it is done; Stripe puts the session's id where it says `{CHECKOUT_SESSION_ID}`.
    pub success_url: &'a str,
    /// Where the browser goes when the customer turns back.
    pub cancel_url: &'a str,
    /// Days before the first payment; 1 to 730, Stripe's bounds.
    pub trial_days: Option<u32>,
}

/// A check-out that waits for its customer, for 24 hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutSession {
    /// Its id: `cs_…`.
    pub id: String,
    /// Where to send the browser.
    pub url: Url,
}

#[derive(Deserialize)]
struct Session {
    id: String,
    url: Url,
}

/// Every call fails as [`Error`] says: it is tried again where that helps before it does.
impl Stripe {
    /// Makes a customer, once per idempotency key (which Stripe remembers for a day at least).
    pub async fn create_customer(&self, idempotency_key: &str, new: &NewCustomer<'_>) -> Result<Object, Error> {
        let form = Form::default().with("email", new.email).with("name", new.name).with("metadata[org_id]", new.org_id);
        Object::parse(&self.post(&["customers"], idempotency_key, form).await?)
    }

    /// Begins a check-out for a subscription, once per idempotency key.
    pub async fn create_checkout(&self, idempotency_key: &str, new: &NewCheckout<'_>) -> Result<CheckoutSession, Error> {
        let form = Form::default()
            .with("mode", "subscription")
            .with("customer", new.customer)
            .with("line_items[0][price]", new.price)
            .with("line_items[0][quantity]", &new.quantity)
            .with("client_reference_id", new.org_id)
            .with("metadata[org_id]", new.org_id)
            .with("subscription_data[metadata][org_id]", new.org_id)
            .with_some("subscription_data[trial_period_days]", new.trial_days.as_ref())
            .with("success_url", new.success_url)
            .with("cancel_url", new.cancel_url);
        let Session { id, url } = session(&self.post(&["checkout", "sessions"], idempotency_key, form).await?)?;
        Ok(CheckoutSession { id, url })
    }

    /// A page on which the customer changes or ends the subscription; good for a few minutes.
    pub async fn create_portal(&self, customer: &str, return_url: &str) -> Result<Url, Error> {
        let form = Form::default().with("customer", customer).with("return_url", return_url);
        // For the retries of this one call: two calls may well make two pages.
        let key = Uuid::new_v4().to_string();
        Ok(session(&self.post(&["billing_portal", "sessions"], &key, form).await?)?.url)
    }

    /// A subscription as it is now.
    pub async fn subscription(&self, id: &str) -> Result<Object, Error> {
        self.one("subscriptions", id).await
    }

    /// Subscriptions of every status, ended ones too; those of one customer, or all.
    pub async fn subscriptions(&self, customer: Option<&str>, page: &Page) -> Result<List, Error> {
        self.some("subscriptions", Form::default().with("status", "all").with_some("customer", customer), page).await
    }

    /// Events, to catch up with what was not delivered.
    pub async fn events(&self, filter: &EventFilter, page: &Page) -> Result<List, Error> {
        self.some("events", filter.form(), page).await
    }

    /// An event; Stripe keeps them for 30 days.
    pub async fn event(&self, id: &str) -> Result<Object, Error> {
        self.one("events", id).await
    }

    /// Products that are on sale.
    pub async fn products(&self, page: &Page) -> Result<List, Error> {
        self.some("products", Form::default().with("active", &true), page).await
    }

    /// Prices that are on sale.
    pub async fn prices(&self, page: &Page) -> Result<List, Error> {
        self.some("prices", Form::default().with("active", &true), page).await
    }

    /// An invoice as it is now.
    pub async fn invoice(&self, id: &str) -> Result<Object, Error> {
        self.one("invoices", id).await
    }

    /// A customer as it is now. One that was deleted is answered with `"deleted": true` and little else.
    pub async fn customer(&self, id: &str) -> Result<Object, Error> {
        self.one("customers", id).await
    }

    async fn one(&self, kind: &str, id: &str) -> Result<Object, Error> {
        // Ids come out of events; one with a slash or a dot in it would ask for something else.
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !(1..=ID_BYTES_MAX).contains(&id.len()) || !id.bytes().all(usual) {
            return Err(Error::NotFound);
        }
        Object::parse(&self.get(&[kind, id], Form::default()).await?)
    }

    async fn some(&self, kind: &str, form: Form, page: &Page) -> Result<List, Error> {
        page.parse(&self.get(&[kind], page.add_to(form)).await?)
    }
}

/// Reads an answer that leads to a page; browsers are sent there, so nothing but the web will do.
fn session(body: &[u8]) -> Result<Session, Error> {
    let session: Session = serde_json::from_slice(body).map_err(|_| Error::Garbage("it is no session with an address"))?;
    if matches!(session.url.scheme(), "http" | "https") { Ok(session) } else { Err(Error::Garbage("its address is not on the web")) }
}

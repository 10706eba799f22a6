//! The client against the fake, over real sockets; and the fake's own pages and webhooks.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod calls;
mod deliveries;
mod failures;
mod lifecycle;
mod pages;
mod receiver;

use std::time::Duration;

use fake_stripe::{FakeStripe, Settings};
use upstream::stripe::{CheckoutSession, NewCheckout, NewCustomer, Stripe};

const KEY: &str = "sk_test_fake";
const SECRET: &str = "whsec_test";

fn settings() -> Settings {
    Settings::for_test(SECRET).expect("settings")
}

fn fake() -> FakeStripe {
    FakeStripe::start(settings()).expect("a fake")
}

/// A client with quick time-outs.
fn client(fake: &FakeStripe) -> Stripe {
    client_with(fake, |_| {})
}

fn client_with(fake: &FakeStripe, change: impl FnOnce(&mut upstream::stripe::Settings)) -> Stripe {
    let mut settings = upstream::stripe::Settings {
        api_base: fake.base_url.clone(),
        timeout: Duration::from_secs(2),
        deadline: Duration::from_secs(5),
        ..upstream::stripe::Settings::new(KEY)
    };
    change(&mut settings);
    Stripe::new(settings).expect("a client")
}

fn http() -> reqwest::Client {
    upstream::tls::install();
    let builder = reqwest::Client::builder().tls_certs_only([]).no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().expect("an HTTP client")
}

const ADA: NewCustomer<'_> = NewCustomer { email: "ada@example.com", name: "Ada & Söhne", org_id: "org-1" };

async fn customer(stripe: &Stripe) -> String {
    stripe.create_customer("customer:org-1", &ADA).await.expect("a customer").id
}

fn checkout(customer: &str) -> NewCheckout<'_> {
    NewCheckout {
        customer,
        price: "price_team_monthly",
        quantity: 2,
        org_id: "org-1",
        success_url: "http://app.example/done?session={CHECKOUT_SESSION_ID}",
        cancel_url: "http://app.example/plans",
        trial_days: None,
    }
}

/// A customer and a check-out that waits for it.
async fn session(stripe: &Stripe) -> (String, CheckoutSession) {
    let customer = customer(stripe).await;
    let session = stripe.create_checkout("checkout:1", &checkout(&customer)).await.expect("a session");
    (customer, session)
}

/// A customer who has paid for a subscription: their ids.
async fn subscribed(fake: &FakeStripe, stripe: &Stripe) -> (String, String) {
    let (customer, session) = session(stripe).await;
    (customer, fake.pay(&session.id).expect("a subscription"))
}

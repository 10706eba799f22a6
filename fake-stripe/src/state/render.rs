//! Objects as Stripe writes them, in both shapes.

use serde_json::{Value, json};

use super::{Customer, Interval, Invoice, Portal, Price, Product, Session, SessionStatus, State, Subscription};
use crate::Shape;

const CURRENCY: &str = "usd";

impl Customer {
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": self.id, "object": "customer", "created": self.created, "livemode": false, "email": self.email, "name": self.name,
            "metadata": self.metadata, "balance": 0, "currency": null, "delinquent": !self.pays, "default_source": null,
            "description": null, "phone": null, "address": null, "shipping": null,
            "invoice_settings": { "default_payment_method": null },
        })
    }
}

impl Product {
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": self.id, "object": "product", "created": self.created, "updated": self.updated, "livemode": false, "active": self.active,
            "name": self.name, "description": self.description, "metadata": self.metadata, "images": [], "marketing_features": [],
            "default_price": null, "type": "service", "unit_label": null, "url": null,
        })
    }
}

impl Price {
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": self.id, "object": "price", "created": self.created, "livemode": false, "active": self.active, "currency": CURRENCY,
            "product": self.product, "unit_amount": self.unit_amount, "unit_amount_decimal": self.unit_amount.to_string(),
            "type": "recurring", "billing_scheme": "per_unit", "tiers_mode": null, "nickname": null, "metadata": {},
            "lookup_key": self.lookup_key, "tax_behavior": "unspecified",
            "recurring": { "interval": self.interval.name(), "interval_count": 1, "usage_type": "licensed", "trial_period_days": null },
        })
    }
}

impl Session {
    /// The session; its page has an address while it is open.
    pub(crate) fn render(&self, base_url: &str, amount: i64) -> Value {
        let (status, payment_status) = match self.status {
            SessionStatus::Open => ("open", "unpaid"),
            SessionStatus::Complete if amount == 0 => ("complete", "no_payment_required"),
            SessionStatus::Complete => ("complete", "paid"),
            SessionStatus::Expired => ("expired", "unpaid"),
        };
        let url = (self.status == SessionStatus::Open).then(|| format!("{base_url}/checkout/{}", self.id));
        json!({
            "id": self.id, "object": "checkout.session", "created": self.created, "livemode": false, "mode": "subscription",
            "status": status, "payment_status": payment_status, "url": url, "expires_at": self.expires_at, "customer": self.customer,
            "client_reference_id": self.client_reference_id, "metadata": self.metadata, "subscription": self.subscription,
            "invoice": self.invoice, "success_url": self.success_url, "cancel_url": self.cancel_url, "currency": CURRENCY,
            "amount_subtotal": amount, "amount_total": amount, "payment_method_types": ["card"], "ui_mode": "hosted",
        })
    }
}

impl Portal {
    pub(crate) fn render(&self, base_url: &str) -> Value {
        json!({
            "id": self.id, "object": "billing_portal.session", "created": self.created, "livemode": false, "customer": self.customer,
            "return_url": self.return_url, "url": format!("{base_url}/portal/{}", self.id), "locale": null, "flow": null,
        })
    }
}

impl State {
    /// A subscription in the shape in force.
    pub(crate) fn render_subscription(&self, subscription: &Subscription) -> Value {
        let Subscription { period_start, period_end, trial_end, .. } = subscription;
        let price = self.prices.iter().find(|price| price.id == subscription.price).map(Price::render);
        let mut item = json!({
            "id": subscription.item, "object": "subscription_item", "created": subscription.created, "metadata": {},
            "subscription": subscription.id, "quantity": subscription.quantity, "price": price,
        });
        let mut whole = json!({
            "id": subscription.id, "object": "subscription", "created": subscription.created, "livemode": false,
            "start_date": subscription.created, "customer": subscription.customer, "metadata": subscription.metadata,
            "status": subscription.status.name(), "currency": CURRENCY, "collection_method": "charge_automatically",
            "cancel_at_period_end": subscription.cancel_at_period_end, "canceled_at": subscription.canceled_at,
            "cancel_at": subscription.cancel_at_period_end.then_some(period_end), "ended_at": subscription.ended_at,
            "trial_start": trial_end.map(|_| subscription.created), "trial_end": trial_end, "pause_collection": null,
            "latest_invoice": subscription.latest_invoice, "default_payment_method": null, "schedule": null,
            "billing_cycle_anchor": trial_end.unwrap_or(subscription.created), "cancellation_details": { "reason": null },
        });
        let holder = if self.settings.shape == Shape::Basil { &mut item } else { &mut whole };
        set(holder, "current_period_start", json!(period_start));
        set(holder, "current_period_end", json!(period_end));
        let url = format!("/v1/subscription_items?subscription={}", subscription.id);
        set(&mut whole, "items", json!({ "object": "list", "data": [item], "has_more": false, "url": url }));
        whole
    }

    /// An invoice in the shape in force.
    pub(crate) fn render_invoice(&self, invoice: &Invoice) -> Value {
        let Invoice { id, subscription, amount, paid, .. } = invoice;
        let price = self.prices.iter().find(|price| price.id == invoice.price);
        let product = price.map(|price| &price.product);
        let period = json!({ "start": invoice.period_start, "end": invoice.period_end });
        let mut line = json!({
            "id": format!("il_{id}"), "object": "line_item", "amount": amount, "currency": CURRENCY, "quantity": invoice.quantity,
            "period": period, "livemode": false, "metadata": {}, "description": price.map(described),
        });
        let mut whole = json!({
            "id": id, "object": "invoice", "created": invoice.created, "livemode": false, "customer": invoice.customer,
            "status": if *paid { "paid" } else { "open" }, "currency": CURRENCY, "billing_reason": invoice.reason,
            "amount_due": amount, "amount_paid": if *paid { *amount } else { 0 }, "amount_remaining": if *paid { 0 } else { *amount },
            "total": amount, "subtotal": amount, "attempt_count": invoice.attempts, "attempted": invoice.attempts > 0 || *paid,
            "next_payment_attempt": invoice.next_attempt, "period_start": invoice.period_start, "period_end": invoice.period_end,
            "hosted_invoice_url": format!("{}/invoice/{id}", self.base_url), "number": id.to_uppercase(), "metadata": {},
            "collection_method": "charge_automatically", "auto_advance": !paid,
        });
        if self.settings.shape == Shape::Basil {
            let details = json!({ "subscription": subscription, "metadata": {} });
            set(&mut whole, "parent", json!({ "type": "subscription_details", "subscription_details": details, "quote_details": null }));
            let details = json!({ "price": invoice.price, "product": product });
            set(&mut line, "pricing", json!({ "type": "price_details", "price_details": details }));
        } else {
            set(&mut whole, "subscription", json!(subscription));
            set(&mut whole, "paid", json!(paid));
            set(&mut line, "price", price.map(Price::render).unwrap_or_default());
            set(&mut line, "subscription", json!(subscription));
        }
        let url = format!("/v1/invoices/{id}/lines");
        set(&mut whole, "lines", json!({ "object": "list", "data": [line], "has_more": false, "url": url }));
        whole
    }
}

fn described(price: &Price) -> String {
    let often = if price.interval == Interval::Month { "monthly" } else { "yearly" };
    format!("{} ({often})", price.product)
}

/// Sets a field of an object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

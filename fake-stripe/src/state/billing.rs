//! Subscriptions and their invoices: what changes them, and what is told of it.

use super::{Invoice, Refusal, Session, State, Status, Subscription};
use crate::Dunning;

const DAY: i64 = 24 * 60 * 60;
/// After how many days a card that failed is tried again, attempt by attempt.
const ATTEMPTS_AFTER: [i64; 3] = [3, 5, 7];

impl State {
    /// Begins the subscription of a session; gives its id and that of its first invoice.
    pub(crate) fn subscribe(&mut self, session: &Session) -> (String, String) {
        let now = self.now();
        let trial_end = session.trial_days.map(|days| now + days * DAY);
        let (id, item) = (self.id("sub"), self.id("si"));
        let subscription = Subscription {
            id: id.clone(),
            item,
            created: now,
            customer: session.customer.clone(),
            price: session.price.clone(),
            quantity: session.quantity,
            metadata: session.subscription_metadata.clone(),
            status: if trial_end.is_some() { Status::Trialing } else { Status::Active },
            period_start: now,
            period_end: trial_end.unwrap_or_else(|| self.period_end(&session.price, now)),
            trial_end,
            trial_told: false,
            cancel_at_period_end: false,
            canceled_at: None,
            ended_at: None,
            latest_invoice: None,
            next_attempt: None,
        };
        self.subscriptions.push(subscription);
        let invoice = self.draw_up(&id, "subscription_create");
        let object = self.subscription_json(&id);
        self.emit("customer.subscription.created", object);
        self.settle(&invoice);
        (id, invoice)
    }

    /// Moves a subscription to another price. Where that is due at another rhythm, its period begins anew and is paid at once.
    pub(crate) fn change_price(&mut self, id: &str, price: &str) -> Result<(), Refusal> {
        let (old, new) = (self.live(id)?.price.clone(), self.price(price, "price")?.interval);
        let anew = self.price(&old, "price")?.interval != new;
        let (now, end) = (self.now(), self.period_end(price, self.now()));
        let trialing = self.subscription(id)?.status == Status::Trialing;
        self.change(id, |subscription| {
            price.clone_into(&mut subscription.price);
            if anew && !trialing {
                (subscription.period_start, subscription.period_end) = (now, end);
            }
        });
        if anew && !trialing {
            self.bill(id, "subscription_update");
        }
        Ok(())
    }

    /// Lets a subscription end with its period, or go on after all.
    pub(crate) fn cancel_at_period_end(&mut self, id: &str, cancel: bool) -> Result<(), Refusal> {
        self.live(id)?;
        let now = self.now();
        self.change(id, |subscription| {
            subscription.cancel_at_period_end = cancel;
            subscription.canceled_at = cancel.then_some(now);
        });
        Ok(())
    }

    /// Ends a subscription now, for good.
    pub(crate) fn cancel_now(&mut self, id: &str) -> Result<(), Refusal> {
        self.live(id)?;
        self.end(id);
        Ok(())
    }

    /// Tries the card again, now.
    pub(crate) fn retry_payment(&mut self, id: &str) -> Result<(), Refusal> {
        if let Some(invoice) = self.live(id)?.latest_invoice.clone() {
            self.charge(&invoice);
        }
        Ok(())
    }

    /// The next period: the subscription ends, or is billed again.
    pub(crate) fn renew(&mut self, id: &str) {
        let Ok(subscription) = self.subscription(id) else { return };
        if subscription.cancel_at_period_end {
            self.end(id);
            return;
        }
        let start = subscription.period_end;
        let end = self.period_end(&subscription.price.clone(), start);
        self.change(id, |subscription| {
            subscription.status = Status::Active;
            (subscription.period_start, subscription.period_end) = (start, end);
        });
        self.bill(id, "subscription_cycle");
    }

    fn bill(&mut self, id: &str, reason: &'static str) {
        let invoice = self.draw_up(id, reason);
        self.tell_invoice("invoice.created", &invoice);
        self.tell_invoice("invoice.finalized", &invoice);
        self.charge(&invoice);
    }

    /// Makes the invoice of the present period; nobody is told.
    fn draw_up(&mut self, id: &str, reason: &'static str) -> String {
        let invoice = self.id("in");
        let Some(subscription) = self.subscriptions.iter_mut().find(|subscription| subscription.id == id) else { return invoice };
        subscription.latest_invoice = Some(invoice.clone());
        let subscription = subscription.clone();
        let price = self.prices.iter().find(|price| price.id == subscription.price);
        let free = subscription.status == Status::Trialing;
        self.invoices.push(Invoice {
            id: invoice.clone(),
            created: self.now(),
            amount: price.filter(|_| !free).map_or(0, |price| price.unit_amount * subscription.quantity),
            customer: subscription.customer,
            subscription: subscription.id,
            price: subscription.price,
            quantity: subscription.quantity,
            paid: false,
            attempts: 0,
            next_attempt: None,
            reason,
            period_start: subscription.period_start,
            period_end: subscription.period_end,
        });
        invoice
    }

    /// The first invoice, which check-out has seen paid already.
    fn settle(&mut self, invoice: &str) {
        self.tell_invoice("invoice.created", invoice);
        self.tell_invoice("invoice.finalized", invoice);
        self.paid(invoice);
    }

    /// Tries the card for an invoice that is open.
    pub(crate) fn charge(&mut self, id: &str) {
        let Some(invoice) = self.invoices.iter().find(|invoice| invoice.id == id && !invoice.paid).cloned() else { return };
        if self.customer(&invoice.customer, "customer").is_ok_and(|customer| customer.pays) {
            self.paid(id);
            self.change(&invoice.subscription, |subscription| {
                subscription.status = Status::Active;
                subscription.next_attempt = None;
            });
            return;
        }
        let days = usize::try_from(invoice.attempts).ok().and_then(|attempt| ATTEMPTS_AFTER.get(attempt));
        let next = days.map(|days| self.now() + days * DAY);
        if let Some(invoice) = self.invoices.iter_mut().find(|invoice| invoice.id == id) {
            invoice.attempts += 1;
            invoice.next_attempt = next;
        }
        self.tell_invoice("invoice.payment_failed", id);
        let subscription = invoice.subscription;
        match (next, self.settings.dunning) {
            (None, Dunning::Cancel) => self.end(&subscription),
            (None, Dunning::Unpaid) => self.stand(&subscription, Status::Unpaid, None),
            (Some(_), _) => self.stand(&subscription, Status::PastDue, next),
        }
    }

    fn stand(&mut self, id: &str, status: Status, next_attempt: Option<i64>) {
        self.change(id, |subscription| {
            subscription.status = status;
            subscription.next_attempt = next_attempt;
        });
    }

    fn paid(&mut self, id: &str) {
        if let Some(invoice) = self.invoices.iter_mut().find(|invoice| invoice.id == id) {
            invoice.paid = true;
            invoice.attempts += u32::from(invoice.amount > 0);
            invoice.next_attempt = None;
        }
        self.tell_invoice("invoice.paid", id);
        self.tell_invoice("invoice.payment_succeeded", id);
    }

    fn end(&mut self, id: &str) {
        let now = self.now();
        let Some(subscription) = self.subscriptions.iter_mut().find(|subscription| subscription.id == id) else { return };
        subscription.status = Status::Canceled;
        subscription.canceled_at = subscription.canceled_at.or(Some(now));
        subscription.ended_at = Some(now);
        subscription.next_attempt = None;
        let object = self.subscription_json(id);
        self.emit("customer.subscription.deleted", object);
    }

    fn change(&mut self, id: &str, how: impl FnOnce(&mut Subscription)) {
        let before = self.subscription_json(id);
        if let Some(subscription) = self.subscriptions.iter_mut().find(|subscription| subscription.id == id) {
            how(subscription);
        }
        let after = self.subscription_json(id);
        self.emit_change("customer.subscription.updated", &before, &after);
    }

    /// A subscription that has not ended.
    fn live(&self, id: &str) -> Result<&Subscription, Refusal> {
        let live = self.subscription(id)?;
        if live.ended_at.is_some() { Err(Refusal::missing("subscription", id, "id")) } else { Ok(live) }
    }

    pub(crate) fn subscription_json(&self, id: &str) -> serde_json::Value {
        self.subscription(id).map(|subscription| self.render_subscription(subscription)).unwrap_or_default()
    }

    fn tell_invoice(&mut self, kind: &str, id: &str) {
        let object = self.invoices.iter().find(|invoice| invoice.id == id).map(|invoice| self.render_invoice(invoice));
        self.emit(kind, object.unwrap_or_default());
    }

    fn period_end(&self, price: &str, start: i64) -> i64 {
        self.price(price, "price").map_or(start, |price| price.interval.after(start))
    }
}

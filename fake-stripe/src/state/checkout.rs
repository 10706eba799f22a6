//! Check-out: from a session to a subscription.

use super::{Metadata, Refusal, Session, SessionStatus, State};

/// How long a session waits, in seconds.
const SESSION_SECONDS: i64 = 24 * 60 * 60;

/// What a session is made of.
pub(crate) struct NewSession {
    pub(crate) customer: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    pub(crate) client_reference_id: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) subscription_metadata: Metadata,
    pub(crate) trial_days: Option<i64>,
    pub(crate) success_url: String,
    pub(crate) cancel_url: Option<String>,
}

impl State {
    /// Begins a check-out.
    pub(crate) fn open_session(&mut self, new: NewSession) -> Session {
        let created = self.now();
        let session = Session {
            id: self.id("cs_test"),
            created,
            expires_at: created + SESSION_SECONDS,
            customer: new.customer,
            price: new.price,
            quantity: new.quantity,
            client_reference_id: new.client_reference_id,
            metadata: new.metadata,
            subscription_metadata: new.subscription_metadata,
            trial_days: new.trial_days,
            success_url: new.success_url,
            cancel_url: new.cancel_url,
            status: SessionStatus::Open,
            subscription: None,
            invoice: None,
        };
        self.sessions.push(session.clone());
        session
    }

    /// What is to be paid now, in cents.
    pub(crate) fn session_amount(&self, session: &Session) -> i64 {
        let price = self.prices.iter().find(|price| price.id == session.price).filter(|_| session.trial_days.is_none());
        price.map_or(0, |price| price.unit_amount * session.quantity)
    }

    /// Pays: the subscription begins, and the session is complete. Gives the subscription's id.
    pub(crate) fn pay_session(&mut self, id: &str) -> Result<String, Refusal> {
        let session = self.session(id)?.clone();
        if session.status != SessionStatus::Open {
            return Err(Refusal::invalid(None, "This Checkout Session is no longer open.", Some("id")));
        }
        if !self.customer(&session.customer, "customer")?.pays {
            return Err(declined());
        }
        let (subscription, invoice) = self.subscribe(&session);
        let Some(kept) = self.sessions.iter_mut().find(|session| session.id == id) else { return Ok(subscription) };
        kept.status = SessionStatus::Complete;
        (kept.subscription, kept.invoice) = (Some(subscription.clone()), Some(invoice));
        let kept = kept.clone();
        let object = kept.render(&self.base_url, self.session_amount(&kept));
        self.emit("checkout.session.completed", object);
        Ok(subscription)
    }

    /// Ends a session that nobody paid.
    pub(crate) fn expire_session(&mut self, id: &str) {
        let Some(session) = self.sessions.iter_mut().find(|session| session.id == id) else { return };
        session.status = SessionStatus::Expired;
        let session = session.clone();
        let object = session.render(&self.base_url, self.session_amount(&session));
        self.emit("checkout.session.expired", object);
    }
}

/// What a card that does not work is answered with.
pub(crate) fn declined() -> Refusal {
    let message = "Your card was declined.".to_owned();
    Refusal { status: 402, kind: "card_error", code: Some("card_declined"), message, param: None }
}

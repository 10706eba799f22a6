//! What an event means: which changes follow from it, or why none do.

use domain::billing::{Checkout, Invoice, Malformed, Mark, Price, Product, Progress, Subscription};
use persistence::inbox::{Claimed, Effect, Outcome, Prepared, Told};
use serde_json::Value;
use upstream::stripe::{Error, Stripe};

use super::{PAUSES, failed};

/// By what events are judged.
#[derive(Clone, Default)]
pub struct Rules {
    /// Stripe's API. With it an event is only a hint that something changed, and the thing itself is asked for; without it what the event
    /// says counts, in the order of `domain::billing`.
    pub stripe: Option<Stripe>,
    /// Whether events are about real money; those of the other kind are ignored. `None` takes both.
    pub live: Option<bool>,
    /// The connected account whose events are ours; without one, those of the platform itself.
    pub account: Option<String>,
}

/// Why an event has no effect now.
enum Trouble {
    /// It says nothing that concerns us.
    Ignored(String),
    /// It cannot be read, and never will be.
    Malformed(String),
    /// Stripe did not answer as it should.
    Stripe(Error),
}

impl From<Malformed> for Trouble {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed.to_string())
    }
}

impl Rules {
    /// Judges an event.
    pub(super) async fn prepare(&self, event: &Claimed) -> Prepared {
        let nothing = |outcome| Prepared { effects: Vec::new(), outcome };
        match self.judge(event).await {
            Ok(effects) => Prepared { effects, outcome: Outcome::Done },
            Err(Trouble::Ignored(reason)) => nothing(Outcome::Ignored(reason)),
            Err(Trouble::Malformed(reason)) => nothing(Outcome::Dead(reason)),
            // A wrong key is mended by an operator: the events wait for that, too.
            Err(Trouble::Stripe(error)) if error.is_permanent() && !matches!(error, Error::Unauthorized) => {
                nothing(Outcome::Dead(error.to_string()))
            }
            Err(Trouble::Stripe(error)) => nothing(not_before(failed(event, error.to_string()), &error)),
        }
    }

    async fn judge(&self, event: &Claimed) -> Result<Vec<Effect>, Trouble> {
        if let (Some(live), Some(given)) = (self.live, event.livemode)
            && live != given
        {
            return Err(Trouble::Ignored(format!("it is of {} mode", if given { "live" } else { "test" })));
        }
        let kind = event.event_type.as_str();
        let unhandled = || Trouble::Ignored(format!("Unhandled event type {kind}"));
        if event.provider != "stripe" {
            return Err(unhandled());
        }
        if event.account != self.account {
            return Err(Trouble::Ignored("it is of another account".to_owned()));
        }
        match kind.split('.').collect::<Vec<_>>().as_slice() {
            ["checkout", "session", _] => self.checkout(event).await,
            ["customer", "subscription", _] => {
                let subscription = Subscription::read(&object(event)?)?;
                Ok(vec![self.subscription(subscription, event).await?])
            }
            ["customer", "deleted"] => {
                let customer = text(&object(event)?, "id").ok_or_else(|| Trouble::Malformed("the customer has no id".to_owned()))?;
                Ok(vec![Effect::CustomerGone(customer)])
            }
            // Not yet an invoice: it has no id.
            ["invoice", "upcoming"] => Err(unhandled()),
            ["invoice", _] => self.invoice(event).await,
            ["product", _] => Ok(vec![Effect::Product(Box::new(Product::read(&object(event)?)?), told(event)?)]),
            ["price", _] => Ok(vec![Effect::Price(Box::new(Price::read(&object(event)?)?), told(event)?)]),
            _ => Err(unhandled()),
        }
    }

    async fn checkout(&self, event: &Claimed) -> Result<Vec<Effect>, Trouble> {
        let checkout = Checkout::read(&object(event)?)?;
        let progress = Progress::of_event(&event.event_type, &checkout);
        let progress = progress.ok_or_else(|| Trouble::Ignored(format!("Unhandled event type {}", event.event_type)))?;
        let began = checkout.subscription.clone();
        let mut effects = vec![Effect::Checkout(Box::new(checkout), progress)];
        effects.extend(self.ask(began.as_deref()).await?);
        Ok(effects)
    }

    async fn invoice(&self, event: &Claimed) -> Result<Vec<Effect>, Trouble> {
        let invoice = Invoice::read(&object(event)?)?;
        let of = invoice.subscription.clone();
        let mut effects = vec![match &self.stripe {
            Some(stripe) => match stripe.invoice(&invoice.id).await {
                Ok(now) => Effect::Invoice(Box::new(Invoice::read(&now.value())?), Told::OnAsking),
                Err(Error::NotFound) => Effect::Invoice(Box::new(invoice), told(event)?),
                Err(error) => return Err(Trouble::Stripe(error)),
            },
            None => Effect::Invoice(Box::new(invoice), told(event)?),
        }];
        effects.extend(self.ask(of.as_deref()).await?);
        Ok(effects)
    }

    /// The state of a subscription: what Stripe says now, or what the event says.
    async fn subscription(&self, said: Subscription, event: &Claimed) -> Result<Effect, Trouble> {
        let now = self.ask(Some(&said.id)).await?;
        match now {
            Some(effect) => Ok(effect),
            None => Ok(Effect::Subscription(Box::new(said), told(event)?)),
        }
    }

    /// What Stripe says of a subscription now; `None` without its API, and when it knows of none.
    async fn ask(&self, id: Option<&str>) -> Result<Option<Effect>, Trouble> {
        let (Some(stripe), Some(id)) = (&self.stripe, id) else { return Ok(None) };
        match stripe.subscription(id).await {
            Ok(now) => Ok(Some(Effect::Subscription(Box::new(Subscription::read(&now.value())?), Told::OnAsking))),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(Trouble::Stripe(error)),
        }
    }
}

/// The same, but no sooner than Stripe asks for.
fn not_before(outcome: Outcome, error: &Error) -> Outcome {
    match (outcome, error) {
        (Outcome::Retry(reason, pause), Error::Busy { retry_after: Some(asked) }) => {
            Outcome::Retry(reason, pause.saturating_add(*asked).min(PAUSES.longest))
        }
        (outcome, _) => outcome,
    }
}

/// The object an event is about.
fn object(event: &Claimed) -> Result<Value, Trouble> {
    let raw = event.raw.as_deref().ok_or_else(|| Trouble::Malformed("its body is no longer kept".to_owned()))?;
    let mut body: Value = serde_json::from_slice(raw).map_err(|error| Trouble::Malformed(format!("its body cannot be read: {error}")))?;
    match body.pointer_mut("/data/object").map(Value::take) {
        Some(object @ Value::Object(_)) => Ok(object),
        _ => Err(Trouble::Malformed("it has no object".to_owned())),
    }
}

fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::to_owned)
}

/// As of when an event is true.
fn told(event: &Claimed) -> Result<Told, Trouble> {
    let created = event.created_at.ok_or_else(|| Trouble::Malformed("it does not say when it happened".to_owned()))?;
    Ok(Told::At(Mark::event(created, &event.event_type)))
}

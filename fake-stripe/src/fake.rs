//! A running fake, and what tests do to it.

use std::{
    fmt, io,
    net::TcpListener,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    Call, Chaos, Delivery, Fault, Refusal, Settings,
    server::{self, Shared},
    state::State,
};

/// How often [`FakeStripe::settled`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A fake that runs in a thread of its own until it is dropped. All methods but [`settled`](Self::settled) act at once.
pub struct FakeStripe {
    /// Where it is, without a slash at the end.
    pub base_url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl FakeStripe {
    /// Starts a fake; it listens when this returns.
    ///
    /// Under `/_fake` it takes as `POST` with a JSON body what the methods do: `pay {session}`, `advance {seconds}`,
    /// `payment {customer, works}`, `retry {subscription}`, `price {subscription, price}`, `cancel {subscription, now}`,
    /// `resume {subscription}`, `product {id, name}`, `sale {price, active}`, `chaos {drop_percent, duplicate_percent, shuffle, delay_ms,
    /// parallel, seed}`, `fail {fault, times}`, `mend {}`, `redeliver {}`, `emit {type, object}`, `webhook_url {url}`; and as `GET`:
    /// `calls`, `deliveries`, `now`, `settled`.
    ///
    /// # Errors
    /// When the address cannot be listened at, or no thread can be had.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen)?;
        let address = listener.local_addr()?;
        let base_url = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let shared = Shared::new(State::new(settings, base_url.clone()));
        let (stop, stopped) = oneshot::channel();
        let run = {
            let shared = Arc::clone(&shared);
            move || server::run(listener, shared, stopped)
        };
        let thread = thread::Builder::new().name("fake-stripe".to_owned()).spawn(run)?;
        Ok(Self { base_url, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Pays a check-out; gives the subscription's id.
    ///
    /// # Errors
    /// When there is no such open session, or the card does not work.
    pub fn pay(&self, session: &str) -> Result<String, Refusal> {
        self.shared.change(|state| state.pay_session(session))
    }

    /// Lets time go by: trials end, periods renew, cards are tried again, sessions expire, each at its time.
    pub fn advance(&self, by: Duration) {
        self.shared.change(|state| state.advance(i64::try_from(by.as_secs()).unwrap_or(i64::MAX)));
    }

    /// The time in unix seconds.
    pub fn now(&self) -> i64 {
        self.shared.state().now()
    }

    /// Makes a customer's card work, or fail from now on.
    ///
    /// # Errors
    /// When there is no such customer.
    pub fn set_payment(&self, customer: &str, works: bool) -> Result<(), Refusal> {
        self.shared.change(|state| state.set_payment(customer, works))
    }

    /// Tries the card for the latest invoice again, now.
    ///
    /// # Errors
    /// When there is no such subscription, or it has ended.
    pub fn retry_payment(&self, subscription: &str) -> Result<(), Refusal> {
        self.shared.change(|state| state.retry_payment(subscription))
    }

    /// Moves a subscription to another price.
    ///
    /// # Errors
    /// When there is no such subscription or price, or it has ended.
    pub fn change_price(&self, subscription: &str, price: &str) -> Result<(), Refusal> {
        self.shared.change(|state| state.change_price(subscription, price))
    }

    /// Lets a subscription end with its period (`true`), or go on after all.
    ///
    /// # Errors
    /// When there is no such subscription, or it has ended.
    pub fn cancel_at_period_end(&self, subscription: &str, cancel: bool) -> Result<(), Refusal> {
        self.shared.change(|state| state.cancel_at_period_end(subscription, cancel))
    }

    /// Ends a subscription now.
    ///
    /// # Errors
    /// When there is no such subscription, or it has ended.
    pub fn cancel_now(&self, subscription: &str) -> Result<(), Refusal> {
        self.shared.change(|state| state.cancel_now(subscription))
    }

    /// Gives a product another name.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn rename_product(&self, product: &str, name: &str) -> Result<(), Refusal> {
        self.shared.change(|state| state.rename_product(product, name))
    }

    /// Puts a price on sale, or takes it off.
    ///
    /// # Errors
    /// When there is no such price.
    pub fn set_price_active(&self, price: &str, active: bool) -> Result<(), Refusal> {
        self.shared.change(|state| state.set_price_active(price, active))
    }

    /// Sends an event of any kind about anything; gives its id.
    pub fn emit(&self, kind: &str, object: Value) -> String {
        self.shared.change(|state| state.emit(kind, object))
    }

    /// Sets where webhooks go; a test's receiver may start later than this.
    pub fn set_webhook_url(&self, url: Option<&str>) {
        self.shared.change(|state| state.settings.webhook_url = url.map(str::to_owned));
    }

    /// Spoils deliveries from the next event on; [`Chaos::default`] mends them.
    pub fn set_chaos(&self, chaos: Chaos) {
        self.shared.change(|state| state.set_chaos(chaos));
    }

    /// Sends everything again that was dropped or has failed.
    pub fn redeliver(&self) {
        self.shared.change(State::redeliver);
    }

    /// Makes the next calls of the API fail, that many or all until [`mend`](Self::mend).
    pub fn fail(&self, fault: Fault, times: Option<u32>) {
        self.shared.change(|state| state.faults.set(fault, times));
    }

    /// Makes the API work again.
    pub fn mend(&self) {
        self.shared.change(|state| state.faults = crate::faults::Faults::default());
    }

    /// The calls of the API so far, refused ones too.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// Every event with how its delivery went, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.state().events.iter().map(crate::state::Event::delivery).collect()
    }

    /// Waits until no delivery is under way or due to be tried again; needs a Tokio runtime.
    pub async fn settled(&self) {
        while !self.shared.state().is_settled() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for FakeStripe {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A server that failed has said so to those who called it.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for FakeStripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FakeStripe({})", self.base_url)
    }
}

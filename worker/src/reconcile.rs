//! Compares what is stored with what Stripe says, and mends it: events that never arrived are taken in, subscriptions that live are asked for
//! again, and so is what is for sale.

pub mod github;

use std::{convert::Infallible, fmt, time::Duration};

use domain::billing::{Malformed, Mark, Price, Product, Subscription};
use persistence::{
    Db, billing,
    inbox::{self, Effect, NewEvent, Told},
};
use serde_json::Value;
use tokio::time::interval;
use upstream::{
    github::Error as GitHubError,
    stripe::{Error as StripeError, EventFilter, List, Object, Page, Stripe},
};

/// How often it is done by itself.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// How long one question to Stripe may hold the lock of its subject.
const BOUND: Duration = Duration::from_secs(20);
/// How many subscriptions are read at a time.
const BATCH: u32 = 100;

/// What was found and mended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Events that Stripe could not deliver, taken in now.
    pub events: usize,
    /// Subscriptions that were asked for.
    pub asked: usize,
    /// Those of them that were other than what was stored.
    pub drifted: usize,
    /// Products and prices that were asked for.
    pub for_sale: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, asked, drifted, for_sale } = self;
        write!(
            f,
            "{events} events taken in, {drifted} of {asked} subscriptions had drifted, {for_sale} products and prices are as Stripe has them"
        )
    }
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Stripe does not answer as it should.
    #[error("Stripe: {0}")]
    Stripe(#[from] StripeError),
    /// GitHub does not answer as it should.
    #[error("GitHub: {0}")]
    GitHub(#[from] GitHubError),
    /// The database does not.
    #[error("database: {0}")]
    Database(#[from] persistence::Error),
}

/// Reconciles until it is dropped, and tells what was found.
pub async fn run(db: &Db, stripe: &Stripe, tell: impl Fn(&Report)) -> Infallible {
    let mut ticks = interval(PAUSE);
    loop {
        ticks.tick().await;
        let reconciled = once(db, stripe).await;
        reconciled.iter().for_each(&tell);
        match reconciled {
            Ok(report) if report.events > 0 || report.drifted > 0 => log::warn!("billing was not as Stripe has it: {report}"),
            Ok(report) => log::info!("billing is as Stripe has it: {report}"),
            Err(error) => log::warn!("billing could not be compared with Stripe, later again: {error}"),
        }
    }
}

/// Compares and mends once.
///
/// # Errors
/// When Stripe or the database does not answer; what was mended until then is.
pub async fn once(db: &Db, stripe: &Stripe) -> Result<Report, Error> {
    let mut report = Report { for_sale: catalogue(db, stripe).await?, ..Report::default() };
    report.events = undelivered(db, stripe).await?;
    let mut after: Option<String> = None;
    loop {
        let live = billing::live_subscriptions(db, after.as_deref(), BATCH).await?;
        for subscription in &live {
            report.asked += 1;
            report.drifted += usize::from(ask_again(db, stripe, subscription).await?);
        }
        after = live.last().map(|last| last.id.clone());
        if live.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
            return Ok(report);
        }
    }
}

/// Asks for a subscription under the lock of its customer; true when it was other than what was stored.
async fn ask_again(db: &Db, stripe: &Stripe, live: &billing::Live) -> Result<bool, Error> {
    let mut trouble = None;
    let asking = async {
        match stripe.subscription(&live.id).await {
            Ok(now) => match Subscription::read(&now.value()) {
                Ok(now) => return Some(Effect::Subscription(Box::new(now), Told::OnAsking)),
                Err(malformed) => log::error!("subscription {} cannot be read: {malformed}", live.id),
            },
            Err(StripeError::NotFound) => log::error!("subscription {} is not known to Stripe", live.id),
            Err(error) => trouble = Some(error),
        }
        None
    };
    let drifted = inbox::refresh(db, &live.customer, BOUND, asking).await?;
    match trouble {
        Some(error) => Err(error.into()),
        None => Ok(drifted),
    }
}

/// Takes in the events that Stripe could not deliver, of as long as it keeps them.
async fn undelivered(db: &Db, stripe: &Stripe) -> Result<usize, Error> {
    let filter = EventFilter { created_from: None, undelivered: true };
    let mut new = 0;
    let mut page = Some(Page::first());
    while let Some(this) = page {
        let list = stripe.events(&filter, &this).await?;
        let events: Vec<NewEvent> = list.objects.iter().map(event).collect();
        new += inbox::insert(db, &events).await?;
        page = list.next;
    }
    Ok(new)
}

fn event(object: &Object) -> NewEvent {
    let raw = object.json().as_bytes();
    crate::inbox::event(webhooks::stripe::fetched(raw), serde_json::json!({}), raw.to_vec())
}

/// Asks for all that is for sale.
async fn catalogue(db: &Db, stripe: &Stripe) -> Result<usize, Error> {
    Ok(all(db, stripe, Sold::Products).await? + all(db, stripe, Sold::Prices).await?)
}

/// What a catalogue is made of.
#[derive(Clone, Copy)]
enum Sold {
    Products,
    Prices,
}

impl Sold {
    async fn page(self, stripe: &Stripe, page: &Page) -> Result<List, StripeError> {
        match self {
            Self::Products => stripe.products(page).await,
            Self::Prices => stripe.prices(page).await,
        }
    }

    fn read(self, value: &Value, told: Told) -> Result<Effect, Malformed> {
        match self {
            Self::Products => Product::read(value).map(|product| Effect::Product(Box::new(product), told)),
            Self::Prices => Price::read(value).map(|price| Effect::Price(Box::new(price), told)),
        }
    }
}

/// Asks for all pages of one of them, and takes over what is in it.
async fn all(db: &Db, stripe: &Stripe, sold: Sold) -> Result<usize, Error> {
    let mut count = 0;
    let mut page = Some(Page::first());
    while let Some(this) = page {
        let asked = billing::now(db).await?;
        let list = sold.page(stripe, &this).await?;
        for object in &list.objects {
            match sold.read(&object.value(), Told::At(Mark::fetched(asked))) {
                Ok(effect) => apply(db, object, effect).await?,
                Err(malformed) => log::error!("{} cannot be read: {malformed}", object.id),
            }
        }
        count += list.objects.len();
        page = list.next;
    }
    Ok(count)
}

async fn apply(db: &Db, object: &Object, effect: Effect) -> persistence::Result<()> {
    inbox::refresh(db, &object.id, BOUND, std::future::ready(Some(effect))).await.map(drop)
}

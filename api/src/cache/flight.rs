//! Making an answer, once for all who wait for it, whoever of them leaves meanwhile.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::rt;
use domain::{Error, Result};
use futures::{FutureExt, future::LocalBoxFuture};
use persistence::revocations::{Belief, Moment};
use tokio::{sync::watch, time::timeout};

use super::{
    Cache, Policy,
    kept::{Kept, Made},
};

/// The longest an answer may take to be made.
const FLIGHT_MAX: Duration = Duration::from_secs(10);
/// How many answers may be made at the same time.
const FLIGHTS_MAX: usize = 1024;

/// The answers that are being made, by key.
#[derive(Default)]
pub(super) struct Flights {
    by_key: Mutex<HashMap<Box<str>, Flight>>,
    count: AtomicUsize,
}

/// An answer that is being made.
#[derive(Clone)]
pub(super) struct Flight {
    /// The moment before anything of it is read.
    pub(super) began: Moment,
    outcome: watch::Receiver<Option<Outcome>>,
}

type Outcome = Result<Arc<Kept>, Arc<Error>>;

impl Flight {
    /// Waits for the answer. `None` when it takes longer than this.
    pub(super) async fn land(mut self, patience: Duration) -> Option<Result<Arc<Kept>>> {
        let landed = timeout(patience, self.outcome.wait_for(Option::is_some)).await.ok()?;
        let outcome = landed.ok().and_then(|outcome| outcome.clone());
        Some(match outcome {
            Some(Ok(kept)) => Ok(kept),
            Some(Err(error)) => Err(again(&error)),
            None => Err(Error::unavailable("the worker that made the answer ended")),
        })
    }

    /// Waits for the answer as long as it may take.
    pub(super) async fn land_at_last(self) -> Result<Arc<Kept>> {
        let late = || Err(Error::unavailable("the answer was not made in time"));
        self.land(FLIGHT_MAX + Duration::from_secs(1)).await.unwrap_or_else(late)
    }
}

/// The same error once more: each who waited for it gets one.
fn again(error: &Error) -> Error {
    let copy = Error::new(error.code(), error.message().to_owned()).with_source(error.causes());
    match error.details() {
        Some(details) => copy.with_details(details.clone()),
        None => copy,
    }
}

impl Cache {
    /// Joins those who wait for this key, or begins to make its answer; says whether it joined. What began before a purge is not joined
    /// after it: that purge would be missed.
    pub(super) fn board(
        self: &Arc<Self>,
        key: &str,
        policy: &Arc<Policy>,
        work: impl FnOnce() -> Result<LocalBoxFuture<'static, Result<Made>>>,
    ) -> Result<(Flight, bool)> {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get(key)
            && self.belief(flight.began, key, policy) != Belief::Purged
        {
            return Ok((flight.clone(), true));
        }
        if self.flights.count.load(Ordering::Acquire) >= FLIGHTS_MAX {
            return Err(Error::unavailable("too many answers are being made"));
        }
        let began = self.revocations.now();
        let work = work()?;
        let (sender, outcome) = watch::channel(None);
        let flight = Flight { began, outcome };
        flights.insert(key.into(), flight.clone());
        drop(flights);
        self.flights.count.fetch_add(1, Ordering::AcqRel);
        let landing = Landing { cache: Arc::clone(self), key: key.into(), began };
        let policy = Arc::clone(policy);
        rt::spawn(async move {
            let outcome = landing.fly(&policy, work).await;
            drop(landing);
            sender.send_replace(Some(outcome.map_err(Arc::new)));
        });
        Ok((flight, false))
    }
}

impl Flights {
    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Flight>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be cleared away when a flight ends, however it does.
struct Landing {
    cache: Arc<Cache>,
    key: Box<str>,
    began: Moment,
}

impl Landing {
    async fn fly(&self, policy: &Policy, work: LocalBoxFuture<'static, Result<Made>>) -> Result<Arc<Kept>> {
        let made = match timeout(FLIGHT_MAX, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(Error::internal("the handler of an answer that is kept panicked")),
            Err(_) => Err(Error::unavailable("the answer was not made in time")),
        };
        let cache = &self.cache;
        match made {
            Ok(made) => {
                let kept = Arc::new(Kept::new(made, self.began));
                cache.keep(&self.key, policy, &kept);
                Ok(kept)
            }
            Err(error) if error.code().status() < 500 => {
                // There is no such answer any more.
                cache.kept.invalidate(&*self.key);
                Err(error)
            }
            Err(error) => {
                if let Some(kept) = cache.kept.get(&*self.key) {
                    // Nobody who gets the old one sees why.
                    slog_scope::warn!("an answer could not be made anew"; "route" => policy.path, "cause" => error.causes());
                    kept.fail(cache.revocations.now());
                }
                Err(error)
            }
        }
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.cache.flights.lock();
        if flights.get(&self.key).is_some_and(|flight| flight.began == self.began) {
            flights.remove(&self.key);
        }
        self.cache.flights.count.fetch_sub(1, Ordering::AcqRel);
    }
}

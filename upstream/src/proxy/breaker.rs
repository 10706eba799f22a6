//! The circuit breaker: a service that keeps failing is left alone for a while, then tried by one call.
//!
//! Source: Michael Nygard, *Release It!*, and <https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker>; when it opens is
//! Hystrix' rule, a share of failures in a rolling window with a least number of calls, so that one caller's few failures open nothing.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Calls are counted for this long.
const WINDOW: Duration = Duration::from_secs(10);
/// It opens for at most so many times the first time.
const GROWTH_MAX: u32 = 8;

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls go through.
    Closed,
    /// One call tries.
    HalfOpen,
    /// Nothing goes through.
    Open,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { since: Instant, calls: u32, failed: u32 },
    Open { until: Instant },
    HalfOpen { since: Instant },
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Counts phases: what is told by calls of an earlier one counts no more.
    era: u64,
    /// How many times the first time it opens for next.
    growth: u32,
}

/// A breaker; its clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    calls_min: u32,
    open: Duration,
    inner: Arc<Mutex<Inner>>,
}

/// A call that may be made. One that is dropped without a word counts as none.
#[derive(Debug)]
pub(crate) struct Permit {
    breaker: Breaker,
    era: u64,
    told: bool,
}

impl Breaker {
    /// Opens for this long when half of the calls in a window fail, which must be at least so many; never when that is 0.
    pub(crate) fn new(calls_min: u32, open: Duration, now: Instant) -> Self {
        let phase = Phase::Closed { since: now, calls: 0, failed: 0 };
        Self { calls_min, open, inner: Arc::new(Mutex::new(Inner { phase, era: 0, growth: 1 })) }
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> State {
        match self.lock().phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// Leave for a call, or how long to wait before asking again.
    pub(crate) fn permit(&self, now: Instant) -> Result<Permit, Duration> {
        let mut inner = self.lock();
        match inner.phase {
            Phase::Closed { .. } => {}
            Phase::Open { until } if now < until => return Err(until - now),
            // A try that takes longer than this is nobody else's problem: the next one tries too.
            Phase::HalfOpen { since } if now < since + self.open => return Err(since + self.open - now),
            Phase::Open { .. } | Phase::HalfOpen { .. } => inner.enter(Phase::HalfOpen { since: now }),
        }
        Ok(Permit { breaker: self.clone(), era: inner.era, told: false })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, era: u64, success: bool, now: Instant) {
        let mut inner = self.lock();
        if inner.era != era {
            return;
        }
        match &mut inner.phase {
            Phase::Closed { since, calls, failed } => {
                if now.saturating_duration_since(*since) > WINDOW {
                    (*since, *calls, *failed) = (now, 0, 0);
                }
                *calls = calls.saturating_add(1);
                *failed = failed.saturating_add(u32::from(!success));
                if self.calls_min > 0 && *calls >= self.calls_min && failed.saturating_mul(2) >= *calls {
                    inner.open(now, self.open);
                }
            }
            Phase::HalfOpen { .. } if success => {
                inner.growth = 1;
                inner.enter(Phase::Closed { since: now, calls: 0, failed: 0 });
            }
            Phase::HalfOpen { .. } => inner.open(now, self.open),
            Phase::Open { .. } => {}
        }
    }
}

impl Inner {
    fn enter(&mut self, phase: Phase) {
        self.era += 1;
        self.phase = phase;
    }

    fn open(&mut self, now: Instant, time: Duration) {
        self.enter(Phase::Open { until: now + time * self.growth });
        self.growth = (self.growth * 2).min(GROWTH_MAX);
    }
}

impl Permit {
    /// The service answered.
    pub(crate) fn succeeded(mut self, now: Instant) {
        self.told = true;
        self.breaker.told(self.era, true, now);
    }

    /// It did not, or said itself that it could not.
    pub(crate) fn failed(mut self, now: Instant) {
        self.told = true;
        self.breaker.told(self.era, false, now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let mut inner = self.breaker.lock();
        // The try told nothing: the next call is one, at once.
        if inner.era == self.era
            && let Phase::HalfOpen { since } = inner.phase
        {
            inner.enter(Phase::Open { until: since });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Duration = Duration::from_secs(5);

    fn fail(breaker: &Breaker, times: u32, now: Instant) {
        (0..times).for_each(|_| breaker.permit(now).unwrap().failed(now));
    }

    #[test]
    fn it_opens_when_half_of_enough_calls_fail() {
        let now = Instant::now();
        let breaker = Breaker::new(10, OPEN, now);
        fail(&breaker, 4, now);
        (0..5).for_each(|_| breaker.permit(now).unwrap().succeeded(now));
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker, 1, now);
        assert_eq!(breaker.state(), State::Open);
        assert_eq!(breaker.permit(now).unwrap_err(), OPEN);
    }

    #[test]
    fn failures_that_lie_far_apart_open_nothing() {
        let mut now = Instant::now();
        let breaker = Breaker::new(10, OPEN, now);
        for _ in 0..20 {
            fail(&breaker, 5, now);
            now += WINDOW + Duration::from_millis(1);
        }
        assert_eq!(breaker.state(), State::Closed);
        fail(&Breaker::new(0, OPEN, now), 1000, now);
    }

    #[test]
    fn one_call_tries_and_closes_it() {
        let mut now = Instant::now();
        let breaker = Breaker::new(2, OPEN, now);
        fail(&breaker, 2, now);
        now += OPEN;
        let tries = breaker.permit(now).unwrap();
        assert_eq!(breaker.state(), State::HalfOpen);
        assert_eq!(breaker.permit(now).unwrap_err(), OPEN);
        tries.succeeded(now);
        assert_eq!(breaker.state(), State::Closed);
        breaker.permit(now).unwrap().succeeded(now);
    }

    #[test]
    fn it_stays_open_longer_each_time_a_try_fails_up_to_a_bound() {
        let mut now = Instant::now();
        let breaker = Breaker::new(1, OPEN, now);
        fail(&breaker, 1, now);
        for growth in [1, 2, 4, 8, 8] {
            assert_eq!(breaker.permit(now).unwrap_err(), OPEN * growth);
            now += OPEN * growth;
            breaker.permit(now).unwrap().failed(now);
        }
        now += OPEN * 8;
        breaker.permit(now).unwrap().succeeded(now);
        fail(&breaker, 1, now);
        assert_eq!(breaker.permit(now).unwrap_err(), OPEN, "what is over is forgotten");
    }

    #[test]
    fn a_try_that_tells_nothing_or_hangs_keeps_nobody_out() {
        let mut now = Instant::now();
        let breaker = Breaker::new(1, OPEN, now);
        fail(&breaker, 1, now);
        now += OPEN;
        drop(breaker.permit(now).unwrap());
        let hanging = breaker.permit(now).unwrap();
        assert!(breaker.permit(now).is_err());
        now += OPEN;
        breaker.permit(now).unwrap().succeeded(now);
        assert_eq!(breaker.state(), State::Closed);
        hanging.failed(now);
        assert_eq!(breaker.state(), State::Closed, "what it says in the end counts no more");
    }

    #[test]
    fn what_began_before_it_opened_changes_nothing() {
        let mut now = Instant::now();
        let breaker = Breaker::new(1, OPEN, now);
        let late = breaker.permit(now).unwrap();
        fail(&breaker, 1, now);
        now += OPEN;
        let tries = breaker.permit(now).unwrap();
        late.succeeded(now);
        assert_eq!(breaker.state(), State::HalfOpen);
        drop(tries);
    }
}

//! How many uploads are taken in at once: each takes memory for as long as it lasts, so nobody may have all places.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{Error, Result, UserId};

/// The places of a process.
pub(crate) struct Places {
    max: usize,
    max_each: usize,
    taken: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// A place, given back in the end.
pub(crate) struct Place {
    user: UserId,
    taken: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Places {
    /// So many places, of which one account gets a quarter at most.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, max_each: max.div_ceil(4), taken: Arc::default() }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the account has as many as it gets, `UNAVAILABLE` when all are taken.
    pub(crate) fn take(&self, user: UserId) -> Result<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&user).copied().unwrap_or(0);
        if own >= self.max_each {
            return Err(Error::rate_limited(1));
        }
        if taken.values().sum::<usize>() >= self.max {
            return Err(Error::unavailable("all places for uploads are taken"));
        }
        taken.insert(user, own + 1);
        Ok(Place { user, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.user) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Code;

    use super::*;

    #[test]
    fn nobody_gets_all_places_and_each_is_given_back() {
        let places = Places::new(4);
        let users: Vec<UserId> = (0..5).map(|_| UserId::new()).collect();
        let refused = |user: usize| places.take(users[user]).err().map(|error| error.code());
        let first = places.take(users[0]).unwrap();
        assert_eq!(refused(0), Some(Code::RateLimited));
        let others: Vec<Place> = (1..4).map(|user| places.take(users[user]).unwrap()).collect();
        assert_eq!(refused(4), Some(Code::Unavailable));
        drop(first);
        assert_eq!(refused(4), None);
        drop(others);
        assert!(places.taken.lock().unwrap().is_empty());
    }
}

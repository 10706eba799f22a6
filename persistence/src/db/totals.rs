//! How many rows a list has: counted anew while that is cheap, remembered for a moment when it is not.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Up to this many rows a count is exact: it costs next to nothing.
const EXACT_MAX: u64 = 1000;
/// How long a larger count may be repeated.
const AGE_MAX: Duration = Duration::from_secs(1);
/// How many counts are remembered.
const KEPT_MAX: usize = 256;

/// The large counts of the last second, by what they count.
#[derive(Default)]
pub(crate) struct Totals(Mutex<HashMap<String, (u64, Instant)>>);

impl Totals {
    /// The remembered count. When it has aged, one caller gets nothing and has to count; the others go on with it meanwhile.
    pub(crate) fn get(&self, key: &str) -> Option<u64> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, counted) = kept.get_mut(key)?;
        if counted.elapsed() < AGE_MAX {
            return Some(*total);
        }
        *counted = Instant::now();
        None
    }

    /// Remembers a count, unless it is small enough to be counted every time.
    pub(crate) fn keep(&self, key: String, total: u64) {
        if total <= EXACT_MAX {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (_, counted)| counted.elapsed() < AGE_MAX);
        }
        if kept.len() < KEPT_MAX {
            kept.insert(key, (total, Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_counts_are_remembered_and_not_without_bound() {
        let totals = Totals::default();
        totals.keep("small".into(), EXACT_MAX);
        assert_eq!(totals.get("small"), None);
        for number in 0..1000 {
            totals.keep(format!("{number}"), 5000);
        }
        assert_eq!(totals.get("0"), Some(5000));
        assert_eq!(totals.0.lock().unwrap().len(), KEPT_MAX);
    }
}

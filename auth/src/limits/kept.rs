//! A memory that cannot grow: two generations, of which the older one is forgotten when the younger one is full.
//!
//! What is looked at moves to the younger one, so what is in use stays. Nothing is ever searched for room: an insertion costs the same
//! however full it is, and whoever makes up keys by the million only makes the idle ones forgotten.

use std::{collections::HashMap, hash::Hash, mem};

/// The memory.
pub(super) struct Kept<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation_max: usize,
}

impl<K: Copy + Eq + Hash, V> Kept<K, V> {
    /// A memory of this many things at most (at least 2); the latest half is sure to be there.
    pub(super) fn new(max: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation_max: (max / 2).max(1) }
    }

    /// What a look at something, or a change of it, gives; `None` when it is not remembered.
    pub(super) fn with<R>(&mut self, key: &K, look: impl FnOnce(&mut V) -> R) -> Option<R> {
        if let Some(value) = self.young.get_mut(key) {
            return Some(look(value));
        }
        let mut value = self.old.remove(key)?;
        let seen = look(&mut value);
        self.insert(*key, value);
        Some(seen)
    }

    /// Remembers something, in place of what was known of it.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.generation_max && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// How many things are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_its_bound_and_keeps_what_is_used() {
        let mut kept = Kept::new(100);
        kept.insert(u32::MAX, 7);
        for key in 0..10_000 {
            kept.insert(key, key);
            assert!(kept.len() <= 100);
            assert_eq!(kept.with(&u32::MAX, |value| *value), Some(7));
            assert_eq!(kept.with(&key.saturating_sub(20), |value| *value), Some(key.saturating_sub(20)));
        }
        assert_eq!(kept.with(&5000, |value| *value), None);
        assert!(kept.young.capacity() + kept.old.capacity() < 400);
    }

    #[test]
    fn the_newer_value_counts() {
        let mut kept = Kept::new(2);
        kept.insert('a', 1);
        kept.insert('b', 2);
        kept.insert('a', 3);
        assert_eq!((kept.with(&'a', |value| *value), kept.with(&'c', |value| *value)), (Some(3), None));
    }
}

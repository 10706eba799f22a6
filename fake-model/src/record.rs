//! What the model was asked, and what became of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serde_json::Value;

/// A call, as it is by now.
#[derive(Debug, Clone)]
pub struct Call {
    /// What was asked.
    pub body: Value,
    /// How many bytes the connection has taken.
    pub bytes: usize,
    /// How many events with words the connection has taken.
    pub events: u32,
    /// How and when it ended.
    pub end: Option<(End, Instant)>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All was said.
    Said,
    /// The caller left before.
    Left,
}

/// The calls so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn begin(&self, body: Value) -> Recorder {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(Call { body, bytes: 0, events: 0, end: None });
        Recorder { calls: self.clone(), place: calls.len() - 1 }
    }
}

/// Writes down what becomes of one call; dropped before its end, the caller has left.
pub(crate) struct Recorder {
    calls: Calls,
    place: usize,
}

impl Recorder {
    pub(crate) fn change(&self, how: impl FnOnce(&mut Call)) {
        if let Some(call) = self.calls.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(self.place) {
            how(call);
        }
    }

    /// Notes the end; the first one counts.
    pub(crate) fn end(&self, end: End) {
        let now = Instant::now();
        self.change(|call| _ = call.end.get_or_insert((end, now)));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end(End::Left);
    }
}

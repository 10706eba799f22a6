//! Whether the server may be asked: not before the database is ready, not while it drains.

use std::sync::atomic::{AtomicBool, Ordering};

/// The state of a server.
#[derive(Default)]
pub struct Readiness {
    started: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// The database is reachable and its schema is the right one.
    pub fn start(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// The server is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether [`Readiness::start`] was said.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Whether [`Readiness::drain`] was said.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

//! A running fake, and what tests do to it.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::sync::{Semaphore, oneshot};

use crate::{Call, Script, record::Calls, server};

/// A fake that runs in threads of its own until it is dropped.
pub struct FakeModel {
    /// Where its API is, without a slash at the end: `http://…/v1`.
    pub base_url: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// What the server and the handle have in common.
pub(crate) struct Shared {
    pub(crate) script: Mutex<Arc<Script>>,
    pub(crate) calls: Calls,
    /// What those who hold wait for.
    pub(crate) released: Semaphore,
}

impl FakeModel {
    /// Starts a fake on a free port of this machine; it listens when this returns.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn start(script: Script) -> io::Result<Self> {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0)), 1, script)
    }

    /// Starts a fake at an address, with so many threads.
    ///
    /// # Errors
    /// When the address cannot be listened at, or no thread can be had.
    pub fn listen(address: SocketAddr, threads: usize, script: Script) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        let shared = Arc::new(Shared { script: Mutex::new(Arc::new(script)), calls: Calls::default(), released: Semaphore::new(0) });
        let (stop, stopped) = oneshot::channel();
        let run = {
            let shared = Arc::clone(&shared);
            move || server::run(listener, threads, shared, stopped)
        };
        let thread = thread::Builder::new().name("fake-model".to_owned()).spawn(run)?;
        Ok(Self { base_url, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// From the next call on, this is what it says.
    pub fn set(&self, script: Script) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// Lets one that holds go on.
    pub fn release(&self) {
        self.shared.released.add_permits(1);
    }

    /// The calls so far, oldest first; those with a wrong key or a wrong body are not among them.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.all()
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

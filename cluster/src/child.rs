//! A child process with a thread of its own, which starts it, waits for it and outlives it.
//!
//! Linux sends the parent-death signal when the *thread* that started the child ends, so that thread must not be
//! one that a caller may end.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// A started process.
#[derive(Debug)]
pub(crate) struct Supervised {
    pid: Pid,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Set when the process has been reaped: its pid may be anybody's from then on.
    exit: Option<ExitStatus>,
    /// Whether nobody waits for the end, so that it must be logged.
    expected_to_run: bool,
}

impl Supervised {
    /// Starts the process.
    pub(crate) fn spawn(mut command: Command) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (started, starting) = mpsc::channel();
        let thread = Builder::new().name("postgres".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || match command.spawn() {
                Ok(child) => {
                    let _ = started.send(Ok(Pid::from_child(&child)));
                    shared.supervise(child);
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        })?;
        let pid = starting.recv().map_err(io::Error::other)??;
        Ok(Self { pid, shared, thread: Some(thread) })
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// From now on an end that no signal of ours brought about is logged as an error.
    pub(crate) fn expect_to_run(&self) {
        self.shared.lock().expected_to_run = true;
    }

    /// Sends a signal, unless the process has ended.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let mut state = self.shared.lock();
        if state.exit.is_none() {
            state.expected_to_run = false;
            kill_process(self.pid, signal)?;
        }
        Ok(())
    }

    /// Waits for the end of the process; `None` when it has not come in time.
    pub(crate) fn wait(&mut self, time_max: Duration) -> Option<ExitStatus> {
        let running = |state: &mut State| state.exit.is_none();
        let exit =
            self.shared.ended.wait_timeout_while(self.shared.lock(), time_max, running).unwrap_or_else(PoisonError::into_inner).0.exit;
        if exit.is_some()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
        exit
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn supervise(&self, mut child: Child) {
        let pid = Pid::from_child(&child);
        // Waits without reaping, so that the pid is safe to signal until the lock is taken.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
        let mut state = self.lock();
        let exit = child.wait().unwrap_or_else(|error| {
            log::warn!("cannot tell how PostgreSQL (process {}) ended: {error}", child.id());
            ExitStatus::default()
        });
        if state.expected_to_run {
            log::error!("PostgreSQL (process {}) ended by itself: {exit}", child.id());
        }
        state.exit = Some(exit);
        self.ended.notify_all();
    }
}

//! A service that does exactly what it is told, on a real socket.

#![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tests::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// What it does, one thing after the other.
#[derive(Clone)]
pub(super) enum Step {
    /// Reads the whole body of the request.
    Read,
    /// Says this.
    Say(Vec<u8>),
    /// Waits for a signal of the test.
    Wait,
    /// Waits for the other side to close.
    Hang,
    /// Says so many bytes, as fast as they are taken.
    Flood(usize),
    /// Closes the connection.
    Close,
}

/// A request, as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) headers: Vec<(String, String)>,
    /// What was read of the body, chunks unpacked.
    pub(super) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(super) complete: bool,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct State {
    plans: Mutex<HashMap<String, Vec<Vec<Step>>>>,
    seen: Mutex<Vec<Seen>>,
    left: AtomicUsize,
    flooded: AtomicUsize,
    connections: AtomicUsize,
}

pub(super) struct Fake {
    pub(super) address: SocketAddr,
    state: Arc<State>,
    signal: Arc<Semaphore>,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (state, signal) = (Arc::new(State::default()), Arc::new(Semaphore::new(0)));
        let shared = (Arc::clone(&state), Arc::clone(&signal));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.0.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&shared.0), Arc::clone(&shared.1)));
            }
        });
        Self { address, state, signal }
    }

    /// The setting that names it `fake`.
    pub(super) fn upstreams(&self) -> String {
        format!("fake=http://{}/v1", self.address)
    }

    /// Does this for a path; what was planned before comes first, once, and the last plan stays.
    pub(super) fn on(&self, path: &str, steps: &[Step]) {
        self.state.plans.lock().expect("a lock").entry(path.to_owned()).or_default().push(steps.to_vec());
    }

    /// Reads the request and says this.
    pub(super) fn says(&self, path: &str, answer: &str) {
        self.on(path, &[Step::Read, Step::Say(answer.replace('\n', "\r\n").into_bytes())]);
    }

    /// Goes on where it waits.
    pub(super) fn signal(&self) {
        self.signal.add_permits(1);
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("a lock").clone()
    }

    /// The one request that came.
    #[track_caller]
    pub(super) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.into_iter().next().expect("one")
    }

    pub(super) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub(super) fn flooded(&self) -> usize {
        self.state.flooded.load(Ordering::SeqCst)
    }

    /// Waits until so many requests came.
    pub(super) async fn until_seen(&self, count: usize) {
        eventually("requests", async || self.seen().len() >= count).await;
    }

    /// Waits until so many connections were closed on it while it had more to do.
    pub(super) async fn until_left(&self, count: usize) {
        eventually("the other side to leave", async || self.state.left.load(Ordering::SeqCst) >= count).await;
    }
}

/// A connection, with what was read too far.
struct Wire {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Wire {
    /// More bytes; `None` at the end.
    async fn more(&mut self) -> Option<()> {
        self.rest.reserve(16 * 1024);
        self.stream.read_buf(&mut self.rest).await.ok().filter(|count| *count > 0).map(drop)
    }

    /// Up to and without this.
    async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(place) = self.rest.windows(end.len()).position(|window| window == end) {
                let taken = self.rest.drain(..place + end.len()).collect::<Vec<u8>>();
                return Some(taken[..place].to_vec());
            }
            self.more().await?;
        }
    }

    async fn take(&mut self, count: usize, into: &mut impl FnMut(&[u8])) -> Option<()> {
        let mut left = count;
        while left > 0 {
            if self.rest.is_empty() {
                self.more().await?;
            }
            let some = left.min(self.rest.len());
            into(&self.rest[..some]);
            self.rest.drain(..some);
            left -= some;
        }
        Some(())
    }

    /// Reads a body, telling what comes.
    async fn body(&mut self, head: &Seen, mut into: impl FnMut(&[u8])) -> Option<()> {
        if head.header("transfer-encoding").is_some() {
            loop {
                let size = String::from_utf8(self.until(b"\r\n").await?).ok()?;
                let size = usize::from_str_radix(size.trim(), 16).ok()?;
                self.take(size, &mut into).await?;
                self.until(b"\r\n").await?;
                if size == 0 {
                    return Some(());
                }
            }
        }
        let length = head.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        self.take(length, &mut into).await
    }
}

async fn serve(stream: TcpStream, state: Arc<State>, signal: Arc<Semaphore>) {
    let mut wire = Wire { stream, rest: Vec::new() };
    while let Some(head) = wire.until(b"\r\n\r\n").await {
        let head = parse(&String::from_utf8(head).expect("a head of UTF-8"));
        let path = head.line.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
        let number = {
            let mut seen = state.seen.lock().expect("a lock");
            seen.push(head.clone());
            seen.len() - 1
        };
        let steps = {
            let mut plans = state.plans.lock().expect("a lock");
            match plans.get_mut(&path) {
                Some(queue) if queue.len() > 1 => queue.remove(0),
                Some(queue) => queue[0].clone(),
                None => vec![Step::Read, Step::Say(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec())],
            }
        };
        for step in steps {
            if act(step, &mut wire, &head, number, &state, &signal).await.is_none() {
                return;
            }
        }
    }
}

async fn act(step: Step, wire: &mut Wire, head: &Seen, number: usize, state: &State, signal: &Semaphore) -> Option<()> {
    match step {
        Step::Read => {
            let keep = |bytes: &[u8]| state.seen.lock().expect("a lock")[number].body.extend_from_slice(bytes);
            if wire.body(head, keep).await.is_none() {
                state.left.fetch_add(1, Ordering::SeqCst);
                return None;
            }
            state.seen.lock().expect("a lock")[number].complete = true;
            Some(())
        }
        Step::Say(bytes) => wire.stream.write_all(&bytes).await.ok(),
        Step::Wait => signal.acquire().await.ok().map(tokio::sync::SemaphorePermit::forget),
        Step::Hang => {
            while wire.more().await.is_some() {}
            state.left.fetch_add(1, Ordering::SeqCst);
            None
        }
        Step::Flood(mut left) => {
            let piece = vec![b'x'; 64 * 1024];
            while left > 0 {
                let some = left.min(piece.len());
                if wire.stream.write_all(&piece[..some]).await.is_err() {
                    state.left.fetch_add(1, Ordering::SeqCst);
                    return None;
                }
                state.flooded.fetch_add(some, Ordering::SeqCst);
                left -= some;
            }
            Some(())
        }
        Step::Close => None,
    }
}

fn parse(head: &str) -> Seen {
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Seen { line, headers: headers.collect(), ..Seen::default() }
}

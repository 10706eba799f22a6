//! Cuts connections that neither rest nor ask: actix times the first request head of a connection only, so that a client could drip
//! the second one for ever.

use std::{
    any::Any,
    future::poll_fn,
    io::ErrorKind,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest,
    body::{BodySize, MessageBody},
    dev::Extensions,
    web::Bytes,
};
use socket2::SockRef;

/// How often connections are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Knows a connection's socket, and since when it has had nothing to do.
pub(crate) struct Lifeline {
    /// A second handle on the socket, for shutting it down from outside of actix.
    socket: TcpStream,
    born: Instant,
    /// Milliseconds from birth to the end of the last request.
    idle_since_ms: AtomicU64,
    requests: AtomicUsize,
}

/// A request under way; its connection is left alone as long as this lives.
pub(crate) struct Busy(Arc<Lifeline>);

impl Drop for Busy {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.idle_since_ms.store(now, Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Release);
    }
}

impl Lifeline {
    /// Marks the request's connection as busy.
    pub(crate) fn busy(request: &HttpRequest) -> Option<Busy> {
        let lifeline = request.conn_data::<Arc<Self>>()?;
        lifeline.requests.fetch_add(1, Ordering::Acquire);
        Some(Busy(Arc::clone(lifeline)))
    }

    /// That of the request's connection.
    pub(crate) fn of(request: &HttpRequest) -> Option<Arc<Self>> {
        request.conn_data::<Arc<Self>>().cloned()
    }

    /// Ends when the client has left. It looks whenever it is polled, as actix does when the connection has news, and now and then by
    /// itself, as actix does not read on while there is much to write.
    pub(crate) fn left(request: &HttpRequest) -> impl Future<Output = ()> + 'static {
        let lifeline = Self::of(request);
        async move {
            let Some(lifeline) = lifeline else { return std::future::pending().await };
            let mut ticks = tokio::time::interval(LOOK / 2);
            poll_fn(|context| {
                while ticks.poll_tick(context).is_ready() {}
                if lifeline.has_left() { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    /// Whether the client has closed the connection, or its side of it: who asks no more does not listen any more either.
    pub(crate) fn has_left(&self) -> bool {
        match self.socket.peek(&mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }

    /// Breaks the connection off.
    pub(crate) fn cut(&self) {
        // It may be closed already; then there is nothing to cut.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Has the connection end in a reset, which no client takes for the end of an answer: over HTTP/1.0 nothing else would tell that it
    /// broke off.
    pub(crate) fn end_in_reset(&self) {
        if let Err(error) = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO)) {
            log::debug!("a connection cannot be reset: {error}");
        }
    }

    fn is_stalled(&self, bound: Duration) -> bool {
        let idle_since = Duration::from_millis(self.idle_since_ms.load(Ordering::Relaxed));
        self.requests.load(Ordering::Acquire) == 0 && self.born.elapsed().saturating_sub(idle_since) > bound
    }
}

/// The open connections.
#[derive(Clone)]
pub(super) struct Registry {
    connections: Arc<Mutex<Vec<Weak<Lifeline>>>>,
    bound: Duration,
}

impl Registry {
    /// Connections may be without a request for this long: an idle one is closed before, by its keep-alive time.
    pub(super) fn new(bound: Duration) -> Self {
        Self { connections: Arc::default(), bound }
    }

    /// Remembers a new connection.
    pub(super) fn watch(&self, connection: &dyn Any, data: &mut Extensions) {
        let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() else { return };
        let Ok(socket) = stream.as_fd().try_clone_to_owned() else { return };
        let lifeline = Arc::new(Lifeline {
            socket: socket.into(),
            born: Instant::now(),
            idle_since_ms: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
        });
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&lifeline));
        data.insert(lifeline);
    }

    /// Looks at the connections once a second, as long as the process lives.
    pub(super) async fn cut_the_stalled(self) {
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            ticks.tick().await;
            let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
            connections.retain(|connection| {
                let Some(connection) = connection.upgrade() else { return false };
                if connection.is_stalled(self.bound) {
                    connection.cut();
                }
                true
            });
        }
    }
}

pin_project_lite::pin_project! {
    /// An answer's body that keeps its connection busy until it is sent.
    pub(crate) struct Sending<B> {
        #[pin]
        body: B,
        busy: Option<Busy>,
    }
}

impl<B> Sending<B> {
    pub(crate) fn new(body: B, busy: Option<Busy>) -> Self {
        Self { body, busy }
    }
}

impl<B: MessageBody> MessageBody for Sending<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.project().body.poll_next(context)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, busy } = self;
        body.try_into_bytes().map_err(|body| Self { body, busy })
    }
}

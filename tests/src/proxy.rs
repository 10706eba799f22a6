//! A wire between server and database that can be cut and frozen.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    sync::watch,
};

/// What an idle server sends in a second at most: the heartbeats of the connection that listens, 15 bytes three times, and now and then a
/// look at what is due. Anything that asks dozens of times sends more.
const IDLE_BYTES_MAX: u64 = 500;

const OPEN: u8 = 0;
const CUT: u8 = 1;
const FROZEN: u8 = 2;

/// How much was sent at some moment.
#[derive(Clone, Copy)]
pub struct Mark {
    sent: u64,
    at: Instant,
}

/// A proxy in front of the test database server's socket.
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<AtomicU8>,
    sent: Arc<AtomicU64>,
    changed: watch::Sender<()>,
}

impl Proxy {
    /// Listens on a free port and passes everything on.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(AtomicU8::new(OPEN));
        let (changed, seen) = watch::channel(());
        let sent = Arc::new(AtomicU64::new(0));
        let shared = (Arc::clone(&state), Arc::clone(&sent));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, Arc::clone(&shared.0), Arc::clone(&shared.1), seen.clone()));
            }
        });
        Self { address, state, sent, changed }
    }

    /// The URL of a database behind the proxy.
    pub fn url(&self, database: &crate::Database) -> String {
        let name = database.url.split('?').next().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        format!("postgresql://app@{}/{name}", self.address)
    }

    /// Closes every connection and refuses new ones.
    pub fn cut(&self) {
        self.set(CUT);
    }

    /// Keeps every connection open and passes nothing.
    pub fn freeze(&self) {
        self.set(FROZEN);
    }

    /// Passes everything on again.
    pub fn mend(&self) {
        self.set(OPEN);
    }

    /// How many bytes the database was sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// A moment to be quiet since.
    pub fn mark(&self) -> Mark {
        Mark { sent: self.sent(), at: Instant::now() }
    }

    /// Fails when the database was asked anything since then, but for what a server asks by itself now and then.
    #[track_caller]
    pub fn expect_quiet_since(&self, mark: Mark) {
        let (sent, took) = (self.sent() - mark.sent, mark.at.elapsed());
        assert!(sent < IDLE_BYTES_MAX * (2 + took.as_secs()), "{sent} bytes were sent to the database in {took:?}");
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
        self.changed.send_replace(());
    }
}

async fn pass(mut client: tokio::net::TcpStream, state: Arc<AtomicU8>, sent: Arc<AtomicU64>, mut changed: watch::Receiver<()>) {
    let socket = socket_path();
    let Ok(mut server) = UnixStream::connect(socket).await else { return };
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        match state.load(Ordering::SeqCst) {
            CUT => return,
            FROZEN => {
                if changed.changed().await.is_err() {
                    return;
                }
                continue;
            }
            _ => {}
        }
        tokio::select! {
            _ = changed.changed() => {}
            read = client.read(&mut up) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    sent.fetch_add(count.try_into().unwrap_or_default(), Ordering::SeqCst);
                    if server.write_all(up.get(..count).unwrap_or_default()).await.is_err() { return }
                }
            },
            read = server.read(&mut down) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => if client.write_all(down.get(..count).unwrap_or_default()).await.is_err() { return },
            },
        }
    }
}

fn socket_path() -> String {
    let config: tokio_postgres::Config = crate::database::server_url().parse().expect("a database URL");
    match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Unix(folder)) => format!("{}/.s.PGSQL.5432", folder.display()),
        other => panic!("the fault tests need a database server on a unix socket, not {other:?}"),
    }
}

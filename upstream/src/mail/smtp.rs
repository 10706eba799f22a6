//! SMTP over a few pooled connections, each mail within its time-out.

use std::{fmt, time::Duration};

use deadpool::{
    Runtime,
    managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, Timeouts},
};
use lettre::transport::smtp::{self, client::AsyncSmtpConnection, extension::Extension};
use tokio::time::{Instant, timeout};

use super::{Error, Unusable, message::Composed, server::Server};

/// Connections at the same time: servers limit them, and a burst of mail may wait.
const CONNECTIONS_MAX: usize = 4;
/// An idle connection is not used again after this long; servers close them themselves after a few minutes.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// A mail server with its connections.
#[derive(Clone)]
pub(super) struct Smtp {
    pool: Pool<Connections>,
    timeout: Duration,
}

impl Smtp {
    pub(super) fn new(server: Server, timeout: Duration) -> Result<Self, Unusable> {
        // Kept connections that do not answer, all of them at worst, must leave time for a new one.
        let timeouts = Timeouts { recycle: Some(timeout / 8), ..Timeouts::new() };
        let builder = Pool::builder(Connections { server, timeout }).max_size(CONNECTIONS_MAX);
        let pool = builder.timeouts(timeouts).runtime(Runtime::Tokio1).build().map_err(|error| Unusable(error.to_string()))?;
        Ok(Self { pool, timeout })
    }

    /// Hands a mail over.
    pub(super) async fn send(&self, mail: &Composed) -> Result<(), Error> {
        let started = Instant::now();
        let too_late = |_| Error::TimedOut(self.timeout);
        let mut line = timeout(self.timeout, self.pool.get()).await.map_err(too_late)?.map_err(|error| match error {
            PoolError::Backend(error) => error.into(),
            other => Error::Unreachable(Box::new(other)),
        })?;
        let rest = self.timeout.saturating_sub(started.elapsed());
        let outcome = timeout(rest, line.send(mail)).await.map_err(too_late).flatten();
        if outcome.is_err() {
            // Closed now; in the pool it would stay open until the next mail.
            drop(Object::take(line));
        }
        outcome
    }
}

impl fmt::Display for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pool.manager().server.fmt(f)
    }
}

/// A connection, and whether it is between two mails.
struct Line {
    connection: AsyncSmtpConnection,
    clean: bool,
}

impl Line {
    async fn send(&mut self, mail: &Composed) -> Result<(), Error> {
        let mut addresses = mail.envelope.to().iter().chain(mail.envelope.from());
        let beyond_ascii = addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii());
        // What such addresses take: in the envelope the one, in the headers the other.
        let needed = [Extension::SmtpUtfEight, Extension::EightBitMime];
        if beyond_ascii && !needed.into_iter().all(|extension| self.connection.server_info().supports_feature(extension)) {
            return Err(Error::Invalid("the mail server takes plain ASCII addresses only"));
        }
        // The one that drops this future must not leave a half-sent mail, or an unread reply, to the next one.
        self.clean = false;
        self.connection.send(&mail.envelope, &mail.bytes).await?;
        self.clean = true;
        Ok(())
    }
}

/// Makes connections and checks them before they are used again.
struct Connections {
    server: Server,
    timeout: Duration,
}

impl Manager for Connections {
    type Type = Line;
    type Error = smtp::Error;

    async fn create(&self) -> Result<Line, smtp::Error> {
        // Boxed: the TLS handshake would make every future around it larger by its 16 KiB.
        Ok(Line { connection: Box::pin(self.server.connect(self.timeout)).await?, clean: true })
    }

    async fn recycle(&self, line: &mut Line, metrics: &Metrics) -> RecycleResult<smtp::Error> {
        if line.clean && metrics.last_used() < IDLE_MAX && line.connection.test_connected().await {
            Ok(())
        } else {
            Err(RecycleError::message("not usable any more"))
        }
    }
}

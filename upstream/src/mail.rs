//! Mail: composed safely, then handed to an SMTP server, or in development written to a folder as `.eml` files.

mod error;
mod folder;
mod message;
mod server;
mod smtp;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::message::Mailbox;

use self::{folder::Folder, server::Server, smtp::Smtp};

pub use error::{Error, Reply, Unusable};
pub use message::{BODY_BYTES_MAX, SUBJECT_CHARS_MAX};

/// A mail to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The bare address, such as `ada@example.com`; no name, so that nobody's choice of one is sent to strangers.
    pub to: String,
    /// The subject: one line of at most [`SUBJECT_CHARS_MAX`] characters.
    pub subject: String,
    /// What to say, as plain text of at most [`BODY_BYTES_MAX`] bytes. Control characters in it are left out.
    pub text: String,
    /// The same as HTML (same bound), for those whose program prefers it. What users wrote must be escaped by now.
    pub html: Option<String>,
}

/// Where a mail went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The server took it over, under this `Message-ID` (without the angle brackets).
    Server {
        /// What the server's log knows it by.
        message_id: String,
    },
    /// It was written to this file.
    File {
        /// An `.eml` file in the mailer's folder.
        path: PathBuf,
    },
}

/// Sends mail; cheap to clone, and its clones share their connections. May be made and dropped anywhere; SMTP is sent within a Tokio
/// runtime.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    route: Route,
}

#[derive(Clone)]
enum Route {
    Server(Smtp),
    Folder(Folder),
}

impl Mailer {
    /// A mailer that hands its mail to an SMTP server over at most four connections, which are kept for a minute after their last use.
    ///
    /// | `url` | is |
    /// |---|---|
    /// | `smtps://user:password@host:465` | TLS from the first byte; the port is 465 when absent |
    /// | `smtp://user:password@host:587?tls=required` | STARTTLS, or no mail; the port is 587 when absent |
    /// | `smtp://host:587?tls=opportunistic` | STARTTLS when the server offers it, else in the clear; the port is 587 when absent |
    /// | `smtp://host:25` | in the clear, also when the server offers STARTTLS; the port is 25 when absent |
    ///
    /// With TLS, the server's certificate must come from a public authority and name the host. User and password are optional,
    /// together, percent-encoded, and only accepted where they are sure to be encrypted, or the host is this machine: whoever can cut
    /// STARTTLS out of the conversation would read them otherwise. A path is the name to greet with, the host's own when absent.
    ///
    /// `from` is an address, or a name and an address: `Handrail <no-reply@example.com>`. `timeout` bounds the whole of one
    /// [`send`](Self::send), the wait for a free connection included.
    ///
    /// Nothing is connected yet: a server that is away is an error of `send`.
    ///
    /// # Errors
    /// `Unusable` when the URL or the sender is not of these forms; its text does not repeat the URL.
    pub fn smtp(url: &str, from: &str, timeout: Duration) -> Result<Self, Unusable> {
        Self::smtp_trusting(url, from, timeout, None)
    }

    /// As [`smtp`](Self::smtp), but believes these authorities (PEM) besides the public ones.
    ///
    /// # Errors
    /// As [`smtp`](Self::smtp); also when the certificates cannot be read.
    pub fn smtp_trusting(url: &str, from: &str, timeout: Duration, authorities: Option<&[u8]>) -> Result<Self, Unusable> {
        let server = Server::parse(url, authorities)?;
        Ok(Self { from: message::sender(from)?, route: Route::Server(Smtp::new(server, timeout)?) })
    }

    /// A mailer that writes each mail to a file of its own in this folder, which is made (for its owner alone) when the first comes.
    /// Names sort by time, and do not depend on the mail.
    ///
    /// # Errors
    /// `Unusable` when the sender is not of the form that [`smtp`](Self::smtp) takes.
    pub fn folder(path: impl AsRef<Path>, from: &str) -> Result<Self, Unusable> {
        Ok(Self { from: message::sender(from)?, route: Route::Folder(Folder::new(path.as_ref())) })
    }

    /// Sends a mail, once. To try again is the caller's decision; after a time-out the server may have taken the mail all the same.
    ///
    /// Dropping the future at any point is safe: its connection is not used again.
    ///
    /// # Errors
    /// Permanent ones ([`Error::is_permanent`]) when the same mail would fail again, temporary ones when trying later may help.
    pub async fn send(&self, mail: &Mail) -> Result<Sent, Error> {
        let composed = message::compose(&self.from, mail)?;
        match &self.route {
            Route::Server(smtp) => {
                smtp.send(&composed).await?;
                Ok(Sent::Server { message_id: composed.message_id })
            }
            Route::Folder(folder) => Ok(Sent::File { path: folder.write(composed.bytes).await? }),
        }
    }
}

/// Says where mail goes, for the log: scheme, host and port, or the folder. No credentials.
impl fmt::Display for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.route {
            Route::Server(smtp) => smtp.fmt(f),
            Route::Folder(folder) => folder.fmt(f),
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailer({self})")
    }
}

//! A mail server that keeps what it gets, and can be told to refuse or to say nothing.

mod session;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct ReceivedMail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Header and body, dots unstuffed.
    pub data: Vec<u8>,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// Who had logged in.
    pub user: Option<String>,
}

/// What the server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    None,
    StartTls,
    Always,
}

/// A running server, on a free port of this machine.
pub struct Smtp {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// The certificate that vouches for `localhost`, as PEM.
    pub authority: String,
}

struct Shared {
    encryption: Encryption,
    tls: TlsAcceptor,
    /// Who may log in, with which password; whoever sends must, when there is someone.
    login: Option<(String, String)>,
    /// Replies other than the usual, by command; an empty one is silence.
    replies: watch::Sender<HashMap<&'static str, &'static str>>,
    mails: watch::Sender<Vec<ReceivedMail>>,
    connections: watch::Sender<usize>,
}

impl Smtp {
    /// A server without TLS that anybody may use.
    pub async fn start() -> Self {
        Self::with(Encryption::None, None).await
    }

    /// A server with TLS, or that wants this user and password.
    pub async fn with(encryption: Encryption, login: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate that fits its key");
        let shared = Arc::new(Shared {
            encryption,
            tls: TlsAcceptor::from(Arc::new(config)),
            login: login.map(|(user, password)| (user.to_owned(), password.to_owned())),
            replies: watch::Sender::default(),
            mails: watch::Sender::new(Vec::new()),
            connections: watch::Sender::new(0),
        });
        let server = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                server.connections.send_modify(|count| *count += 1);
                tokio::spawn(session::serve(client, Arc::clone(&server)));
            }
        });
        Self { address, shared, authority: made.cert.pem() }
    }

    /// A URL with which a mailer sends here, in the safest way the server offers.
    pub fn url(&self) -> String {
        let login = self.shared.login.as_ref().map(|(user, password)| format!("{user}:{password}@")).unwrap_or_default();
        let port = self.address.port();
        match self.shared.encryption {
            Encryption::None => format!("smtp://{login}127.0.0.1:{port}"),
            Encryption::StartTls => format!("smtp://{login}localhost:{port}?tls=required"),
            Encryption::Always => format!("smtps://{login}localhost:{port}"),
        }
    }

    /// From now on answers a command (`CONNECT` and `END` for the ends of connecting and of the mail's data) with this line;
    /// with nothing when it is empty.
    pub fn answer(&self, command: &'static str, reply: &'static str) {
        self.shared.replies.send_modify(|replies| _ = replies.insert(command, reply));
    }

    /// Answers as usual again, also what was met with silence so far.
    pub fn mend(&self) {
        self.shared.replies.send_modify(HashMap::clear);
    }

    /// What has arrived so far.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.mails.borrow().clone()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Waits until this many mails have arrived, and gives them all.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedMail> {
        let mut mails = self.shared.mails.subscribe();
        let enough = mails.wait_for(|mails| mails.len() >= count);
        tokio::time::timeout(Duration::from_secs(10), enough).await.expect("mail in time").expect("a server").clone()
    }
}

impl Shared {
    /// Whether a command is answered otherwise than usual, silence aside.
    fn refuses(&self, command: &str) -> bool {
        self.replies.borrow().get(command).is_some_and(|reply| !reply.is_empty())
    }
}

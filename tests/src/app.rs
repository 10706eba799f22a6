//! A server in this process, on a free port and a database of its own.

use std::{collections::HashMap, sync::Once, thread};

use api::{background, server};
use auth::Token;
use domain::{Role, UserId, audit::Actor};
use persistence::{
    Db, Sizes,
    sessions::{self, Lifetime},
    users::{NewAccount, Ownership},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

use crate::{Client, Database};

const SIZES: Sizes = Sizes { pool: 2, pipelines: 1, pool_wait: Duration::from_secs(5), read: Duration::from_secs(5) };

/// All rate limits.
const LIMITS: [&str; 12] = [
    "RATE_LIMIT_ADDRESS",
    "RATE_LIMIT_ACCOUNT",
    "RATE_LIMIT_KEY",
    "RATE_LIMIT_BAD_CREDENTIALS",
    "RATE_LIMIT_LOGIN",
    "RATE_LIMIT_LOGIN_ACCOUNT",
    "RATE_LIMIT_REGISTER",
    "RATE_LIMIT_INVITATIONS",
    "RATE_LIMIT_CHAT",
    "RATE_LIMIT_FORGOT",
    "RATE_LIMIT_MAILED_TOKEN",
    "RATE_LIMIT_RECIPIENT",
];

/// A running server.
pub struct App {
    pub database: Database,
    pub address: std::net::SocketAddr,
    pub readiness: Arc<server::Readiness>,
    db: Db,
    folder: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Somebody signed in.
pub struct Caller {
    pub id: UserId,
    pub email: String,
    pub token: String,
    pub client: Client,
}

impl App {
    /// A server with the default settings.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with some settings.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let database = Database::cloned().await;
        let url = database.url.clone();
        Self::on(database, &url, settings).await
    }

    /// One more server on the same database, which the other one owns.
    pub async fn beside(other: &Self, settings: &[(&str, &str)]) -> Self {
        let url = other.database.url.clone();
        Self::on(other.database.borrowed(), &url, settings).await
    }

    /// A server that reaches its database by another URL: through a proxy.
    pub async fn on(database: Database, url: &str, settings: &[(&str, &str)]) -> Self {
        silence();
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().to_str().expect("a plain path").to_owned();
        let mut variables = HashMap::from([("DATABASE_URL", url), ("PORT", "0"), ("WORKERS", "1"), ("LOG_ACCESS", "false")]);
        variables.insert("DATA_DIR", &data_dir);
        // All tests come from one address; those of the limits set their own.
        variables.extend(LIMITS.map(|limit| (limit, "off")));
        variables.extend(settings.iter().copied());
        let config = config::parse(&config::Sources {
            variable: &|name| variables.get(name).map(ToString::to_string),
            file: &|_| Err(std::io::Error::other("no files in tests")),
            processors: 2,
        })
        .expect("settings");
        let connector = crate::database::connector(url);
        let (started, running) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let bound = server::bind(&config, &connector).expect("a free port");
                bound.readiness.start();
                let serving = tokio::spawn(bound.server);
                let _listening =
                    AbortOnDrop(tokio::spawn(persistence::listen(bound.revocations, Arc::clone(&bound.due), connector.clone())));
                let post = background::post(&config, bound.address.port()).expect("mail settings");
                let github = background::github(&config).expect("GitHub settings");
                let db = Db::new(Arc::new(connector), SIZES, Arc::default());
                let works = config.worker;
                let work = background::work(config, db, post, bound.stripe, github, bound.due, bound.inbox);
                let _working = works.then(|| AbortOnDrop(tokio::spawn(work)));
                let _ = started.send((bound.address, bound.readiness));
                let _ = stopped.await;
                bound.handle.stop(false).await;
                let _ = serving.await;
            });
        });
        let (address, readiness) = running.await.expect("a server");
        let db = Db::new(Arc::new(database.connector()), SIZES, Arc::default());
        Self { database, address, readiness, db, folder, stop: Some(stop), thread: Some(thread) }
    }

    /// Somebody who is not signed in.
    pub fn anon(&self) -> Client {
        Client::new(self.address, None)
    }

    /// An ordinary account with this name, signed in.
    pub async fn user(&self, name: &str) -> Caller {
        self.caller(name, Role::User).await
    }

    /// An administrator, signed in.
    pub async fn admin(&self) -> Caller {
        self.caller("Admin", Role::Admin).await
    }

    /// An account straight from the database: the log-in with its slow hash has tests of its own.
    async fn caller(&self, name: &str, role: Role) -> Caller {
        let email = format!("{}.{}@example.com", name.to_lowercase().replace(' ', "."), uuid::Uuid::now_v7().simple());
        let account = NewAccount { email: email.clone(), name: name.to_owned(), role, password_hash: None, ownership: Ownership::Claimed };
        let token = Token::generate().expect("randomness");
        let day = Duration::from_secs(86_400);
        let lifetime = Lifetime { idle: day, max: day * 2, renew: day / 24 };
        let hash = token.hash();
        let actor = Actor::default();
        let registering = self.db.transact(&actor, async |tx| sessions::register(tx, &account, &hash, None, lifetime).await);
        let user = registering.await.expect("an account");
        let token = token.reveal();
        Caller { id: user.id, email, client: Client::new(self.address, Some(token.clone())), token }
    }

    /// A new organisation of this caller's; gives its id.
    pub async fn org(&self, owner: &Caller, name: &str) -> String {
        owner.client.post("/api/orgs").json(&json!({ "name": name })).send().await.expect(201).text_at("/id")
    }

    /// Somebody new who belongs to an organisation in this role.
    pub async fn member(&self, org: &str, role: &str) -> Caller {
        let caller = self.user(&format!("Some {role}")).await;
        self.join(org, &caller, role).await;
        caller
    }

    /// Puts somebody into an organisation, without an invitation.
    pub async fn join(&self, org: &str, caller: &Caller, role: &str) {
        self.sql(&format!("INSERT INTO memberships (org_id, user_id, role) VALUES ('{org}', '{}', '{role}')", caller.id)).await;
    }

    /// The tokens of the invitations in the mails to this address, oldest first, once there are so many.
    pub async fn mailed_tokens(&self, to: &str, count: usize) -> Vec<String> {
        self.mailed(to, "invitations", count).await
    }

    /// The tokens of the links to this page in the mails to this address, oldest first, once there are so many.
    pub async fn mailed(&self, to: &str, page: &str, count: usize) -> Vec<String> {
        let folder = self.folder.path().join("mail");
        let mut tokens = Vec::new();
        eventually(&format!("{count} mails to {to}"), async || {
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let mut files: Vec<_> =
                entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
            files.sort();
            let mails = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
            tokens = mails.filter(|mail| mail.contains(&format!("To: {to}\r\n"))).filter_map(|mail| token_of(page, &mail)).collect();
            tokens.len() >= count
        })
        .await;
        tokens
    }

    /// The token of the link in the one mail to this address.
    pub async fn mailed_token(&self, to: &str) -> String {
        self.mailed_tokens(to, 1).await.swap_remove(0)
    }

    /// Waits until a query gives this number.
    pub async fn until_count(&self, number: i64, query: &str) {
        eventually(&format!("{number} from {query}"), async || self.count(query).await == number).await;
    }

    /// Runs SQL on the test's database.
    pub async fn sql(&self, statements: &str) {
        self.database.connect().await.batch_execute(statements).await.expect("the test's SQL");
    }

    /// The one text a query gives.
    pub async fn text(&self, query: &str) -> String {
        self.database.connect().await.query_one(query, &[]).await.expect("the test's SQL").get(0)
    }

    /// The one number a query gives.
    pub async fn count(&self, query: &str) -> i64 {
        self.database.connect().await.query_one(query, &[]).await.expect("the test's SQL").get(0)
    }
}

/// The token of the first link to an invitation in a mail.
pub fn token_of_link(mail: &str) -> Option<String> {
    token_of("invitations", mail)
}

/// The token of the first link to this page in a mail, be it one whose long lines are broken (quoted-printable).
pub fn token_of(page: &str, mail: &str) -> Option<String> {
    let mail = mail.replace("=\r\n", "");
    let (_, rest) = mail.split_once(&format!("/{page}/"))?;
    Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect())
}

/// Waits until something has come true, and fails when it takes too long.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "{what}: not in time");
}

/// A task that ends with this value.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The log of servers in this process goes nowhere; tests of the log run the program itself.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::mem::forget(slog_scope::set_global_logger(slog::Logger::root(slog::Discard, slog::o!()))));
}

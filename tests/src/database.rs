//! A database per test, cloned from a migrated template: milliseconds instead of migrations.

use std::{fs, path::Path, time::Duration};

use persistence::{Connector, Timeouts};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

/// A database of its own, dropped in the end.
pub struct Database {
    pub url: String,
    name: String,
    /// Whether it is dropped with this value.
    owned: bool,
}

impl Database {
    /// Clones the template, which the first caller makes.
    pub async fn cloned() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(make_template).await;
        Self::create(&format!("TEMPLATE \"{template}\"")).await
    }

    /// A database without any table.
    pub async fn empty() -> Self {
        Self::create("").await
    }

    async fn create(how: &str) -> Self {
        let name = format!("handrail_test_{}", uuid::Uuid::now_v7().simple());
        let admin = connect(&server_url()).await;
        admin.batch_execute(&format!("CREATE DATABASE \"{name}\" {how}")).await.expect("a database for the test");
        Self { url: with_name(&name), name, owned: true }
    }

    /// The same database, dropped by its owner only.
    #[must_use]
    pub fn borrowed(&self) -> Self {
        Self { url: self.url.clone(), name: self.name.clone(), owned: false }
    }

    /// A connection for looking at and tampering with what is stored.
    pub async fn connect(&self) -> Client {
        connect(&self.url).await
    }

    /// The connector the product uses.
    pub fn connector(&self) -> Connector {
        connector(&self.url)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.owned {
            return;
        }
        let statement = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        // A thread of its own: the test's runtime may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(async { connect(&server_url()).await.batch_execute(&statement).await.ok() })
        });
        let _ = dropping.join();
    }
}

/// The connector the product uses, with its usual bounds.
pub fn connector(url: &str) -> Connector {
    let timeouts = Timeouts { connect: Duration::from_secs(2), statement: Duration::from_secs(5), lock: Duration::from_secs(2) };
    Connector::new(url, timeouts).expect("a database URL")
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the test database server");
    tokio::spawn(connection);
    client
}

#[expect(clippy::disallowed_methods, reason = "a test tool, not the product")]
pub fn server_url() -> String {
    std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL is not set: run the tests with `make test`")
}

fn with_name(name: &str) -> String {
    let url = server_url();
    let (before, after) = url.split_once('?').map_or((url.as_str(), String::new()), |(before, after)| (before, format!("?{after}")));
    let (server, _) = before.rsplit_once('/').expect("a URL with a database name");
    format!("{server}/{name}{after}")
}

/// Makes the template for these migrations unless an earlier run did; of several processes one does, the others wait.
async fn make_template() -> String {
    let name = format!("handrail_template_{}", fingerprint());
    let admin = connect(&server_url()).await;
    admin.batch_execute("SELECT pg_advisory_lock(7467)").await.expect("the template lock");
    let row = admin.query_one("SELECT count(*) FROM pg_database WHERE datname = $1", &[&name]).await.expect("the catalogue");
    if row.get::<_, i64>(0) == 0 {
        let raw = format!("{name}_raw");
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS \"{raw}\" WITH (FORCE)")).await.expect("no leftovers");
        admin.batch_execute(&format!("CREATE DATABASE \"{raw}\"")).await.expect("a template");
        let connector = connector(&with_name(&raw));
        // The migrations block, which a test's single-threaded runtime does not allow.
        let migrating = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
            runtime.block_on(persistence::migrate::run(&connector)).expect("migrations")
        });
        migrating.await.expect("migrations");
        // Renamed when complete, so that a run that was cut off leaves no half-made template.
        admin.batch_execute(&format!("ALTER DATABASE \"{raw}\" RENAME TO \"{name}\"")).await.expect("the template's name");
    }
    admin.batch_execute("SELECT pg_advisory_unlock(7467)").await.expect("the template lock");
    name
}

fn fingerprint() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../persistence/migrations");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("migrations").filter_map(Result::ok).map(|entry| entry.path().join("up.sql")).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(fs::read(file).expect("a migration"));
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

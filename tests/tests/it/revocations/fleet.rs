//! Three servers as processes of their own. The database of the third is behind a wire, so that its connections can be told from the
//! others', and the one that listens is ended again and again.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::{Client, Database, Program, Proxy, Request};
use tokio::task::JoinHandle;

pub(super) const PASSWORD: &str = "difference engine 1843";

pub(super) struct Fleet {
    database: Database,
    addresses: [std::net::SocketAddr; 3],
    _programs: [Program; 3],
    _proxy: Proxy,
    cutting: JoinHandle<()>,
}

impl Fleet {
    pub(super) async fn start() -> Self {
        let (proxy, database) = (Proxy::start().await, Database::cloned().await);
        let start = |url: &str| {
            let off = ["LOGIN", "LOGIN_ACCOUNT", "REGISTER", "ADDRESS", "ACCOUNT", "KEY", "BAD_CREDENTIALS"]
                .map(|name| format!("RATE_LIMIT_{name}"));
            let mut variables = vec![("DATABASE_URL", url), ("PORT", "0"), ("LOG_ACCESS", "false")];
            variables.extend([("ADMIN_EMAIL", "root@example.com"), ("ADMIN_PASSWORD", PASSWORD)]);
            variables.extend(off.iter().map(|name| (name.as_str(), "off")));
            Program::start(&["serve"], &variables)
        };
        let programs = [start(&database.url), start(&database.url), start(&proxy.url(&database))];
        let addresses = programs.each_ref().map(Program::address);
        for address in addresses {
            let client = Client::new(address, None);
            while client.get("/readyz").try_send().await.is_ok_and(|status| status != 200) {
                tokio::task::yield_now().await;
            }
        }
        let connection = database.connect().await;
        let cutting = tokio::spawn(async move {
            loop {
                let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE datname = current_database() AND application_name = 'handrail-listener' AND client_addr IS NOT NULL";
                let _ = connection.batch_execute(cut).await;
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        });
        Self { database, addresses, _programs: programs, _proxy: proxy, cutting }
    }

    /// A client of the first server.
    pub(super) fn first(&self, token: Option<String>) -> Client {
        Client::new(self.addresses[0], token)
    }

    pub(super) async fn sql(&self, statement: &str) {
        self.database.connect().await.batch_execute(statement).await.expect("the test's SQL");
    }

    /// Somebody new with their id, signed in.
    pub(super) async fn register(&self, email: &str) -> (Client, String) {
        let body = json!({ "email": email, "name": "Somebody", "password": PASSWORD });
        let answer = self.first(None).post("/api/auth/register").json(&body).send().await.expect(201);
        (self.first(Some(answer.text_at("/token"))), answer.text_at("/user/id"))
    }

    pub(super) async fn log_in(&self, email: &str) -> Client {
        let body = json!({ "email": email, "password": PASSWORD });
        self.first(Some(self.first(None).post("/api/auth/login").json(&body).send().await.expect(200).text_at("/token")))
    }

    pub(super) async fn admin(&self) -> Client {
        self.log_in("root@example.com").await
    }

    /// Lets every server get to know somebody, makes the change at the first, and says how long it takes until all of them answer the
    /// path with this status.
    pub(super) async fn until_refused(&self, known: &Client, path: &str, status: u16, change: Request) -> Duration {
        for address in self.addresses {
            let known = known.at(address);
            known.get(path).send().await.expect(200);
            known.get(path).send().await.expect(200);
        }
        change.send().await.expect(200);
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        for address in self.addresses {
            let known = known.at(address);
            loop {
                // Counted from the change until the last request that is still let in was sent, and until the first that is not.
                let answer = known.get(path).send().await;
                if answer.status == status {
                    break;
                }
                assert_eq!(answer.status, 200, "{path}: {}", answer.text);
                assert!(begun.elapsed() < Duration::from_secs(5), "{path} is never {status}");
            }
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.cutting.abort();
    }
}

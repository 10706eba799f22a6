//! The database goes away, hangs, is locked or full: 503 with `Retry-After` soon, and recovery by itself.

use std::time::{Duration, Instant};

use tests::{App, Database, Proxy};

async fn behind_a_proxy() -> (Proxy, App) {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    (proxy, App::on(database, &url, &[]).await)
}

/// Asks until it is answered with this status; fails when that takes longer than the bound.
async fn until(app: &App, path: &str, status: u16, bound: Duration) {
    let begun = Instant::now();
    while app.anon().get(path).send().await.status != status {
        assert!(begun.elapsed() < bound, "{path} is not {status} within {bound:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_lost_database_is_503_and_comes_back_by_itself() {
    let (proxy, app) = behind_a_proxy().await;
    let ada = app.user("Ada").await;
    ada.client.get("/api/profile").send().await.expect(200);
    for _ in 0..3 {
        proxy.cut();
        for path in ["/api/users", "/api/posts", "/api/search?query=a", "/api/profile"] {
            let begun = Instant::now();
            let answer = ada.client.get(path).send().await.expect_error(503, "UNAVAILABLE");
            assert_eq!((answer.header("retry-after"), answer.text_at("/error").as_str()), (Some("1"), "Service unavailable"));
            assert!(begun.elapsed() < Duration::from_secs(6), "{path}");
        }
        app.anon().get("/healthz").send().await.expect(200);
        assert_eq!(app.anon().get("/readyz").send().await.expect_error(503, "UNAVAILABLE").text_at("/error"), "Not ready: database");
        proxy.mend();
        for path in ["/api/users", "/api/posts", "/readyz"] {
            until(&app, path, 200, Duration::from_secs(5)).await;
        }
    }
}

#[tokio::test]
async fn connections_lost_between_requests_are_replaced_unnoticed() {
    let (proxy, app) = behind_a_proxy().await;
    let ada = app.user("Ada").await;
    for _ in 0..5 {
        ada.client.get("/api/profile").send().await.expect(200);
        app.anon().get("/api/posts").send().await.expect(200);
        app.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
            .await;
        ada.client.get("/api/profile").send().await.expect(200);
        until(&app, "/api/posts", 200, Duration::from_secs(2)).await;
    }
    drop(proxy);
}

#[tokio::test]
async fn a_frozen_database_does_not_hang_the_server() {
    let (proxy, app) = behind_a_proxy().await;
    let ada = app.user("Ada").await;
    app.anon().get("/api/posts").send().await.expect(200);
    proxy.freeze();
    let begun = Instant::now();
    let (profile, posts) = futures::join!(ada.client.get("/api/profile").send(), app.anon().get("/api/posts").send());
    profile.expect_error(503, "UNAVAILABLE");
    posts.expect_error(503, "UNAVAILABLE");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    app.anon().get("/healthz").send().await.expect(200);
    proxy.mend();
    until(&app, "/api/posts", 200, Duration::from_secs(5)).await;
    ada.client.get("/api/profile").send().await.expect(200);
}

#[tokio::test]
async fn a_locked_table_exhausts_nothing_for_good() {
    let app = App::with(&[("DATABASE_POOL_SIZE", "4"), ("DATABASE_POOL_WAIT_MS", "500"), ("DATABASE_LOCK_TIMEOUT_MS", "1000")]).await;
    let locker = app.database.connect().await;
    locker.batch_execute("BEGIN; LOCK TABLE posts IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    let readers = (0..40).map(|_| app.anon().get("/api/posts").send());
    let health = async {
        let begun = Instant::now();
        app.anon().get("/healthz").send().await.expect(200);
        assert!(begun.elapsed() < Duration::from_secs(1));
    };
    let (answers, ()) = futures::join!(futures::future::join_all(readers), health);
    assert!(answers.iter().all(|answer| answer.status == 503 && answer.header("retry-after").is_some()));
    app.anon().get("/api/users").send().await.expect(200);
    locker.batch_execute("ROLLBACK").await.expect("the end of the lock");
    until(&app, "/api/posts", 200, Duration::from_secs(3)).await;
}

#[tokio::test]
async fn clients_who_leave_take_no_connection_with_them() {
    let app = App::with(&[("DATABASE_POOL_SIZE", "4")]).await;
    let ada = app.user("Ada").await;
    let locker = app.database.connect().await;
    locker.batch_execute("BEGIN; LOCK TABLE posts IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    for _ in 0..20 {
        let body = serde_json::json!({ "title": "t", "content": "c" });
        let leaving = ada.client.post("/api/posts").json(&body).try_send();
        let _ = tokio::time::timeout(Duration::from_millis(20), leaving).await;
    }
    locker.batch_execute("ROLLBACK").await.expect("the end of the lock");
    until(&app, "/api/posts", 200, Duration::from_secs(5)).await;
    for _ in 0..40 {
        app.anon().get("/api/posts").send().await.expect(200);
    }
    assert_eq!(app.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'").await, 0);
}

#[tokio::test]
async fn a_server_full_of_connections_is_503() {
    let database = Database::cloned().await;
    let role = format!("limited_{}", uuid::Uuid::now_v7().simple());
    let sql = database.connect().await;
    sql.batch_execute(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 2; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"))
        .await
        .expect("a role");
    let url = database.url.replace("app@", &format!("{role}@"));
    // One for what listens, one for what is read.
    let (held, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("a connection");
    let (also_held, other) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("the last connection");
    let connections = tokio::spawn(async { tokio::join!(connection, other) });
    let app = App::on(database, &url, &[("WORKER", "false"), ("DATABASE_READ_CONNECTIONS", "1")]).await;
    app.anon().get("/api/users").send().await.expect_error(503, "UNAVAILABLE");
    app.anon().get("/api/posts").send().await.expect_error(503, "UNAVAILABLE");
    drop((held, also_held));
    let _ = connections.await;
    until(&app, "/api/users", 200, Duration::from_secs(3)).await;
    drop(app);
    sql.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.ok();
}

//! The program itself: start, stop, waiting, commands, log.

use std::{io::Write, process::Stdio};

use serde_json::{Value, json};
use tests::{Database, Program, command};

fn serve(database: &Database) -> Program {
    Program::start(&["serve"], &[("DATABASE_URL", &database.url), ("PORT", "0"), ("WORKERS", "1")])
}

#[tokio::test(flavor = "multi_thread")]
async fn it_migrates_makes_an_administrator_once_serves_and_stops() {
    let database = Database::empty().await;
    let mut program = serve(&database);
    let admin = program.expect_line("admin@example.com");
    let client = program.client();
    assert_eq!(client.get("/api/users").send().await.expect(200).json().as_array().map(Vec::len), Some(1));
    let password = admin.split_whitespace().last().expect("a password").to_owned();
    let kept = std::fs::read_to_string(program.folder().join(".data/admin-password")).expect("the kept password");
    assert_eq!(kept.trim(), password);
    let login = json!({ "email": "admin@example.com", "password": password });
    assert_eq!(client.post("/api/auth/login").json(&login).send().await.expect(200).at("/user/role"), "admin");
    program.terminate();
    assert!(program.wait().success(), "{}", program.output());

    let mut again = serve(&database);
    again.client().get("/readyz").send().await;
    again.expect_line("Stop");
    assert!(!again.output().contains("admin@example.com"), "made once:\n{}", again.output());
    again.interrupt();
    assert!(again.wait().success());

    // A kept password of another database is not shown for this one.
    let other = Database::empty().await;
    let data = program.folder().join(".data");
    let variables = [("DATABASE_URL", other.url.as_str()), ("PORT", "0"), ("WORKERS", "1"), ("DATA_DIR", data.to_str().expect("a path"))];
    let mut with_given = Program::start(
        &["serve"],
        &[&variables[..], &[("ADMIN_EMAIL", "boss@example.com"), ("ADMIN_PASSWORD", "given password 77")]].concat(),
    );
    with_given.expect_line("Stop");
    assert!(!with_given.output().contains(&password), "{}", with_given.output());
    let login = json!({ "email": "boss@example.com", "password": "given password 77" });
    with_given.client().post("/api/auth/login").json(&login).send().await.expect(200);
    with_given.terminate();
    assert!(with_given.wait().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_url_it_brings_its_own_and_keeps_the_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let variables = [("DATA_DIR", data.to_str().expect("a path")), ("PORT", "0"), ("WORKERS", "1")];
    let mut program = Program::start(&["serve"], &variables);
    program.expect_line("Stop");
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": "difference engine 1843" });
    program.client().post("/api/auth/register").json(&body).send().await.expect(201);
    let database = program.expect_line("Database");
    // Commands beside it use its database; a second server is told.
    assert!(command(&["migrate"], &variables).status().expect("an end").success());
    let second = command(&["serve"], &variables).output().expect("an end");
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && told.contains("another `make run` is using it"), "{told}");
    program.interrupt();
    assert!(program.wait().success(), "{}", program.output());

    let mut again = Program::start(&["serve"], &variables);
    again.expect_line("Stop");
    let login = json!({ "email": "ada@example.com", "password": "difference engine 1843" });
    again.client().post("/api/auth/login").json(&login).send().await.expect(200);
    again.terminate();
    assert!(again.wait().success());
    // Data that root's stand-in cannot reach lies in the system's temporary folder.
    if let Some((_, moved)) = database.split_once("private, in ") {
        let moved = std::path::Path::new(moved.trim());
        if !moved.starts_with(folder.path()) {
            let _ = std::fs::remove_dir_all(moved.parent().expect("its folder"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_waits_for_the_database_it_lives_but_is_not_ready() {
    let variables =
        [("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"), ("PORT", "0"), ("WORKERS", "1"), ("DATABASE_START_TIMEOUT_SECONDS", "4")];
    let mut program = Program::start(&["serve"], &variables);
    let line = program.expect_line("waiting for the database");
    assert!(line.contains("none at 127.0.0.1:1") && line.contains("refused"), "{line}");
    let client = program.client();
    client.get("/healthz").send().await.expect(200);
    assert_eq!(client.get("/readyz").send().await.expect_error(503, "UNAVAILABLE").text_at("/error"), "Not ready: database");
    let answer = client.get("/api/users").send().await.expect_error(503, "UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!program.wait().success());
    let line = program.expect_line("handrail: ");
    assert!(line.contains("did not answer within 4 s") && line.contains("refused"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_is_said_at_once() {
    let database = Database::empty().await;
    let url = database.url.replace("handrail_test_", "absent_");
    let mut program = Program::start(&["serve"], &[("DATABASE_URL", &url), ("PORT", "0")]);
    assert!(!program.wait().success());
    assert!(program.expect_line("handrail: ").contains("does not exist"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_server_waits_for_its_migrations() {
    let database = Database::empty().await;
    let variables =
        [("APP_ENV", "production"), ("DATABASE_URL", database.url.as_str()), ("PORT", "0"), ("WORKERS", "1"), ("DRAIN_SECONDS", "0")];
    let mut program = Program::start(&["serve"], &variables);
    program.expect_line("waiting for `handrail migrate`");
    let client = program.client();
    assert_eq!(client.get("/readyz").send().await.expect_error(503, "UNAVAILABLE").text_at("/error"), "Not ready: migrations");
    client.get("/api/users").send().await.expect_error(503, "UNAVAILABLE");
    // Several at once: one migrates, the others wait and find nothing to do.
    let migrate = || command(&["migrate"], &[("DATABASE_URL", &database.url)]).stdout(Stdio::piped()).spawn().expect("migrate");
    let ran: Vec<String> = [migrate(), migrate(), migrate()]
        .into_iter()
        .map(|child| String::from_utf8_lossy(&child.wait_with_output().expect("an end").stdout).into_owned())
        .collect();
    assert_eq!(ran.iter().filter(|text| text.starts_with("Ran ")).count(), 1, "{ran:?}");
    assert_eq!(ran.iter().filter(|text| text.contains("up to date")).count(), 2, "{ran:?}");
    while client.get("/readyz").send().await.status != 200 {
        tokio::task::yield_now().await;
    }
    client.get("/api/users").send().await.expect(200);

    program.terminate();
    assert!(program.wait().success());
    for line in program.output().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(["time", "level", "msg"].iter().all(|key| line[*key].is_string()), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_requests_but_no_secrets() {
    let database = Database::empty().await;
    let variables =
        [("LOG_FORMAT", "json"), ("LOG_LEVEL", "debug"), ("DATABASE_URL", database.url.as_str()), ("PORT", "0"), ("WORKERS", "1")];
    let mut program = Program::start(&["serve"], &variables);
    program.expect_line("Stop");
    let client = program.client();
    let body = json!({ "email": "ada@example.com", "name": "Ada", "password": "difference engine 1843" });
    let token = client.post("/api/auth/register").json(&body).send().await.expect(201).text_at("/token");
    let profile = client.get("/api/profile").header("cookie", &format!("session={token}")).header("x-request-id", "look-here");
    let id = profile.send().await.expect(200).text_at("/id");
    client.get("/api/search?query=private-words").send().await.expect(200);
    client.get("/api/posts/01900000-0000-7000-8000-000000000000").send().await.expect(404);
    program.terminate();
    assert!(program.wait().success());
    let log = program.output();
    let line: Value = serde_json::from_str(&program.expect_line("look-here")).expect("a JSON line");
    assert_eq!(
        (&line["method"], &line["route"], &line["status"], &line["user_id"]),
        (&json!("GET"), &json!("/api/profile"), &json!(200), &json!(id))
    );
    assert!(line["duration_ms"].is_f64() && line["msg"] == "request");
    assert!(log.contains("/api/posts/{id}"));
    for secret in [token.as_str(), "difference engine", "ada@example.com", "private-words", "\u{1b}"] {
        assert!(!log.contains(secret), "{secret} in the log:\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let database = Database::cloned().await;
    let variables = [("DATABASE_URL", database.url.as_str()), ("PORT", "0"), ("WORKERS", "1"), ("DRAIN_SECONDS", "300")];
    let mut program = Program::start(&["serve"], &variables);
    program.expect_line("Stop");
    let client = program.client();
    program.terminate();
    program.expect_line("stopping");
    while client.get("/readyz").send().await.status != 503 {
        tokio::task::yield_now().await;
    }
    client.get("/api/users").send().await.expect(200);
    program.terminate();
    assert!(program.wait().success());
}

#[test]
fn wrong_settings_are_all_named_and_nothing_starts() {
    let output = command(&["serve"], &[("PORT", "x"), ("LOG_LEVEL", "loud"), ("APP_ENV", "production")]).output().expect("an end");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(["3 settings", "PORT", "LOG_LEVEL", "DATABASE_URL"].iter().all(|word| text.contains(word)), "{text}");
}

#[test]
fn config_prints_stars_for_secrets() {
    let variables = [("DATABASE_URL", "postgres://user:hunter2@host/name"), ("ADMIN_EMAIL", "a@b.co"), ("ADMIN_PASSWORD", "swordfish99")];
    let output = command(&["config"], &variables).output().expect("an end");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("postgres://user:***@host/name"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("swordfish99"));
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_create_makes_administrators_and_resets_passwords() {
    let database = Database::empty().await;
    let create = |password: &str| {
        let mut child = command(&["admin", "create", "--email", "root@example.com"], &[("DATABASE_URL", &database.url)])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("admin create");
        child.stdin.take().expect("input").write_all(password.as_bytes()).expect("a password");
        child.wait_with_output().expect("an end")
    };
    assert!(create("first password 12\n").status.success());
    assert!(create("second password 34\n").status.success());
    let easy = create("password\n");
    assert!(!easy.status.success() && String::from_utf8_lossy(&easy.stderr).contains("Too easy"));
    assert!(String::from_utf8_lossy(&create("short\n").stderr).contains("password: Must be at least 8 characters"));

    let program = serve(&database);
    program.expect_line("Stop");
    let client = program.client();
    let login = |password: &str| client.post("/api/auth/login").json(&json!({ "email": "root@example.com", "password": password })).send();
    login("first password 12").await.expect(401);
    assert_eq!(login("second password 34").await.expect(200).at("/user/role"), "admin");

    let port = program.expect_line("127.0.0.1:");
    let port: String = port.split("127.0.0.1:").nth(1).unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    assert!(command(&["healthcheck"], &[("PORT", &port)]).status().expect("an end").success());
    assert!(!command(&["healthcheck"], &[("PORT", "1")]).stderr(Stdio::null()).status().expect("an end").success());
}

#[test]
fn openapi_prints_the_description() {
    let output = command(&["openapi"], &[]).output().expect("an end");
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(&printed, tests::contract::document());
}

//! Starts real clusters, as root and as a normal user alike.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cluster::{Cluster, Error, Settings};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// A folder that is removed with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("cluster-test-{}-{name}", std::process::id()));
        make_open_dir(&path);
        Self(path)
    }

    fn settings(&self) -> Settings {
        settings(&self.0.join("postgres"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Whatever the umask: the server's user may be another one.
fn make_open_dir(path: &Path) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

fn settings(data_dir: &Path) -> Settings {
    Settings { data_dir: data_dir.to_owned(), bin_dir: None, durable: true, max_connections: 20 }
}

/// Runs SQL and returns the first column of the first row.
fn ask(cluster: &Cluster, sql: &str) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = cluster.url("postgres");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        messages.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
    })
}

fn kill(pid: u32) {
    kill_process(process(pid), Signal::KILL).unwrap();
}

fn process(pid: u32) -> Pid {
    Pid::from_raw(pid.try_into().unwrap()).unwrap()
}

fn ends_within(pid: u32, time_max: Duration) -> bool {
    let began = Instant::now();
    while test_kill_process(process(pid)).is_ok() {
        if began.elapsed() > time_max {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn sockets(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().path().display().to_string().contains(".s.PGSQL")).count()
}

#[test]
fn second_start_finds_the_data_and_stop_leaves_nothing_running() {
    let folder = Folder::new("keeps");
    // A name with all that a list of folders, a URL or a command line could stumble on.
    let settings = settings(&folder.0.join("a \"b\", 100% ü?"));
    let first = Cluster::start(&settings).unwrap();
    assert_eq!(first.data_dir(), settings.data_dir.canonicalize().unwrap());
    ask(&first, "CREATE TABLE kept (name text); INSERT INTO kept VALUES ('Ünal')");
    assert_eq!(ask(&first, "SELECT upper('ü')").as_deref(), Some("Ü"));
    assert_eq!(ask(&first, "SHOW max_connections").as_deref(), Some("20"));
    assert_eq!(ask(&first, "SHOW fsync").as_deref(), Some("on"));
    let (pid, socket_dir) = (first.pid(), first.data_dir().join("socket"));
    assert_eq!(sockets(&socket_dir), 2);
    first.stop().unwrap();
    assert!(test_kill_process(process(pid)).is_err());
    assert_eq!(sockets(&socket_dir), 0);

    let second = Cluster::start(&Settings { durable: false, ..settings }).unwrap();
    assert_eq!(ask(&second, "SELECT name FROM kept").as_deref(), Some("Ünal"));
    assert_eq!(ask(&second, "SHOW fsync").as_deref(), Some("off"));
    let pid = second.pid();
    drop(second);
    assert!(test_kill_process(process(pid)).is_err());
}

#[test]
fn start_recovers_after_the_server_was_killed() {
    let folder = Folder::new("killed");
    let first = Cluster::start(&folder.settings()).unwrap();
    ask(&first, "CREATE TABLE kept AS SELECT 7 AS number");
    kill(first.pid());
    drop(first);
    let second = Cluster::start(&folder.settings()).unwrap();
    assert_eq!(ask(&second, "SELECT number FROM kept").as_deref(), Some("7"));
}

#[test]
fn start_clears_a_stale_pid_file() {
    let folder = Folder::new("stale");
    let first = Cluster::start(&folder.settings()).unwrap();
    let pid_file = first.data_dir().join("postmaster.pid");
    let socket = first.data_dir().join("socket/.s.PGSQL.5432");
    let written = fs::read_to_string(&pid_file).unwrap();
    let rest = written.split_once('\n').unwrap().1.to_owned();
    first.stop().unwrap();

    let mut zombie = Command::new("true").spawn().unwrap();
    let mut ended = Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let other = Cluster::start(&settings(&folder.0.join("other"))).unwrap();
    // A zombie, no process at all, one that is no server, and a server on other data.
    for pid in [zombie.id(), ended.id(), std::process::id(), other.pid()] {
        fs::write(&pid_file, format!("{pid}\n{rest}")).unwrap();
        fs::write(&socket, "").unwrap();
        fs::write(socket.with_extension("5432.lock"), format!("{pid}\n")).unwrap();
        let next = Cluster::start(&folder.settings()).unwrap();
        assert_ne!(next.pid(), pid);
        assert_eq!(ask(&next, "SELECT 1").as_deref(), Some("1"));
    }
    zombie.wait().unwrap();
}

#[test]
fn start_repairs_an_interrupted_initdb_and_keeps_off_foreign_files() {
    let folder = Folder::new("half");
    let half = folder.0.join("postgres.new");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("PG_VERSION"), "15\n").unwrap();
    Cluster::start(&folder.settings()).unwrap().stop().unwrap();
    assert!(!half.exists());

    let foreign = settings(&folder.0.join("foreign"));
    fs::create_dir(&foreign.data_dir).unwrap();
    fs::write(foreign.data_dir.join("letter.txt"), "dear").unwrap();
    assert!(matches!(Cluster::start(&foreign), Err(Error::NotACluster(_))));
}

#[test]
fn data_in_use_is_refused_with_the_pid_of_its_server() {
    let folder = Folder::new("in-use");
    let first = Cluster::start(&folder.settings()).unwrap();
    let error = Cluster::start(&folder.settings()).unwrap_err();
    assert!(matches!(&error, Error::InUse { pid, .. } if *pid == first.pid()));
    assert!(error.to_string().contains("another `make run`"), "{error}");
    assert_eq!(ask(&first, "SELECT 1").as_deref(), Some("1"));
}

#[test]
fn missing_binaries_and_a_foreign_version_say_what_to_do() {
    let folder = Folder::new("binaries");
    let nowhere = folder.0.join("nowhere");
    let missing = Settings { bin_dir: Some(nowhere.clone()), ..folder.settings() };
    let error = Cluster::start(&missing).unwrap_err();
    assert!(matches!(&error, Error::NotFound { looked_in } if *looked_in == [nowhere.clone()]));
    let text = error.to_string();
    for way in ["apt-get install postgresql", "PG_BIN_DIR", "DATABASE_URL", "`make up`", "nowhere"] {
        assert!(text.contains(way), "{text}");
    }

    let old = folder.settings();
    fs::create_dir(&old.data_dir).unwrap();
    fs::write(old.data_dir.join("PG_VERSION"), "9.6\n").unwrap();
    let error = Cluster::start(&old).unwrap_err();
    assert!(matches!(&error, Error::Version { needed: 9, found, .. } if !found.is_empty()), "{error}");
}

#[test]
fn server_that_ends_while_starting_is_reported_with_its_last_words() {
    let folder = Folder::new("ends");
    Cluster::start(&folder.settings()).unwrap().stop().unwrap();
    let data_dir = folder.settings().data_dir;
    fs::write(data_dir.join("postgresql.conf"), "no_such_setting = on\n").unwrap();
    let error = Cluster::start(&folder.settings()).unwrap_err();
    assert!(matches!(error, Error::Exited { .. }));
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[test]
fn path_too_long_for_a_socket_works() {
    let folder = Folder::new("long");
    let long = folder.0.join("x".repeat(120));
    make_open_dir(&long);
    let settings = settings(&long.join("postgres"));
    let cluster = Cluster::start(&settings).unwrap();
    assert_eq!(ask(&cluster, "SELECT 1").as_deref(), Some("1"));
    let socket_dir = ask(&cluster, "SHOW unix_socket_directories").unwrap();
    let socket_dir = Path::new(socket_dir.trim_matches('"'));
    assert!(socket_dir.is_dir() && !socket_dir.starts_with(&folder.0));
    cluster.stop().unwrap();
    assert!(!socket_dir.exists());
}

#[test]
fn data_that_the_servers_user_cannot_reach_moves_to_the_temporary_folder() {
    let folder = Folder::new("closed");
    fs::set_permissions(&folder.0, Permissions::from_mode(0o700)).unwrap();
    let first = Cluster::start(&folder.settings()).unwrap();
    ask(&first, "CREATE TABLE kept AS SELECT 7 AS number");
    let data_dir = first.data_dir().to_owned();
    let moved = !data_dir.starts_with(folder.0.canonicalize().unwrap());
    assert_eq!(moved, rustix::process::geteuid().is_root());
    first.stop().unwrap();
    let second = Cluster::start(&folder.settings()).unwrap();
    assert_eq!(second.data_dir(), data_dir);
    assert_eq!(ask(&second, "SELECT number FROM kept").as_deref(), Some("7"));
    second.stop().unwrap();
    if moved {
        fs::remove_dir_all(data_dir.parent().unwrap()).unwrap();
    }
}

#[test]
fn server_of_a_killed_program_ends_and_does_not_hinder_the_next() {
    let folder = Folder::new("parent");
    for at_once in [true, false] {
        let mut program = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "holds_a_cluster", "--ignored", "--nocapture"])
            .env("CLUSTER_TEST_DATA", folder.settings().data_dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let pid = lines.find_map(|line| line.unwrap().rsplit_once("server ")?.1.parse().ok()).unwrap();
        program.kill().unwrap();
        program.wait().unwrap();
        // Without `setpriv` it is the next start that ends it.
        if !at_once && cfg!(target_os = "linux") {
            assert!(ends_within(pid, Duration::from_secs(5)));
        }
        let next = Cluster::start(&folder.settings()).unwrap();
        assert_ne!(next.pid(), pid);
        let log = fs::read_to_string(next.data_dir().join("server.log")).unwrap();
        assert!(!log.contains("not properly shut down"), "{log}");
    }
}

#[test]
#[ignore = "run by the test above as a program of its own, to be killed"]
#[expect(clippy::disallowed_methods, reason = "a message from the test above, not a setting")]
fn holds_a_cluster() {
    let data_dir = PathBuf::from(std::env::var_os("CLUSTER_TEST_DATA").unwrap());
    let cluster = Cluster::start(&settings(&data_dir)).unwrap();
    println!("server {}", cluster.pid());
    std::thread::sleep(Duration::from_secs(60));
}

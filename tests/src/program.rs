//! The program itself, as users run it.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::Client;

/// A running `handrail`, killed in the end if it still runs.
pub struct Program {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

impl Program {
    /// Starts `handrail <arguments>` in an empty folder with only these variables set.
    pub fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = command(arguments, variables)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program; `make test` builds it");
        let output = Arc::new(Mutex::new(Vec::new()));
        let readers: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("output")), Box::new(child.stderr.take().expect("errors"))];
        for reader in readers {
            let output = Arc::clone(&output);
            std::thread::spawn(move || {
                for line in BufReader::new(reader).lines().map_while(Result::ok) {
                    output.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                }
            });
        }
        Self { child, output, folder }
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Everything it printed so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// Waits until it printed a line with this text, and returns the line.
    pub fn expect_line(&self, text: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let found = self.output.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|line| line.contains(text)).cloned();
            match found {
                Some(line) => return line,
                None if Instant::now() > deadline => panic!("no {text:?} in:\n{}", self.output()),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// The address it says it listens on.
    pub fn address(&self) -> std::net::SocketAddr {
        let line = self.expect_line("127.0.0.1:");
        let (_, rest) = line.split_once("127.0.0.1:").expect("an address");
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        format!("127.0.0.1:{port}").parse().expect("an address")
    }

    /// A client for that address.
    pub fn client(&self) -> Client {
        Client::new(self.address(), None)
    }

    /// How many files and sockets it holds open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("a running program").count()
    }

    /// Asks it to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Asks it to stop, as an orchestrator does.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it without a word, as the kernel does when memory runs out.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("its process id");
        kill_process(pid, signal).expect("a running program");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.child.try_wait().expect("the program's end") {
                Some(status) => return status,
                None if Instant::now() > deadline => panic!("it runs on:\n{}", self.output()),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `handrail <arguments>`, for those who want its output whole.
pub fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(path());
    command.args(arguments).env_clear().envs(variables.iter().copied());
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// Beside the test's own executable: `target/<profile>/deps/it-…` and `target/<profile>/handrail`.
fn path() -> PathBuf {
    let own = std::env::current_exe().expect("the test's own path");
    own.ancestors().nth(2).expect("the target folder").join("handrail")
}

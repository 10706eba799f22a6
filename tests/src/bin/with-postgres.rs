//! Runs a command with a throw-away PostgreSQL: `with-postgres cargo test`. The command finds it under `TEST_DATABASE_URL`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use cluster::{Cluster, Settings};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("with-postgres: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test tool, not the product")]
fn run() -> Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().context("say which command to run")?;
    let mut command = Command::new(program);
    command.args(words);
    if std::env::var_os("TEST_DATABASE_URL").is_some() {
        return finish(&mut command);
    }
    // A terminal's Ctrl-C reaches the command by itself; this program has to outlive it to clean up.
    let _ignored = signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::default())?;
    let folder = tempfile::Builder::new().prefix("handrail-test-").tempdir()?;
    // PostgreSQL refuses to run as root and then runs as another user, who has to get in.
    #[cfg(unix)]
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let bin_dir = std::env::var_os("PG_BIN_DIR").filter(|folder| !folder.is_empty()).map(Into::into);
    let cluster = Cluster::start(&Settings { data_dir: folder.path().join("postgres"), bin_dir, durable: false, max_connections: 300 })?;
    let result = finish(command.env("TEST_DATABASE_URL", cluster.url("postgres")));
    cluster.stop()?;
    result
}

fn finish(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().context("the command cannot be run")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

//! The database's settings.

use std::path::PathBuf;

use super::SECOND_MS;
use crate::{reader::Reader, types::Database, values::redact_url};

pub(super) fn read(r: &mut Reader<'_>, processors: usize, production: bool) -> Database {
    r.section("Database");
    let url = r.secret(
        "DATABASE_URL",
        "postgres://user:password@host/name; absent in development: a private PostgreSQL in DATA_DIR; required in production",
        // Not `Url`: a unix socket is written without a host, which it refuses. The driver reads the rest.
        |text| match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(()),
            _ => Err("must be a URL of the form postgres://user:password@host/name".to_owned()),
        },
        redact_url,
    );
    if production && url.is_none() {
        r.problem("DATABASE_URL is required in production");
    }
    Database {
        url,
        data_dir: r
            .value("DATA_DIR", ".data".to_owned(), "folder of the private database and the first administrator's password", |text| {
                Ok(text.to_owned())
            })
            .into(),
        bin_dir: r
            .optional("PG_BIN_DIR", "folder of the PostgreSQL programs, when it is not found by itself", |text| Ok(text.to_owned()))
            .map(PathBuf::from),
        migrate_on_start: r.flag(
            "MIGRATE_ON_START",
            !production,
            "whether serve brings the schema up to date (false in production: run handrail migrate)",
        ),
        pool_size: r
            .number_if_set("DATABASE_POOL_SIZE", 1..=1000, "pooled connections of the process; 4 per processor when absent")
            .unwrap_or(processors.max(1) * 4),
        read_connections: r.number("DATABASE_READ_CONNECTIONS", 2, 1..=64, "pipelined connections for short reads, per worker"),
        pool_wait: r.duration("DATABASE_POOL_WAIT_MS", 2000, 10..=60_000, 1, "longest wait for a pooled connection"),
        connect_timeout: r.duration("DATABASE_CONNECT_TIMEOUT_MS", 2000, 10..=60_000, 1, "longest wait for a new connection"),
        statement_timeout: r.duration("DATABASE_STATEMENT_TIMEOUT_MS", 5000, 10..=600_000, 1, "longest time a statement may run"),
        lock_timeout: r.duration("DATABASE_LOCK_TIMEOUT_MS", 2000, 10..=600_000, 1, "longest time a statement may wait for a lock"),
        read_timeout: r.duration("DATABASE_READ_TIMEOUT_MS", 2000, 10..=60_000, 1, "longest time a short read may take"),
        start_timeout: r.duration("DATABASE_START_TIMEOUT_SECONDS", 60, 0..=86_400, SECOND_MS, "time to wait for the database at start"),
    }
}

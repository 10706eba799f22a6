//! The log: one pipe for our records and those of the libraries, written by a thread of its own.

use std::{
    io::{self, LineWriter},
    sync::Mutex,
};

use config::{Log, LogFormat, LogLevel};
use slog::{Drain, FnValue, Level, Logger, PushFnValue, o};

/// The crates whose information is for operators.
const OURS: [&str; 6] = ["api", "auth", "cluster", "persistence", "upstream", "worker"];

/// Records that may wait to be written. A worker that finds it full goes on without; how many were lost is told in the log.
const QUEUE: usize = 8192;
/// Bytes gathered before a line's end: the formatter writes in crumbs.
const LINE: usize = 16 * 1024;

/// Keeps the log going; what is still waiting is written when it is dropped.
pub(crate) struct Guard {
    _scope: slog_scope::GlobalLoggerGuard,
    _writer: slog_async::AsyncGuard,
}

/// Starts the log on standard error in development, on standard output in production.
pub(crate) fn start(settings: Log) -> Guard {
    let level = match settings.level {
        LogLevel::Trace => Level::Trace,
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warning,
        LogLevel::Error => Level::Error,
    };
    let (drain, writer) = match settings.format {
        LogFormat::Pretty => {
            let decorator = slog_term::TermDecorator::new().stderr().build();
            queued(slog_term::FullFormat::new(decorator).use_custom_timestamp(clock).build().fuse())
        }
        LogFormat::Json => {
            let output = LineWriter::with_capacity(LINE, io::stdout());
            let json = slog_json::Json::new(output)
                .add_key_value(o!(
                    "time" => PushFnValue(|_, serializer| serializer.emit(now())),
                    "level" => FnValue(|record| record.level().as_str().to_ascii_lowercase()),
                    "msg" => PushFnValue(|record, serializer| serializer.emit(record.msg())),
                ))
                .set_newlines(true)
                .set_flush(false)
                .build();
            queued(Mutex::new(json).fuse())
        }
    };
    // What a client's bad bytes make of a connection is an error to the HTTP library, not to whoever watches this log.
    // What libraries tell at their own info level is for their developers. What was not bridged has no tag.
    let ours = |tag: &str| {
        tag.is_empty() || OURS.iter().any(|name| tag.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
    };
    let worth = move |record: &slog::Record<'_>| record.level().is_at_least(Level::Warning) || ours(record.tag());
    let quiet =
        move |record: &slog::Record<'_>| Level::Debug.is_at_least(level) || worth(record) && !record.tag().starts_with("actix_http");
    let root = Logger::root(drain.filter(quiet).filter_level(level).fuse(), o!());
    let scope = slog_scope::set_global_logger(root);
    let bridged = match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warning => log::Level::Warn,
        _ => log::Level::Error,
    };
    if slog_stdlog::init_with_level(bridged).is_err() {
        slog_scope::warn!("another logger is in place: records of libraries are not shown");
    }
    Guard { _scope: scope, _writer: writer }
}

fn queued<D>(drain: D) -> (slog_async::Async, slog_async::AsyncGuard)
where
    D: Drain<Ok = (), Err = slog::Never> + Send + 'static,
{
    slog_async::Async::new(drain).chan_size(QUEUE).overflow_strategy(slog_async::OverflowStrategy::DropAndReport).build_with_guard()
}

#[expect(clippy::disallowed_methods, reason = "a log line says when it was written")]
fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[expect(clippy::disallowed_methods, reason = "a log line says when it was written")]
fn clock(out: &mut dyn io::Write) -> io::Result<()> {
    write!(out, "{}", chrono::Utc::now().format("%H:%M:%S%.3f"))
}

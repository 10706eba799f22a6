//! What is logged of a request.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::{Method, StatusCode, header::HeaderValue},
};
use domain::{Code, Error, UserId};
use slog::{KV, Record, Serializer};

use super::{Boundary, Seen};

/// One line per request: no query string, body, address or e-mail, so that the log may be kept. The causes of a 5xx are told here, once.
pub(super) fn log_line(
    settings: &Boundary,
    seen: &Seen,
    request: Option<&HttpRequest>,
    user: Option<UserId>,
    status: StatusCode,
    error: Option<&Error>,
) {
    let failed = status.is_server_error();
    if !settings.access_log && !failed {
        return;
    }
    let line = Line {
        method: seen.method.clone(),
        route: request.and_then(HttpRequest::match_pattern),
        status: status.as_u16(),
        duration: seen.started.elapsed(),
        id: seen.id.clone(),
        user,
        code: error.map(|error| error.code().name()),
        cause: error.filter(|_| failed).map(Error::causes),
    };
    slog_scope::with_logger(|logger| match error {
        Some(error) if error.code() == Code::InternalError => slog::error!(logger, "request"; line),
        Some(_) if failed => slog::warn!(logger, "request"; line),
        _ => slog::info!(logger, "request"; line),
    });
}

/// What a log line says of a request; what is not known is left out.
struct Line {
    method: Method,
    route: Option<String>,
    status: u16,
    duration: Duration,
    id: HeaderValue,
    user: Option<UserId>,
    code: Option<&'static str>,
    cause: Option<String>,
}

impl KV for Line {
    fn serialize(&self, _: &Record<'_>, out: &mut dyn Serializer) -> slog::Result {
        out.emit_str("method", self.method.as_str())?;
        out.emit_str("route", self.route.as_deref().unwrap_or("-"))?;
        out.emit_u16("status", self.status)?;
        let micros = u32::try_from(self.duration.as_micros()).unwrap_or(u32::MAX);
        out.emit_f64("duration_ms", f64::from(micros) / 1000.0)?;
        out.emit_str("request_id", self.id.to_str().unwrap_or_default())?;
        if let Some(user) = &self.user {
            out.emit_arguments("user_id", &format_args!("{user}"))?;
        }
        if let Some(code) = self.code {
            out.emit_str("code", code)?;
        }
        self.cause.as_deref().map_or(Ok(()), |cause| out.emit_str("cause", cause))
    }
}

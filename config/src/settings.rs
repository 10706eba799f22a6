//! The settings: one line each, with name, default, bounds and meaning, grouped by who needs them.

mod auth;
mod billing;
mod cache;
mod chat;
mod database;
mod http;
mod limits;
mod mail;
mod proxy;
mod uploads;
mod webhooks;

use crate::{
    reader::Reader,
    types::{Admin, Config, Environment, Log, LogFormat, LogLevel},
};

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

pub(crate) fn read(r: &mut Reader<'_>, processors: usize) -> Config {
    r.section("Where it runs");
    let environment = r
        .choice(
            "APP_ENV",
            &[("development", Environment::Development), ("production", Environment::Production)],
            "development",
            "development or production",
        )
        .unwrap_or(Environment::Development);
    let production = environment == Environment::Production;
    let worker = r.flag("WORKER", true, "whether serve also processes webhook events, sends mail and sweeps; else run handrail worker");
    let http = http::read(r, processors, production);
    let database = database::read(r, processors, production);
    let auth = auth::read(r, processors);
    let limits = limits::read(r);
    let mail = mail::read(r, &http, production);
    if auth.require_verified_email && production && mail.smtp_url.is_none() {
        r.problem("REQUIRE_VERIFIED_EMAIL needs SMTP_URL in production: without mail nobody could verify an address");
    }
    let uploads = uploads::read(r, &database.data_dir, production);
    let webhooks = webhooks::read(r);
    let billing = billing::read(r);
    let proxy = proxy::read(r);
    let cache = cache::read(r);
    let chat = chat::read(r);
    let admin = admin(r);
    let log = log(r, production);
    Config { environment, worker, http, database, auth, limits, mail, uploads, webhooks, billing, proxy, cache, chat, admin, log }
}

fn admin(r: &mut Reader<'_>) -> Option<Admin> {
    r.section("First administrator, made at start when there is none");
    let email = r.optional("ADMIN_EMAIL", "address to log in with", |text| Ok(text.to_owned()));
    let password = r.secret("ADMIN_PASSWORD", "password, 8 to 256 characters", |_| Ok(()), |_| "***".to_owned());
    match (email, password) {
        (Some(email), Some(password)) => Some(Admin { email, password }),
        (None, None) => None,
        _ => {
            r.problem("ADMIN_EMAIL and ADMIN_PASSWORD go together: set both or neither");
            None
        }
    }
}

fn log(r: &mut Reader<'_>, production: bool) -> Log {
    r.section("Log");
    Log {
        level: r
            .choice(
                "LOG_LEVEL",
                &[
                    ("trace", LogLevel::Trace),
                    ("debug", LogLevel::Debug),
                    ("info", LogLevel::Info),
                    ("warn", LogLevel::Warn),
                    ("error", LogLevel::Error),
                ],
                "info",
                "trace, debug, info, warn or error",
            )
            .unwrap_or(LogLevel::Info),
        format: r
            .choice(
                "LOG_FORMAT",
                &[("pretty", LogFormat::Pretty), ("json", LogFormat::Json)],
                if production { "json" } else { "pretty" },
                "pretty or json (json in production)",
            )
            .unwrap_or(LogFormat::Json),
        access: r.flag("LOG_ACCESS", true, "whether every request gets a line"),
    }
}

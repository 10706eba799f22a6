//! The settings of sessions, passwords and what else concerns accounts.

use super::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::{reader::Reader, types::Auth};

pub(super) fn read(r: &mut Reader<'_>, processors: usize) -> Auth {
    r.section("Sessions and passwords");
    let auth = Auth {
        session_idle: r.duration("SESSION_IDLE_HOURS", 168, 1..=8760, HOUR_MS, "a session ends when unused for this long"),
        session_max: r.duration("SESSION_MAX_DAYS", 30, 1..=3650, DAY_MS, "a session ends this long after its log-in"),
        session_renew: r.duration("SESSION_RENEW_MINUTES", 60, 1..=1440, MINUTE_MS, "a used session is written at most this often"),
        session_memory: r.duration(
            "SESSION_MEMORY_SECONDS",
            60,
            0..=600,
            SECOND_MS,
            "who a caller is may be remembered this long, revocations aside; 0 looks up every time",
        ),
        audit: r.duration("AUDIT_DAYS", 400, 1..=36_500, DAY_MS, "the audit log goes back this long"),
        invitation: r.duration("INVITATION_DAYS", 7, 1..=90, DAY_MS, "an invitation is open for this long"),
        verification: r.duration(
            "EMAIL_VERIFICATION_HOURS",
            24,
            1..=720,
            HOUR_MS,
            "the mailed link that verifies an address works this long",
        ),
        password_reset: r.duration("PASSWORD_RESET_MINUTES", 60, 5..=1440, MINUTE_MS, "the mailed link to set a password works this long"),
        require_verified_email: r.flag("REQUIRE_VERIFIED_EMAIL", false, "whether only accounts whose address is verified may write posts"),
        hash_concurrency: r
            .number_if_set(
                "PASSWORD_HASH_CONCURRENCY",
                1..=256,
                "passwords hashed at the same time (19 MiB each); one per processor when absent",
            )
            .unwrap_or(processors.max(1)),
        hash_queue: r.number("PASSWORD_HASH_QUEUE", 32, 0..=10_000, "log-ins that may wait for their hash; more get 503"),
    };
    if auth.session_renew >= auth.session_idle {
        r.problem("SESSION_RENEW_MINUTES must be shorter than SESSION_IDLE_HOURS, or used sessions would end");
    }
    auth
}

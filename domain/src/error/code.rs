//! The error catalogue: every code a client can meet, its status, and when it happens.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// What happened, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "ErrorCode")]
pub enum Code {
    /// Malformed or invalid input.
    ValidationError,
    /// A webhook without a signature.
    MissingSignature,
    /// A webhook whose signature is wrong.
    InvalidSignature,
    /// A token from a mail that opens nothing.
    InvalidToken,
    /// No valid session.
    Unauthorized,
    /// Not allowed.
    Forbidden,
    /// The address has yet to be verified.
    EmailNotVerified,
    /// Not there, or not visible.
    NotFound,
    /// A known path, another method.
    MethodNotAllowed,
    /// Nothing that the route offers is accepted.
    NotAcceptable,
    /// The body did not arrive in time.
    RequestTimeout,
    /// It contradicts what is stored.
    Conflict,
    /// The e-mail address belongs to another account.
    EmailTaken,
    /// The slug belongs to another.
    SlugTaken,
    /// The account is a member already.
    AlreadyMember,
    /// The address is invited already.
    AlreadyInvited,
    /// The invitation let somebody in already.
    InvitationUsed,
    /// The invitation waited too long.
    InvitationExpired,
    /// The first request under the idempotency key is not through yet.
    IdempotencyKeyInUse,
    /// The last owner cannot leave or be demoted.
    LastOwner,
    /// The last administrator cannot be removed or demoted.
    LastAdmin,
    /// It would be more than an account may keep.
    QuotaExceeded,
    /// What `If-Match` asks for does not hold.
    PreconditionFailed,
    /// The body is too large.
    PayloadTooLarge,
    /// The content type is not taken here.
    UnsupportedMediaType,
    /// The part that was asked for is not there.
    RangeNotSatisfiable,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// A change without `If-Match`.
    PreconditionRequired,
    /// Too much in too little time.
    RateLimited,
    /// A fault of the server.
    InternalError,
    /// An outside service failed.
    UpstreamError,
    /// Needed but away or full for now.
    Unavailable,
    /// The feature's settings are absent.
    NotConfigured,
    /// An outside service did not answer in time.
    UpstreamTimeout,
}

/// A row of the error catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Catalogued {
    /// The code.
    pub code: Code,
    /// Its HTTP status.
    pub status: u16,
    /// Its name on the wire.
    pub name: &'static str,
    /// When it happens, in one line for the documentation.
    pub when: &'static str,
}

const fn row(code: Code, status: u16, name: &'static str, when: &'static str) -> Catalogued {
    Catalogued { code, status, name, when }
}

impl Code {
    /// Every code, by status.
    pub const TABLE: &'static [Catalogued] = &[
        row(
            Self::ValidationError,
            400,
            "VALIDATION_ERROR",
            "A malformed or invalid body, query or path; `details` says which fields and why.",
        ),
        row(Self::MissingSignature, 400, "MISSING_SIGNATURE", "A webhook without the header that signs it."),
        row(Self::InvalidSignature, 400, "INVALID_SIGNATURE", "A webhook whose signature is wrong, or too old or too new."),
        row(
            Self::InvalidToken,
            400,
            "INVALID_TOKEN",
            "The token of a mailed link is unknown, used up, replaced by a newer one, or expired.",
        ),
        row(Self::Unauthorized, 401, "UNAUTHORIZED", "No session, or an expired or revoked one; with `WWW-Authenticate: Bearer`."),
        row(Self::Forbidden, 403, "FORBIDDEN", "Signed in but not allowed, or a cookie request from another site."),
        row(
            Self::EmailNotVerified,
            403,
            "EMAIL_NOT_VERIFIED",
            "The account has yet to prove that its address is its own: `POST /api/auth/verify-email/request` sends the mail.",
        ),
        row(Self::NotFound, 404, "NOT_FOUND", "No such path or resource."),
        row(Self::MethodNotAllowed, 405, "METHOD_NOT_ALLOWED", "The path exists, the method does not; with `Allow`."),
        row(Self::NotAcceptable, 406, "NOT_ACCEPTABLE", "`Accept` names none of the media types that the route offers."),
        row(Self::RequestTimeout, 408, "REQUEST_TIMEOUT", "The body did not arrive in time."),
        row(Self::Conflict, 409, "CONFLICT", "The request contradicts what is stored."),
        row(Self::EmailTaken, 409, "EMAIL_TAKEN", "Another account has this e-mail address (case does not count)."),
        row(
            Self::SlugTaken,
            409,
            "SLUG_TAKEN",
            "Another organisation, or another project of the organisation, has this slug; deleted ones keep theirs for 30 days.",
        ),
        row(Self::AlreadyMember, 409, "ALREADY_MEMBER", "The account belongs to the organisation already."),
        row(Self::AlreadyInvited, 409, "ALREADY_INVITED", "An invitation to this address is open already; it can be sent again."),
        row(Self::InvitationUsed, 409, "INVITATION_USED", "The invitation has let somebody in already."),
        row(Self::InvitationExpired, 409, "INVITATION_EXPIRED", "The invitation has expired; ask for another."),
        row(
            Self::IdempotencyKeyInUse,
            409,
            "IDEMPOTENCY_KEY_IN_USE",
            "The first request under this `Idempotency-Key` is not through yet; with `Retry-After`.",
        ),
        row(
            Self::LastOwner,
            409,
            "LAST_OWNER",
            "The last owner of an organisation can neither leave, be removed, nor be demoted; make somebody else an owner first.",
        ),
        row(Self::LastAdmin, 409, "LAST_ADMIN", "The last administrator can be neither deleted nor demoted."),
        row(
            Self::QuotaExceeded,
            409,
            "QUOTA_EXCEEDED",
            "The account would keep more files, or more bytes in them, than it may; delete some.",
        ),
        row(
            Self::PreconditionFailed,
            412,
            "PRECONDITION_FAILED",
            "The resource is not what `If-Match` says any more: read it again before changing it.",
        ),
        row(Self::PayloadTooLarge, 413, "PAYLOAD_TOO_LARGE", "The body is larger than the route takes."),
        row(
            Self::UnsupportedMediaType,
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "The route takes other content types, other kinds of file, or no content coding.",
        ),
        row(Self::RangeNotSatisfiable, 416, "RANGE_NOT_SATISFIABLE", "The file ends before the range begins; with `Content-Range`."),
        row(Self::IdempotencyKeyReused, 422, "IDEMPOTENCY_KEY_REUSED", "The `Idempotency-Key` was used for another request."),
        row(
            Self::PreconditionRequired,
            428,
            "PRECONDITION_REQUIRED",
            "This server takes changes only with `If-Match` (`REQUIRE_IF_MATCH`).",
        ),
        row(Self::RateLimited, 429, "RATE_LIMITED", "Too many requests of this kind; with `Retry-After` and the `RateLimit` headers."),
        row(Self::InternalError, 500, "INTERNAL_ERROR", "A fault of the server; the log has the cause under the same `requestId`."),
        row(Self::UpstreamError, 502, "UPSTREAM_ERROR", "An outside service failed; trying again later may help."),
        row(
            Self::Unavailable,
            503,
            "UNAVAILABLE",
            "The database, the storage or an upstream is away or full, a queue is full, or the server is draining; with `Retry-After`.",
        ),
        row(Self::NotConfigured, 503, "NOT_CONFIGURED", "The settings of this feature are absent."),
        row(Self::UpstreamTimeout, 504, "UPSTREAM_TIMEOUT", "An outside service did not answer in time."),
    ];

    fn row(self) -> Option<&'static Catalogued> {
        Self::TABLE.iter().find(|row| row.code == self)
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().map_or(500, |row| row.status)
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().map_or("INTERNAL_ERROR", |row| row.name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_table_under_its_wire_name() {
        let schema = schemars::schema_for!(Code);
        let schema = serde_json::to_value(schema).unwrap_or_default();
        let wire: Vec<&str> = schema["oneOf"].as_array().into_iter().flatten().filter_map(|one| one["const"].as_str()).collect();
        let table: Vec<&str> = Code::TABLE.iter().map(|row| row.name).collect();
        assert_eq!(wire, table);
    }
}

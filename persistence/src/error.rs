//! What the database said, told apart by what a caller can do about it.

use diesel::result::{ConnectionError, DatabaseErrorKind, Error as Diesel};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A query that did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, full or too slow; trying again later may help.
    #[error("the database is busy or away")]
    Busy(#[source] Source),
    /// A unique constraint of this name refused a value.
    #[error("{constraint} is taken")]
    Taken {
        /// The constraint or index.
        constraint: String,
    },
    /// A check, trigger or foreign key of this name refused the change.
    #[error("{constraint} refused")]
    Refused {
        /// The constraint.
        constraint: String,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first request under the idempotency key is not through yet.
    #[error("the idempotency key is in use")]
    KeyInUse,
    /// The query itself is wrong: a fault of ours.
    #[error("the query failed")]
    Query(#[source] Source),
}

impl Error {
    /// `Busy`, said in words.
    pub(crate) fn busy(reason: &'static str) -> Self {
        Self::Busy(reason.into())
    }
}

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        let Diesel::DatabaseError(kind, information) = &error else { return Self::Query(error.into()) };
        let constraint = information.constraint_name().unwrap_or_default().to_owned();
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Taken { constraint },
            DatabaseErrorKind::CheckViolation | DatabaseErrorKind::ForeignKeyViolation => Self::Refused { constraint },
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ReadOnlyTransaction => Self::Busy(error.into()),
            _ if is_lost(&error) || is_temporary(information.message()) => Self::Busy(error.into()),
            _ => Self::Query(error.into()),
        }
    }
}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Self {
        Self::Busy(error.into())
    }
}

/// Whether the connection went away under the query.
pub(crate) fn is_lost(error: &Diesel) -> bool {
    match error {
        Diesel::DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, _) => true,
        Diesel::DatabaseError(_, information) => information.message().starts_with("terminating connection"),
        _ => false,
    }
}

/// Whether somebody else held a lock for too long.
pub(crate) fn is_lock_timeout(error: &Diesel) -> bool {
    matches!(error, Diesel::DatabaseError(_, information) if information.message().starts_with("canceling statement due to lock timeout"))
}

/// Whether the server's text names a condition that passes. Diesel does not hand on the SQLSTATE (57014, 55P03, 57P03, 53300,
/// 40P01, 53100), so the English text has to tell; a server that speaks another language makes these 500 instead of 503.
fn is_temporary(message: &str) -> bool {
    ["canceling statement due to", "the database system is", "sorry, too many clients", "remaining connection slots", "deadlock detected"]
        .iter()
        .any(|start| message.starts_with(start))
        || message.contains("No space left on device")
}

impl From<Error> for domain::Error {
    fn from(error: Error) -> Self {
        use domain::{Code, Details};
        match &error {
            Error::Busy(_) => Self::unavailable(error),
            Error::Taken { constraint } if constraint == "users_email_key" => {
                Self::new(Code::EmailTaken, "Email already taken").with_details(Details::field("email", "Already taken"))
            }
            Error::Taken { constraint } if constraint == "organisations_slug_key" || constraint == "projects_slug_key" => {
                Self::new(Code::SlugTaken, "Slug already taken").with_details(Details::field("slug", "Already taken"))
            }
            Error::Taken { constraint } if constraint == "invitations_pending_key" => {
                Self::new(Code::AlreadyInvited, "This address is invited already").with_details(Details::field("email", "Already invited"))
            }
            Error::Taken { .. } => Self::new(Code::Conflict, "Conflict").with_source(error),
            Error::Refused { constraint } if constraint == "users_last_admin" => {
                Self::new(Code::LastAdmin, "The last administrator can be neither deleted nor demoted")
            }
            Error::Refused { constraint } if constraint == "memberships_last_owner" => {
                Self::new(Code::LastOwner, "The last owner can neither leave nor be demoted")
            }
            // The membership or the organisation went away between the look at it and the write.
            Error::Refused { constraint }
                if ["api_keys_membership_fkey", "projects_org_id_fkey", "invitations_org_id_fkey", "billing_customers_org_id_fkey"]
                    .contains(&constraint.as_str()) =>
            {
                Self::not_found("Organisation")
            }
            // The account went away between the look at its session and the write.
            Error::Refused { constraint }
                if [
                    "posts_author_id_fkey",
                    "sessions_user_id_fkey",
                    "memberships_user_id_fkey",
                    "api_keys_user_id_fkey",
                    "chat_usage_user_id_fkey",
                    "uploads_user_id_fkey",
                ]
                .contains(&constraint.as_str()) =>
            {
                Self::unauthorized()
            }
            Error::KeyReused => Self::new(Code::IdempotencyKeyReused, "The idempotency key was used for another request"),
            Error::KeyInUse => Self::new(Code::IdempotencyKeyInUse, "The first request under this idempotency key is not through yet"),
            Error::Query(_) | Error::Refused { .. } => Self::internal(error),
        }
    }
}

//! The queue of all mail. What is due stands with what it is about (an invitation, or `account_mails`), so that it comes and goes in the
//! same transaction; here it is taken and ended in one way.
//!
//! The token is made for each attempt by whoever sends it, and only its hash is stored: an attempt that failed leaves nothing that opens
//! a door. The hash also tells the attempts apart: what became of one says nothing of a mail that was asked for again meanwhile.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::OrgRole;
use uuid::Uuid;

use crate::{Db, Result, account_mails, invitations, sessions::TokenHash};

/// A mail to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The row it stands in.
    pub id: Uuid,
    /// The address.
    pub to: String,
    /// What it says.
    pub letter: Letter,
    /// Until when its token can be used.
    pub expires_at: DateTime<Utc>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// What a mail says.
#[derive(Debug, Clone)]
pub enum Letter {
    /// Somebody is invited.
    Invitation {
        /// The organisation's name.
        organisation: String,
        /// Who invited, if their account still exists.
        inviter: Option<String>,
        /// The role that waits.
        role: OrgRole,
    },
    /// Somebody is asked to prove that the address is theirs.
    Verification,
    /// Somebody forgot their password.
    Reset,
    /// The password of the account is another one; there is no token in it.
    PasswordChanged,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// A mail server took it.
    Sent,
    /// It is to be tried again after this time.
    Again(Duration),
    /// It cannot be sent at all.
    GivenUp,
}

/// Takes a mail that is due, gives it this token, and makes it due again after `lease`, in case that nobody says what became of it. Those to
/// accounts come first: somebody waits in front of a screen for them.
pub async fn take_due(db: &Db, token: &TokenHash, lease: Duration) -> Result<Option<Outgoing>> {
    match account_mails::take_due(db, token, lease).await? {
        Some(mail) => Ok(Some(mail)),
        None => invitations::take_due(db, token, lease).await,
    }
}

/// Says what became of the attempt with this token.
pub async fn finish(db: &Db, mail: &Outgoing, token: &TokenHash, after: After) -> Result<()> {
    match mail.letter {
        Letter::Invitation { .. } => invitations::finish(db, mail.id, token, after).await,
        _ => account_mails::finish(db, mail.id, token, after).await,
    }
}

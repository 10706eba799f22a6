//! What mails say, and where their links lead.

use domain::OrgRole;
use persistence::mail::{Letter, Outgoing};
use upstream::mail::Mail;

/// What a mail is about, for the log.
pub(super) fn kind(letter: &Letter) -> &'static str {
    match letter {
        Letter::Invitation { .. } => "invitation",
        Letter::Verification => "verification",
        Letter::Reset => "password reset",
        Letter::PasswordChanged => "password change",
    }
}

/// The page of the front end that the mail is for.
pub(super) fn link(letter: &Letter, app_url: &str, token: &str) -> String {
    match letter {
        Letter::Invitation { .. } => format!("{app_url}/invitations/{token}"),
        Letter::Verification => format!("{app_url}/verify-email/{token}"),
        Letter::Reset => format!("{app_url}/reset-password/{token}"),
        Letter::PasswordChanged => format!("{app_url}/forgot-password"),
    }
}

/// Puts a mail into words.
pub(super) fn compose(outgoing: &Outgoing, link: &str) -> Mail {
    let until = outgoing.expires_at.format("%-d %B %Y, %H:%M UTC");
    let (subject, text) = match &outgoing.letter {
        Letter::Invitation { organisation, inviter, role } => invitation(organisation, inviter.as_deref(), *role),
        // Without the name of the account: whoever made it may have written it for somebody else to read.
        Letter::Verification => (
            "Is this your address?".to_owned(),
            "Hello,\n\nthis address was given for an account. If it was by you, open this link to verify it:".to_owned(),
        ),
        Letter::Reset => (
            "Set a new password".to_owned(),
            "Hello,\n\nsomebody asked for a new password for your account. To set one, open this link:".to_owned(),
        ),
        Letter::PasswordChanged => return password_changed(outgoing, link),
    };
    let text = format!("{text}\n\n{link}\n\nIt works once, until {until}. If you did not expect it, there is nothing to do.\n");
    Mail { to: outgoing.to.clone(), subject, text, html: None }
}

fn invitation(organisation: &str, inviter: Option<&str>, role: OrgRole) -> (String, String) {
    let organisation = shown(organisation);
    let inviter = inviter.map_or_else(|| "Somebody".to_owned(), shown);
    let role = match role {
        OrgRole::Owner => "an owner",
        OrgRole::Admin => "an administrator",
        OrgRole::Member => "a member",
    };
    (
        format!("{inviter} invites you to {organisation}"),
        format!(
            "{inviter} invites you to join {organisation} as {role}.\n\n\
             To accept, open this link and sign in with this address:"
        ),
    )
}

fn password_changed(outgoing: &Outgoing, link: &str) -> Mail {
    Mail {
        to: outgoing.to.clone(),
        subject: "Your password was changed".to_owned(),
        text: format!(
            "The password of your account was changed, and its other sessions ended. Its API keys may go on working.\n\n\
             If it was you, there is nothing to do. If it was not, set a new one at once, then revoke the API keys you do not know:\n\n\
             {link}\n"
        ),
        html: None,
    }
}

/// A name as it can stand in a line. Of the control characters, names may hold those beyond ASCII, at which a mailer balks.
fn shown(name: &str) -> String {
    name.replace(char::is_control, " ")
}

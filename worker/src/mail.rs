//! Sends the mails of invitations. What is due stands in the database, so that a mail is neither lost with a process nor waited for by
//! a request; several processes share the work.

use std::{convert::Infallible, time::Duration};

use domain::OrgRole;
use persistence::{
    Db, Result,
    invitations::{self, Outgoing},
    sessions::TokenHash,
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use upstream::mail::{Mail, Mailer, Sent};

/// How long to wait for something to become due, at most, before looking again.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a mail may be under way before others take it for lost.
const LEASE: Duration = Duration::from_secs(10 * 60);
/// How long to wait before the second attempt; each further wait is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The longest wait between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// After so many attempts, spread over about half a day, a mail is given up.
const ATTEMPTS_MAX: u32 = 18;

/// A token made for one mail: its text for the link, and its hash for the database.
pub struct NewToken {
    /// The text.
    pub text: String,
    /// The hash.
    pub hash: TokenHash,
}

/// What sending takes.
pub struct Post {
    /// By what.
    pub mailer: Mailer,
    /// The address of the front end, without a trailing slash: links lead to `<app>/invitations/<token>`.
    pub app_url: String,
    /// Whether links are logged: only where mail goes to a folder anyway.
    pub log_links: bool,
    /// Makes tokens.
    pub new_token: fn() -> domain::Result<NewToken>,
}

/// Sends until it is dropped. `due` wakes it at once; what other processes leave undone it finds by looking.
pub async fn run(db: &Db, post: &Post, due: &Notify) -> Infallible {
    loop {
        match send_one(db, post).await {
            Ok(true) => {}
            Ok(false) => {
                let _ = timeout(LOOK_EVERY, due.notified()).await;
            }
            Err(error) => {
                log::warn!("mail that is due could not be looked for, later again: {error}");
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

/// Sends one mail that is due; false when there is none.
async fn send_one(db: &Db, post: &Post) -> Result<bool> {
    let token = match (post.new_token)() {
        Ok(token) => token,
        Err(error) => {
            log::error!("no token for a mail: {error}");
            return Ok(false);
        }
    };
    let Some(outgoing) = invitations::take_due(db, &token.hash, LEASE).await? else { return Ok(false) };
    let link = format!("{}/invitations/{}", post.app_url, token.text);
    let id = outgoing.id;
    match post.mailer.send(&compose(&outgoing, &link)).await {
        Ok(sent) => {
            told(&sent, post, &link);
            invitations::sent(db, id, &token.hash).await?;
        }
        Err(error) if error.is_permanent() || outgoing.attempt >= ATTEMPTS_MAX => {
            log::warn!("the mail of invitation {id} is given up: {error}");
            invitations::give_up(db, id, &token.hash).await?;
        }
        Err(error) => {
            let pause = pause_after(outgoing.attempt);
            log::warn!("the mail of invitation {id} is tried again in {} s: {error}", pause.as_secs());
            invitations::delay(db, id, &token.hash, pause).await?;
        }
    }
    Ok(true)
}

fn told(sent: &Sent, post: &Post, link: &str) {
    match sent {
        Sent::Server { message_id } => log::info!("mail handed over as {message_id}"),
        Sent::File { path } if post.log_links => log::info!("mail written to {}, it invites to {link}", path.display()),
        Sent::File { path } => log::info!("mail written to {}", path.display()),
    }
}

/// Doubles with every attempt; of many mails that failed together, each comes back at another time.
fn pause_after(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_PAUSE);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}

/// A name as it can stand in a line. Of the control characters, names may hold those beyond ASCII, at which a mailer balks.
fn shown(name: &str) -> String {
    name.replace(char::is_control, " ")
}

fn compose(outgoing: &Outgoing, link: &str) -> Mail {
    let organisation = shown(&outgoing.organisation);
    let inviter = outgoing.inviter.as_deref().map_or_else(|| "Somebody".to_owned(), shown);
    let role = match outgoing.role {
        OrgRole::Owner => "an owner",
        OrgRole::Admin => "an administrator",
        OrgRole::Member => "a member",
    };
    let until = outgoing.expires_at.format("%-d %B %Y, %H:%M UTC");
    Mail {
        to: outgoing.email.clone(),
        subject: format!("{inviter} invites you to {organisation}"),
        text: format!(
            "{inviter} invites you to join {organisation} as {role}.\n\n\
             To accept, open this link and sign in with this address:\n\n{link}\n\n\
             It works once, until {until}. If you did not expect it, there is nothing to do.\n"
        ),
        html: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        for attempt in 1..60 {
            let pause = pause_after(attempt);
            assert!(pause >= FIRST_PAUSE / 2 && pause <= LONGEST_PAUSE, "{attempt}: {pause:?}");
        }
        assert!(pause_after(20) >= LONGEST_PAUSE / 2);
    }
}

//! Sends all mail. What is due stands in the database, so that a mail is neither lost with a process nor waited for by a request; several
//! processes share the work.

mod letters;

use std::{convert::Infallible, time::Duration};

use persistence::{
    Db, Result,
    mail::{self, After},
    sessions::TokenHash,
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use upstream::mail::{Mailer, Sent};

use crate::backoff::Backoff;

/// How long to wait for something to become due, at most, before looking again.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a mail may be under way before others take it for lost.
const LEASE: Duration = Duration::from_secs(10 * 60);
/// How long to wait between two attempts.
const PAUSES: Backoff = Backoff { first: Duration::from_secs(15), longest: Duration::from_secs(60 * 60), least: 0.5 };
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
    /// The address of the front end, without a trailing slash: links lead to `<app>/invitations/<token>` and the like.
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
    let Some(outgoing) = mail::take_due(db, &token.hash, LEASE).await? else { return Ok(false) };
    let link = letters::link(&outgoing.letter, &post.app_url, &token.text);
    let (kind, id) = (letters::kind(&outgoing.letter), outgoing.id);
    let after = match post.mailer.send(&letters::compose(&outgoing, &link)).await {
        Ok(sent) => {
            told(&sent, post, &link);
            After::Sent
        }
        Err(error) if error.is_permanent() || outgoing.attempt >= ATTEMPTS_MAX => {
            log::warn!("the mail of {kind} {id} is given up: {error}");
            After::GivenUp
        }
        Err(error) => {
            let pause = PAUSES.after(outgoing.attempt);
            log::warn!("the mail of {kind} {id} is tried again in {} s: {error}", pause.as_secs());
            After::Again(pause)
        }
    };
    mail::finish(db, &outgoing, &token.hash, after).await?;
    Ok(true)
}

fn told(sent: &Sent, post: &Post, link: &str) {
    match sent {
        Sent::Server { message_id } => log::info!("mail handed over as {message_id}"),
        Sent::File { path } if post.log_links => log::info!("mail written to {}, its link is {link}", path.display()),
        Sent::File { path } => log::info!("mail written to {}", path.display()),
    }
}

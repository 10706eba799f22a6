//! Making accounts and signing in.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use domain::{
    Code, Error, Result, Role,
    audit::Actor,
    session::SignedIn,
    user::{Credentials, NewUser, PasswordChange, Registration},
};
use persistence::{
    Db, Tx, audit,
    sessions::{self, NewSession, TokenHash},
    users::{self, NewAccount, Ownership},
};

use crate::{
    Limiter, Passwords, Session, Settings, Token, cookie,
    identity::{self, bearer},
};

/// The longest client name that is kept, in characters.
const USER_AGENT_MAX: usize = 256;

/// The client somebody signs in with.
#[derive(Debug, Clone)]
pub struct Client {
    user_agent: Option<String>,
    /// The token it came with: that session ends at log-in, so that a planted token is worth nothing afterwards.
    replaces: Option<TokenHash>,
    /// Where it came from: nobody as yet.
    actor: Actor,
}

impl FromRequest for Client {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = request.headers().get(header::USER_AGENT).map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.chars().filter(|character| !character.is_control()).take(USER_AGENT_MAX).collect()
        });
        let token = bearer(request)
            .and_then(Token::parse)
            .or_else(|| request.app_data::<Data<Settings>>().and_then(|settings| cookie::token(request, settings)));
        ready(Ok(Self { user_agent, replaces: token.map(|token| token.hash()), actor: identity::actor(request, None) }))
    }
}

impl Client {
    /// The client, for what it changes.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// An ordinary account that is about to be made and signed in; its password is hashed.
pub struct Joining {
    account: NewAccount,
    token: Token,
}

impl Joining {
    /// Prepares a registration: what takes long, before a connection is held.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` for a password that is too easy, `UNAVAILABLE`.
    pub async fn prepare(passwords: &Passwords, settings: &Settings, new: Registration) -> Result<Self> {
        let hash = passwords.hash("password", &new.password, &[&new.email, &new.name]).await?;
        let ownership = ownership(settings);
        let account = NewAccount { email: new.email, name: new.name, role: Role::User, password_hash: Some(hash), ownership };
        Ok(Self { account, token: Token::generate()? })
    }

    /// Makes the account and its first session.
    ///
    /// # Errors
    /// `EMAIL_TAKEN`.
    pub async fn join(&self, tx: &mut Tx<'_>, settings: &Settings, client: &Client) -> Result<SignedIn> {
        let agent = client.user_agent.as_deref();
        let user = sessions::register(tx, &self.account, &self.token.hash(), agent, settings.lifetime).await?;
        Ok(SignedIn { user, token: self.token.reveal() })
    }
}

/// Whoever gets an account is asked by mail whether the address is theirs, where mail can be sent.
fn ownership(settings: &Settings) -> Ownership {
    settings.mailed.map_or(Ownership::Claimed, |mailed| Ownership::Asked(mailed.verification))
}

/// Prepares an account for somebody else: its password is hashed.
///
/// # Errors
/// `VALIDATION_ERROR` for a password that is too easy, `UNAVAILABLE`.
pub async fn prepare(passwords: &Passwords, settings: &Settings, new: NewUser) -> Result<NewAccount> {
    let password_hash = match &new.password {
        Some(password) => Some(passwords.hash("password", password, &[&new.email, &new.name]).await?),
        None => None,
    };
    Ok(NewAccount { email: new.email, name: new.name, role: new.role, password_hash, ownership: ownership(settings) })
}

/// Signs in. The answer and its timing are the same for an unknown address, an account without a password and a wrong password.
///
/// Too many failures throttle the account, but not for a client that is signed in to it already: nobody is locked out of where they are
/// by somebody else's guessing.
///
/// # Errors
/// `UNAUTHORIZED`, `RATE_LIMITED`, `UNAVAILABLE`.
pub async fn login(
    db: &Db,
    passwords: &Passwords,
    settings: &Settings,
    limiter: &Limiter,
    given: &Credentials,
    client: Client,
) -> Result<SignedIn> {
    let throttled = limiter.admit_account(db, &given.email).await;
    if let Err(refusal) = throttled
        && !is_at_home(db, settings, given, &client).await?
    {
        return Err(refusal);
    }
    let wrong = || Error::new(Code::Unauthorized, "Invalid email or password");
    let account = users::account(db, &given.email).await?;
    let hash = account.as_ref().and_then(|account| account.password_hash.as_deref());
    let fits = passwords.verify(&given.password, hash).await?;
    let (Some(account), Some(hash), true) = (&account, hash, fits) else {
        limiter.count_failure(db, &given.email).await?;
        audit::login_failed(db, &client.actor, account.map(|account| account.user.id)).await?;
        return Err(wrong());
    };
    // Said only to who knows the password.
    if account.user.banned {
        return Err(Error::new(Code::Forbidden, "This account is banned"));
    }
    let token = Token::generate()?;
    let session = NewSession {
        user: account.user.id,
        token_hash: token.hash(),
        password_hash: hash.to_owned(),
        user_agent: client.user_agent,
        replaces: client.replaces,
    };
    sessions::begin(db, &client.actor, &session, settings.lifetime).await?.ok_or_else(wrong)?;
    Ok(SignedIn { user: account.user.clone(), token: token.reveal() })
}

/// Changes the caller's password and ends all their other sessions. The password so far is asked for, and wrong ones count as failed
/// log-ins: a session that was stolen is not enough to take the account over.
///
/// # Errors
/// `VALIDATION_ERROR` for a wrong password so far or one that is too easy from now on, `RATE_LIMITED`, `UNAVAILABLE`.
pub async fn change_password(db: &Db, passwords: &Passwords, limiter: &Limiter, session: &Session, given: &PasswordChange) -> Result<()> {
    let account = users::account_of(db, session.user).await?.ok_or_else(Error::unauthorized)?;
    let email = &account.user.email;
    limiter.admit_account(db, email).await?;
    let wrong = || Error::invalid_field("currentPassword", "Wrong password");
    let fits = passwords.verify(&given.current_password, account.password_hash.as_deref()).await?;
    let Some(old) = account.password_hash.as_deref().filter(|_| fits) else {
        limiter.count_failure(db, email).await?;
        audit::login_failed(db, &session.actor, Some(account.user.id)).await?;
        return Err(wrong());
    };
    let hash = passwords.hash("newPassword", &given.new_password, &[email, &account.user.name]).await?;
    if sessions::change_password(db, &session.actor, session.user, old, &hash, session.id).await? { Ok(()) } else { Err(wrong()) }
}

/// Whether the client came with a live session of the very account it logs in to.
async fn is_at_home(db: &Db, settings: &Settings, given: &Credentials, client: &Client) -> Result<bool> {
    let Some(hash) = &client.replaces else { return Ok(false) };
    let Some(live) = sessions::find(db, hash, settings.lifetime).await? else { return Ok(false) };
    Ok(users::account(db, &given.email).await?.is_some_and(|account| account.user.id == live.user))
}

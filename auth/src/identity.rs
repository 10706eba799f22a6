//! Who is calling: reads the credential, looks it up, and remembers what it found for as long as that is sure to hold.

mod memory;

use actix_web::{HttpMessage, HttpRequest, http::header, web::Data};
use domain::{ApiKeyId, Error, OrgId, Result, Role, SessionId, UserId, api_key::Scopes, audit::Actor};
use persistence::{
    Db, api_keys,
    orgs::{self, Member},
    sessions::{self, TokenHash},
};

use crate::{ApiKey, Limiter, Settings, Subject, Token, api_key, cookie, csrf};
pub use memory::Memory;
use memory::{Found, Remembered};

/// Who calls, and by what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    /// The caller.
    pub(crate) user: UserId,
    /// What they may do.
    pub(crate) role: Role,
    /// Whether they proved that their address is theirs.
    pub(crate) verified: bool,
    /// What they came with.
    pub(crate) via: Via,
}

/// What a caller came with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Via {
    /// A session: they do what they may.
    Session(SessionId),
    /// A key: they do what they may, as far as its scopes go, and where it reaches.
    Key { id: ApiKeyId, org: Option<OrgId>, scopes: Scopes },
}

/// A credential that is well formed.
enum Credential {
    Session(Token),
    Key(ApiKey),
}

impl Credential {
    fn parse(text: &str) -> Option<Self> {
        if text.starts_with(api_key::PREFIX) { ApiKey::parse(text).map(Self::Key) } else { Token::parse(text).map(Self::Session) }
    }

    fn hash(&self) -> TokenHash {
        match self {
            Self::Session(token) => token.hash(),
            Self::Key(key) => key.hash(),
        }
    }
}

/// The caller. `None` without credentials, or with a cookie that is worth nothing any more; a bearer credential that is worth nothing is
/// an error, as somebody sent it on purpose.
pub(crate) async fn identify(request: &HttpRequest) -> Result<Option<Identity>> {
    if let Some(known) = request.extensions().get::<Option<Identity>>() {
        return Ok(*known);
    }
    let identity = look(request).await?;
    request.extensions_mut().insert(identity);
    if let Some(identity) = identity {
        request.extensions_mut().insert(identity.user);
    }
    Ok(identity)
}

async fn look(request: &HttpRequest) -> Result<Option<Identity>> {
    let (Some(db), Some(settings), Some(memory), Some(limiter)) = (
        request.app_data::<Data<Db>>(),
        request.app_data::<Data<Settings>>(),
        request.app_data::<Data<Memory>>(),
        request.app_data::<Data<Limiter>>(),
    ) else {
        return Err(Error::internal("the caller cannot be told without database, settings, memory and limiter"));
    };
    let (credential, explicit) = match bearer(request) {
        Some(text) => (Credential::parse(text).ok_or_else(Error::unauthorized)?, true),
        None => match cookie::token(request, settings) {
            Some(token) => (Credential::Session(token), false),
            None => return Ok(None),
        },
    };
    if !explicit && !csrf::is_trusted(request, &settings.origins) {
        return Err(Error::forbidden());
    }
    let hash = credential.hash();
    // Who is known is let in, whatever others at the same address send.
    let identity = if let Some(known) = memory.identity(db, &hash) {
        known
    } else {
        limiter.admit_credentials(request)?;
        let read = db.revocations().now();
        let found = match credential {
            Credential::Session(_) => session(db, &hash, settings).await?,
            Credential::Key(_) => key(db, &hash).await?,
        };
        let Some(found) = found else {
            limiter.count_bad_credentials(db, request).await?;
            return if explicit { Err(Error::unauthorized()) } else { Ok(None) };
        };
        memory.remember(hash, Remembered { value: found, read });
        found.identity
    };
    let subject = match identity.via {
        Via::Session(_) => Subject::Account(identity.user),
        Via::Key { id, .. } => Subject::Key(id.0),
    };
    limiter.admit(db, request, subject).await?;
    Ok(Some(identity))
}

async fn session(db: &Db, hash: &TokenHash, settings: &Settings) -> Result<Option<Found>> {
    let Some(live) = sessions::find(db, hash, settings.lifetime).await? else { return Ok(None) };
    if live.stale
        && let Err(error) = sessions::renew(db, live.id, settings.lifetime).await
    {
        log::warn!("a session could not be renewed, a later request will try again: {error}");
    }
    let identity = Identity { user: live.user, role: live.role, verified: live.verified, via: Via::Session(live.id) };
    Ok(Some(Found { identity, left: live.left }))
}

async fn key(db: &Db, hash: &TokenHash) -> Result<Option<Found>> {
    let Some(live) = api_keys::find(db, hash).await? else { return Ok(None) };
    if live.stale
        && let Err(error) = api_keys::touch(db, live.id).await
    {
        log::warn!("the use of a key could not be written, a later request will try again: {error}");
    }
    let via = Via::Key { id: live.id, org: live.org, scopes: live.scopes };
    let identity = Identity { user: live.user, role: live.role, verified: live.verified, via };
    Ok(Some(Found { identity, left: live.left }))
}

/// The caller's membership of an organisation, if they have one.
pub(crate) async fn membership(request: &HttpRequest, org: OrgId, user: UserId) -> Result<Option<Member>> {
    let (Some(db), Some(memory)) = (request.app_data::<Data<Db>>(), request.app_data::<Data<Memory>>()) else {
        return Err(Error::internal("a membership cannot be told without database and memory"));
    };
    if let Some(member) = memory.member(db, org, user) {
        return Ok(Some(member));
    }
    let read = db.revocations().now();
    let found = orgs::membership(db, org, user).await?;
    if let Some(member) = found {
        memory.remember_member(Remembered { value: member, read });
    }
    Ok(found)
}

/// On whose behalf the request changes things.
pub(crate) fn actor(request: &HttpRequest, identity: Option<&Identity>) -> Actor {
    let limiter = request.app_data::<Data<Limiter>>();
    let key = identity.and_then(|identity| match identity.via {
        Via::Key { id, .. } => Some(id),
        Via::Session(_) => None,
    });
    Actor { user: identity.map(|identity| identity.user), key, address: limiter.and_then(|limiter| limiter.client(request)) }
}

/// The credential of an `Authorization: Bearer` header. Other schemes are not ours and count as absent.
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| std::str::from_utf8(token).unwrap_or_default().trim())
}

//! API keys, of the caller and of an organisation. Keys cannot make keys: it takes a session.

use std::time::Duration;

use actix_web::web::Data;
use auth::{ApiKey, Org, Session};
use domain::{
    ApiKeyId, Error, Result,
    api_key::{self, IssuedKey, NewApiKey, Rotation, Scope},
};
use persistence::{
    Db, Tx,
    api_keys::{self, Holder},
    orgs::Admin,
};

use crate::{
    extract::{Body, Everything, List, Path},
    once::{Answered, Once},
    respond::{Created, DONE, Done, Json, Listed},
};

/// Lists the caller's personal keys.
///
/// # Errors
/// `UNAUTHORIZED`.
pub async fn list(session: Session, List(_, window): List<Everything>, db: Data<Db>) -> Result<Listed<api_key::ApiKey>> {
    let page = api_keys::list(&db, Holder::User(session.user), &window).await?;
    Ok(Listed { page, window })
}

/// Makes a personal key. It is shown this once.
///
/// # Errors
/// `VALIDATION_ERROR` for scopes the caller does not have themselves, `CONFLICT` when there are too many.
pub async fn create(session: Session, db: Data<Db>, Body(new): Body<NewApiKey>, once: Once) -> Result<Answered<Created<IssuedKey>>> {
    allowed(&new.scopes, |scope| scope.is_for(session.role), "Only administrators have the scope")?;
    let effect = async |tx: &mut Tx<'_>| make(tx, Holder::User(session.user), &new).await;
    once.run(&db, &session.actor, effect, personal).await
}

/// Gives a personal key a successor; both work for a while.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn rotate(
    session: Session,
    Path(id): Path<ApiKeyId>,
    db: Data<Db>,
    Body(rotation): Body<Rotation>,
    once: Once,
) -> Result<Answered<Created<IssuedKey>>> {
    let effect = async |tx: &mut Tx<'_>| succeed(tx, Holder::User(session.user), id, &rotation).await;
    once.run(&db, &session.actor, effect, personal).await
}

/// Revokes a personal key, at once and everywhere.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn delete(session: Session, Path(id): Path<ApiKeyId>, db: Data<Db>) -> Result<Json<Done>> {
    if api_keys::delete(&db, &session.actor, Holder::User(session.user), id).await? { Ok(DONE) } else { Err(absent()) }
}

/// Lists the keys of an organisation.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn list_of_org(org: Org<Admin>, List(_, window): List<Everything>, db: Data<Db>) -> Result<Listed<api_key::ApiKey>> {
    let page = api_keys::list(&db, Holder::Organisation(&org.proof), &window).await?;
    Ok(Listed { page, window })
}

/// Makes a key that reaches this organisation alone. It is shown this once, and ends when its maker leaves.
///
/// # Errors
/// `NOT_FOUND`, `VALIDATION_ERROR` for scopes that reach further, `CONFLICT` when there are too many.
pub async fn create_of_org(org: Org<Admin>, db: Data<Db>, Body(new): Body<NewApiKey>, once: Once) -> Result<Answered<Created<IssuedKey>>> {
    allowed(&new.scopes, Scope::is_for_organisations, "A key of an organisation cannot have the scope")?;
    let effect = async |tx: &mut Tx<'_>| make(tx, Holder::Organisation(&org.proof), &new).await;
    once.run(&db, &org.actor, effect, |issued| of_org(&org.proof, issued)).await
}

/// Gives a key of an organisation a successor, which acts for the caller; both work for a while.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn rotate_of_org(
    org: Org<Admin>,
    Path(id): Path<ApiKeyId>,
    db: Data<Db>,
    Body(rotation): Body<Rotation>,
    once: Once,
) -> Result<Answered<Created<IssuedKey>>> {
    let effect = async |tx: &mut Tx<'_>| succeed(tx, Holder::Organisation(&org.proof), id, &rotation).await;
    once.run(&db, &org.actor, effect, |issued| of_org(&org.proof, issued)).await
}

/// Revokes a key of an organisation, at once and everywhere.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn delete_of_org(org: Org<Admin>, Path(id): Path<ApiKeyId>, db: Data<Db>) -> Result<Json<Done>> {
    if api_keys::delete(&db, &org.actor, Holder::Organisation(&org.proof), id).await? { Ok(DONE) } else { Err(absent()) }
}

async fn make(tx: &mut Tx<'_>, holder: Holder<'_>, new: &NewApiKey) -> Result<IssuedKey> {
    let key = ApiKey::generate()?;
    let api_key = api_keys::insert(tx, holder, new, &key.secret()).await?.made("Organisation")?;
    Ok(IssuedKey { api_key, key: key.reveal().to_owned() })
}

async fn succeed(tx: &mut Tx<'_>, holder: Holder<'_>, id: ApiKeyId, rotation: &Rotation) -> Result<IssuedKey> {
    let key = ApiKey::generate()?;
    let overlap = Duration::from_secs(rotation.overlap_seconds.into());
    let api_key = api_keys::rotate(tx, holder, id, overlap, &key.secret()).await?.made("API key")?;
    Ok(IssuedKey { api_key, key: key.reveal().to_owned() })
}

fn allowed(scopes: &[Scope], is_allowed: impl Fn(Scope) -> bool, problem: &str) -> Result<()> {
    match scopes.iter().find(|scope| !is_allowed(**scope)) {
        Some(scope) => Err(Error::invalid_field("scopes", &format!("{problem} {}", scope.as_str()))),
        None => Ok(()),
    }
}

fn personal(issued: IssuedKey) -> Created<IssuedKey> {
    Created { location: format!("/api/api-keys/{}", issued.api_key.id), body: issued }
}

fn of_org(admin: &Admin, issued: IssuedKey) -> Created<IssuedKey> {
    Created { location: format!("/api/orgs/{}/api-keys/{}", admin.member().org(), issued.api_key.id), body: issued }
}

fn absent() -> Error {
    Error::not_found("API key")
}

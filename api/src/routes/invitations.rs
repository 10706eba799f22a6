//! Invitations to an organisation, and their acceptance.

use std::{sync::Arc, time::Duration};

use actix_web::web::Data;
use auth::{Org, Session, Throttle, Token, limits, scope};
use domain::{
    Code, Error, InvitationId, Result,
    invitation::{Accepted, Invitation, InvitationView, NewInvitation},
};
use persistence::{Db, Due, Tx, invitations, orgs::Admin};
use tokio::sync::Notify;

use crate::{
    extract::{Body, Everything, List, Path},
    once::{Answered, Once},
    respond::{Created, DONE, Done, Json, Listed, Resource},
};

/// How people are invited.
pub struct Inviting {
    /// How long an invitation is open.
    pub lifetime: Duration,
    /// Wakes whoever sends the mails; absent when no mail can be sent.
    pub wake: Option<Arc<Due>>,
}

impl Inviting {
    fn wake(&self) -> Result<&Notify> {
        self.wake.as_deref().map(|due| &due.mail).ok_or_else(|| Error::new(Code::NotConfigured, "Mail is not configured"))
    }
}

/// Lists the open invitations.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn list(org: Org<Admin, scope::ReadOrgs>, List(_, window): List<Everything>, db: Data<Db>) -> Result<Listed<Invitation>> {
    let page = invitations::list(&db, &org.proof, &window).await?;
    Ok(Listed { page, window })
}

/// Invites somebody by mail.
///
/// # Errors
/// `ALREADY_INVITED`, `ALREADY_MEMBER`, `FORBIDDEN` for a role above the caller's, `NOT_CONFIGURED`.
pub async fn create(
    org: Org<Admin, scope::WriteOrgs>,
    _: Throttle<limits::Invitations>,
    db: Data<Db>,
    inviting: Data<Inviting>,
    Body(new): Body<NewInvitation>,
    once: Once,
) -> Result<Answered<Created<Invitation>>> {
    let wake = inviting.wake()?;
    let effect = async |tx: &mut Tx<'_>| invitations::insert(tx, &org.proof, &new, inviting.lifetime).await?.made("Organisation");
    let location = |id| format!("/api/orgs/{}/invitations/{id}", org.proof.member().org());
    let answer = |invitation: Invitation| Created { location: location(invitation.id), body: invitation };
    let answered = once.run(&db, &org.actor, effect, answer).await?;
    wake.notify_one();
    Ok(answered)
}

/// Sends an invitation again; it is open as long as a new one, and the link of the earlier mail ends.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` for a role above the caller's, `NOT_CONFIGURED`.
pub async fn resend(
    org: Org<Admin, scope::WriteOrgs>,
    _: Throttle<limits::Invitations>,
    Path(id): Path<InvitationId>,
    db: Data<Db>,
    inviting: Data<Inviting>,
) -> Result<Json<Invitation>> {
    let wake = inviting.wake()?;
    let invitation = invitations::resend(&db, &org.actor, &org.proof, id, inviting.lifetime).await?.made("Invitation")?;
    wake.notify_one();
    Ok(Json(invitation))
}

/// Revokes an invitation.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn delete(org: Org<Admin, scope::WriteOrgs>, Path(id): Path<InvitationId>, db: Data<Db>) -> Result<Json<Done>> {
    if invitations::delete(&db, &org.actor, &org.proof, id).await? { Ok(DONE) } else { Err(absent()) }
}

/// Shows the invitation of a token: to what, as what.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn show(Path(token): Path<Token>, db: Data<Db>) -> Result<Resource<InvitationView>> {
    invitations::find(&db, &token.hash()).await?.map(Resource).ok_or_else(absent)
}

/// Accepts an invitation, with the account of the address it was sent to.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN` for another address, `INVITATION_USED`, `INVITATION_EXPIRED`, `ALREADY_MEMBER`.
pub async fn accept(session: Session, Path(token): Path<Token>, db: Data<Db>) -> Result<Json<Accepted>> {
    invitations::accept(&db, &session.actor, session.user, &token.hash()).await?.made("Invitation").map(Json)
}

fn absent() -> Error {
    Error::not_found("Invitation")
}

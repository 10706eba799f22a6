//! The extractor for routes that are about one organisation.

use std::marker::PhantomData;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{Details, Error, OrgId, audit::Actor};
use persistence::orgs::Proof;

use crate::{
    identity,
    scope::{self, Interactive, Needs},
    session::{Extracted, present},
};

/// The parameter of the path that names the organisation.
pub const PARAMETER: &str = "orgId";

/// The caller's place in the organisation of the path, `…/{orgId}/…`: the proof that they belong to it, with the role the route asks for.
///
/// To everybody else it is not there (404), whether it exists or not; a member of too low a role is refused (403). An API key needs the
/// scope besides, and its user the role.
#[derive(Debug, Clone, Copy)]
pub struct Org<P, S = Interactive> {
    /// The proof.
    pub proof: P,
    /// The caller, for what they change.
    pub actor: Actor,
    scope: PhantomData<S>,
}

impl<P: Proof, S: Needs> FromRequest for Org<P, S> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let identity = present(&request).await?;
            let text = request.match_info().get(PARAMETER).unwrap_or_default();
            let org: OrgId = text.parse().map_err(|problem| Error::invalid_parameters(Details::field(PARAMETER, problem)))?;
            let absent = || Error::not_found("Organisation");
            let member = identity::membership(&request, org, identity.user).await?.ok_or_else(absent)?;
            scope::admit::<S>(&identity, Some(org))?;
            let proof = P::of(member).ok_or_else(Error::forbidden)?;
            Ok(Self { proof, actor: identity::actor(&request, Some(&identity)), scope: PhantomData })
        })
    }
}

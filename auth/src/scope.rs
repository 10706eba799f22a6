//! What a route needs of an API key, as types: `Caller<scope::WritePosts>`.

use domain::{Error, OrgId, Result, api_key::Scope};

use crate::identity::{Identity, Via};

/// What a key must be allowed to do; no key is enough where there is no scope.
pub trait Needs: 'static {
    /// The scope.
    const SCOPE: Option<Scope>;
}

/// No key will do: it takes a person with a session.
#[derive(Debug, Clone, Copy)]
pub struct Interactive;

impl Needs for Interactive {
    const SCOPE: Option<Scope> = None;
}

macro_rules! scopes {
    ($($name:ident)*) => {
        $(
            #[doc = concat!("[`Scope::", stringify!($name), "`].")]
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl Needs for $name {
                const SCOPE: Option<Scope> = Some(Scope::$name);
            }
        )*
    };
}
scopes! {
    ReadProfile WriteProfile ReadPosts WritePosts ReadOrgs WriteOrgs ReadProjects WriteProjects ReadAudit ReadUploads WriteUploads Admin
    CallUpstreams Chat
}

/// Refuses a key that may not be used for this, or not here. `org` is the organisation the route is about, if it is about one: a key of
/// an organisation reaches nothing else, and what it cannot reach is not there for it.
pub(crate) fn admit<S: Needs>(identity: &Identity, org: Option<OrgId>) -> Result<()> {
    let Via::Key { scopes, org: reach, .. } = identity.via else { return Ok(()) };
    if let (Some(reach), Some(org)) = (reach, org)
        && reach != org
    {
        return Err(Error::not_found("Organisation"));
    }
    let outside = reach.is_some() && org.is_none();
    match S::SCOPE {
        Some(scope) if scopes.contains(scope) && !outside => Ok(()),
        _ => Err(Error::forbidden()),
    }
}

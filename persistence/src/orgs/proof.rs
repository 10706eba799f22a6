//! The proofs of membership. This module makes them; nobody else can.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{OrgId, OrgRole, UserId};

use crate::{
    Db, Result,
    schema::{memberships, organisations},
};

/// The proof that a user belongs to an organisation that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    org: OrgId,
    user: UserId,
    role: OrgRole,
}

impl Member {
    /// The organisation.
    #[must_use]
    pub fn org(&self) -> OrgId {
        self.org
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// What they may do in it.
    #[must_use]
    pub fn role(&self) -> OrgRole {
        self.role
    }
}

/// The proof that a user administrates an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admin(Member);

impl Admin {
    /// The proof that they belong to it.
    #[must_use]
    pub fn member(&self) -> &Member {
        &self.0
    }
}

/// The proof that a user owns an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(Admin);

impl Owner {
    /// The proof that they belong to it.
    #[must_use]
    pub fn member(&self) -> &Member {
        self.0.member()
    }
}

/// A proof that a membership may or may not amount to.
pub trait Proof: Sized + 'static {
    /// The least role, for the documentation.
    const LEAST: OrgRole;

    /// The proof, if the membership amounts to it.
    fn of(member: Member) -> Option<Self>;
}

impl Proof for Member {
    const LEAST: OrgRole = OrgRole::Member;

    fn of(member: Member) -> Option<Self> {
        Some(member)
    }
}

impl Proof for Admin {
    const LEAST: OrgRole = OrgRole::Admin;

    fn of(member: Member) -> Option<Self> {
        (member.role >= OrgRole::Admin).then_some(Self(member))
    }
}

impl Proof for Owner {
    const LEAST: OrgRole = OrgRole::Owner;

    fn of(member: Member) -> Option<Self> {
        (member.role >= OrgRole::Owner).then_some(Self(Admin(member)))
    }
}

/// The membership of a user in an organisation; `None` when they do not belong to it, when it is deleted, and when it never was.
pub async fn membership(db: &Db, org: OrgId, user: UserId) -> Result<Option<Member>> {
    let role: Option<String> = db
        .read(async |mut conn| {
            memberships::table
                .inner_join(organisations::table)
                .filter(memberships::org_id.eq(org.0))
                .filter(memberships::user_id.eq(user.0))
                .filter(organisations::deleted_at.is_null())
                .select(memberships::role)
                .first(&mut conn)
                .await
                .optional()
        })
        .await?;
    Ok(role.map(|role| Member { org, user, role: role.as_str().into() }))
}

/// The role a user has in an organisation at this moment, which stays as it is until the transaction ends; `None` when they do not belong to it.
pub(crate) async fn hold(conn: &mut AsyncPgConnection, org: OrgId, user: UserId) -> QueryResult<Option<OrgRole>> {
    let own = memberships::table.find((org.0, user.0));
    let role: Option<String> = own.for_share().select(memberships::role).first(conn).await.optional()?;
    Ok(role.map(|role| role.as_str().into()))
}

//! Queries on `memberships`: who belongs to an organisation. Every change looks at the roles of both sides under their locks, so that
//! nobody acts with a role they have just lost.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    OrgRole, UserId,
    audit::Actor,
    org,
    page::{Cursor, Page, Window},
};
use uuid::Uuid;

use crate::{
    Change, Db, Result,
    orgs::{Admin, Member, Owner},
    pages::{self, Reach},
    revocations::Subject,
    schema::{invitations, memberships, users},
};

/// A page of the members of an organisation, by id.
pub async fn list(db: &Db, member: &Member, window: &Window) -> Result<Page<org::Member>> {
    type Row = (Uuid, String, String, String, DateTime<Utc>);
    let org = member.org();
    let rows = async |reach: Reach| {
        db.read(async |mut conn| {
            let mut query = memberships::table.inner_join(users::table).filter(memberships::org_id.eq(org.0)).into_boxed();
            if let Some(after) = reach.after {
                query = query.filter(memberships::user_id.gt(after.id));
            }
            query
                .order(memberships::user_id)
                .limit(reach.limit)
                .offset(reach.offset)
                .select((memberships::user_id, users::name, users::email, memberships::role, memberships::created_at))
                .load::<Row>(&mut conn)
                .await
        })
        .await
    };
    let all = memberships::table.filter(memberships::org_id.eq(org.0)).count();
    let count = async || db.read(async |mut conn| all.get_result(&mut conn).await).await;
    let page = pages::read(db, window, &format!("members {org}"), rows, count, |row: &Row| Cursor { id: row.0, at: None }).await?;
    Ok(page.map(|(id, name, email, role, joined_at)| org::Member {
        user_id: UserId(id),
        name,
        email,
        role: role.as_str().into(),
        joined_at,
    }))
}

/// The roles of two members, or of one, locked until the transaction ends. Locks are taken in one order, so that nobody waits in a circle.
async fn lock(conn: &mut AsyncPgConnection, member: &Member, other: UserId) -> QueryResult<(Option<OrgRole>, Option<OrgRole>)> {
    let rows: Vec<(Uuid, String)> = memberships::table
        .filter(memberships::org_id.eq(member.org().0))
        .filter(memberships::user_id.eq_any([member.user().0, other.0]))
        .order(memberships::user_id)
        .for_update()
        .select((memberships::user_id, memberships::role))
        .load(conn)
        .await?;
    let role = |user: UserId| rows.iter().find(|(id, _)| *id == user.0).map(|(_, role)| role.as_str().into());
    Ok((role(member.user()), role(other)))
}

async fn set_role(conn: &mut AsyncPgConnection, member: &Member, user: UserId, role: OrgRole) -> QueryResult<()> {
    let org = member.org().0;
    diesel::update(memberships::table.find((org, user.0))).set(memberships::role.eq(role.as_str())).execute(conn).await?;
    // Nobody waits at the door for a role that who invited them could not give any more.
    let above: Vec<&str> = [OrgRole::Member, OrgRole::Admin, OrgRole::Owner]
        .into_iter()
        .filter(|other| !role.may_grant(*other))
        .map(OrgRole::as_str)
        .collect();
    let waiting = invitations::table.filter(invitations::org_id.eq(org)).filter(invitations::invited_by.eq(user.0));
    let open = waiting.filter(invitations::accepted_at.is_null()).filter(invitations::role.eq_any(above));
    diesel::delete(open).execute(conn).await.map(drop)
}

/// Gives a member another role.
///
/// # Errors
/// `Refused` (`memberships_last_owner`) when it would demote the last owner.
pub async fn update(db: &Db, actor: &Actor, admin: &Admin, user: UserId, role: OrgRole) -> Result<Change<org::Member>> {
    let member = admin.member();
    let change = db
        .change(actor, async |conn| {
            let (Some(own), Some(theirs)) = lock(conn, member, user).await? else { return Ok(Change::Absent) };
            if !own.may_change(theirs, role) {
                return Ok(Change::Forbidden);
            }
            set_role(conn, member, user, role).await?;
            let (name, email, joined_at) = memberships::table
                .inner_join(users::table)
                .filter(memberships::org_id.eq(member.org().0))
                .filter(memberships::user_id.eq(user.0))
                .select((users::name, users::email, memberships::created_at))
                .first(conn)
                .await?;
            Ok(Change::Made(org::Member { user_id: user, name, email, role, joined_at }))
        })
        .await?;
    db.revocations().revoke(Subject::Membership(member.org().0, user.0));
    Ok(change)
}

/// Removes a member, with the keys they made for the organisation. Everybody may leave; administrators remove others, but no owner.
///
/// # Errors
/// `Refused` (`memberships_last_owner`) when they are the last owner.
pub async fn delete(db: &Db, actor: &Actor, member: &Member, user: UserId) -> Result<Change<()>> {
    let change = db
        .change(actor, async |conn| {
            let (own, theirs) = lock(conn, member, user).await?;
            let (Some(own), Some(theirs)) = (own, theirs) else { return Ok(Change::Absent) };
            if user != member.user() && !own.may_remove(theirs) {
                return Ok(Change::Forbidden);
            }
            diesel::delete(memberships::table.find((member.org().0, user.0))).execute(conn).await?;
            Ok(Change::Made(()))
        })
        .await?;
    db.revocations().revoke(Subject::Membership(member.org().0, user.0));
    Ok(change)
}

/// Makes another member an owner and the one who asks an administrator, both or neither.
pub async fn transfer(db: &Db, actor: &Actor, owner: &Owner, to: UserId) -> Result<Change<()>> {
    let member = owner.member();
    let change = db
        .change(actor, async |conn| {
            let (own, theirs) = lock(conn, member, to).await?;
            if own != Some(OrgRole::Owner) {
                return Ok(Change::Forbidden);
            }
            if theirs.is_none() {
                return Ok(Change::Absent);
            }
            set_role(conn, member, to, OrgRole::Owner).await?;
            if to != member.user() {
                set_role(conn, member, member.user(), OrgRole::Admin).await?;
            }
            Ok(Change::Made(()))
        })
        .await?;
    for user in [to, member.user()] {
        db.revocations().revoke(Subject::Membership(member.org().0, user.0));
    }
    Ok(change)
}

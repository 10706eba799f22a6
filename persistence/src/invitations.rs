//! Queries on `invitations`.

mod mail;

use chrono::{DateTime, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl, QueryResult, Queryable, Selectable,
    SelectableHelper, dsl,
    sql_types::{Bool, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    Code, InvitationId, OrgId, OrgRole, UserId,
    audit::Actor,
    invitation::{Accepted, Delivery, Invitation, InvitationView, NewInvitation},
    page::{Cursor, Page, Window},
};
use std::time::Duration;
use uuid::Uuid;

use crate::{
    Change, Db, Result, Tx,
    orgs::{self, Admin},
    pages::{self, Reach},
    revocations::Subject,
    schema::{invitations, memberships, organisations, users},
    sessions::TokenHash,
    time::{length, now},
    users::lower,
};
pub(crate) use mail::{finish, take_due};

#[derive(Queryable, Selectable)]
#[diesel(table_name = invitations)]
struct InvitationRow {
    id: Uuid,
    email: String,
    role: String,
    invited_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    mail_due_at: Option<DateTime<Utc>>,
    mail_sent_at: Option<DateTime<Utc>>,
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            id: InvitationId(row.id),
            email: row.email,
            role: row.role.as_str().into(),
            invited_by: row.invited_by.map(UserId),
            created_at: row.created_at,
            expires_at: row.expires_at,
            delivery: match (row.mail_due_at, row.mail_sent_at) {
                (Some(_), _) => Delivery::Pending,
                (None, Some(_)) => Delivery::Sent,
                (None, None) => Delivery::Failed,
            },
        }
    }
}

/// A page of an organisation's open invitations, newest first.
pub async fn list(db: &Db, admin: &Admin, window: &Window) -> Result<Page<Invitation>> {
    let org = admin.member().org();
    let open = || {
        invitations::table
            .filter(invitations::org_id.eq(org.0))
            .filter(invitations::accepted_at.is_null())
            .filter(invitations::expires_at.gt(now()))
            .into_boxed()
    };
    let rows = async |reach: Reach| {
        db.read(async |mut conn| {
            let mut query = open().order(invitations::id.desc()).limit(reach.limit).offset(reach.offset);
            if let Some(after) = reach.after {
                query = query.filter(invitations::id.lt(after.id));
            }
            query.select(InvitationRow::as_select()).load(&mut conn).await
        })
        .await
    };
    let count = async || db.read(async |mut conn| open().count().get_result(&mut conn).await).await;
    let cursor = |row: &InvitationRow| Cursor { id: row.id, at: None };
    let page = pages::read(db, window, &format!("invitations {org}"), rows, count, cursor).await?;
    Ok(page.map(Into::into))
}

/// Invites an address, for so long; its mail is due at once.
///
/// # Errors
/// `Taken` (`invitations_pending_key`) when the address has an open invitation.
pub async fn insert(tx: &mut Tx<'_>, admin: &Admin, new: &NewInvitation, lifetime: Duration) -> Result<Change<Invitation>> {
    let member = admin.member();
    let org = member.org().0;
    let conn = &mut *tx.conn;
    if !orgs::hold(conn, member.org(), member.user()).await?.is_some_and(|role| role.may_grant(new.role)) {
        return Ok(Change::Forbidden);
    }
    let belongs =
        memberships::table.inner_join(users::table).filter(memberships::org_id.eq(org)).filter(lower(users::email).eq(lower(&new.email)));
    if diesel::select(dsl::exists(belongs)).get_result(conn).await? {
        return Ok(Change::Refused(Code::AlreadyMember, "This address belongs to a member already"));
    }
    let expired = invitations::table
        .filter(invitations::org_id.eq(org))
        .filter(lower(invitations::email).eq(lower(&new.email)))
        .filter(invitations::accepted_at.is_null().and(invitations::expires_at.le(now())));
    diesel::delete(expired).execute(conn).await?;
    let row: InvitationRow = diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(InvitationId::new().0),
            invitations::org_id.eq(org),
            invitations::email.eq(&new.email),
            invitations::role.eq(new.role.as_str()),
            invitations::invited_by.eq(member.user().0),
            invitations::expires_at.eq(now() + length(lifetime)),
            invitations::mail_due_at.eq(now().nullable()),
        ))
        .returning(InvitationRow::as_returning())
        .get_result(conn)
        .await?;
    Ok(Change::Made(row.into()))
}

/// Sends an open or expired invitation again: it lives anew, and its next mail holds another token. The one so far ends at once.
pub async fn resend(db: &Db, actor: &Actor, admin: &Admin, id: InvitationId, lifetime: Duration) -> Result<Change<Invitation>> {
    let member = admin.member();
    let one = invitations::table
        .filter(invitations::id.eq(id.0))
        .filter(invitations::org_id.eq(member.org().0))
        .filter(invitations::accepted_at.is_null());
    db.change(actor, async |conn| {
        let own = orgs::hold(conn, member.org(), member.user()).await?;
        let role: Option<String> = one.for_update().select(invitations::role).first(conn).await.optional()?;
        let Some(role) = role else { return Ok(Change::Absent) };
        if !own.is_some_and(|own| own.may_grant(role.as_str().into())) {
            return Ok(Change::Forbidden);
        }
        let row: InvitationRow = diesel::update(one)
            .set((
                invitations::token_hash.eq(None::<Vec<u8>>),
                invitations::expires_at.eq(now() + length(lifetime)),
                invitations::mail_due_at.eq(now().nullable()),
                invitations::mail_sent_at.eq(None::<DateTime<Utc>>),
                invitations::mail_attempts.eq(0),
            ))
            .returning(InvitationRow::as_returning())
            .get_result(conn)
            .await?;
        Ok(Change::Made(row.into()))
    })
    .await
}

/// Revokes an invitation nobody has accepted; false when the organisation has no such invitation.
pub async fn delete(db: &Db, actor: &Actor, admin: &Admin, id: InvitationId) -> Result<bool> {
    let one = invitations::table
        .filter(invitations::id.eq(id.0))
        .filter(invitations::org_id.eq(admin.member().org().0))
        .filter(invitations::accepted_at.is_null());
    Ok(db.change(actor, async |conn| diesel::delete(one).execute(conn).await).await? > 0)
}

/// The open invitation of a token.
pub async fn find(db: &Db, token: &TokenHash) -> Result<Option<InvitationView>> {
    let row: Option<(String, String, String, DateTime<Utc>)> = db
        .read(async |mut conn| {
            invitations::table
                .inner_join(organisations::table)
                .filter(invitations::token_hash.eq(token.as_slice()))
                .filter(invitations::accepted_at.is_null())
                .filter(invitations::expires_at.gt(now()))
                .filter(organisations::deleted_at.is_null())
                .select((organisations::name, invitations::email, invitations::role, invitations::expires_at))
                .first(&mut conn)
                .await
                .optional()
        })
        .await?;
    Ok(row.map(|(organisation, email, role, expires_at)| InvitationView { organisation, email, role: role.as_str().into(), expires_at }))
}

/// Lets a user in by a token. The invitation is locked meanwhile: of two who come at once, the second finds it used.
pub async fn accept(db: &Db, actor: &Actor, user: UserId, token: &TokenHash) -> Result<Change<Accepted>> {
    type Row = (Uuid, Uuid, String, String, bool, bool, Option<bool>);
    let email = users::table.find(user.0).select(lower(users::email)).single_value();
    let accepted = db
        .change(actor, async |conn| {
            let found: Option<Row> = invitations::table
                .filter(invitations::token_hash.eq(token.as_slice()))
                .for_update()
                .select((
                    invitations::id,
                    invitations::org_id,
                    invitations::role,
                    invitations::email,
                    invitations::accepted_at.is_not_null(),
                    invitations::expires_at.le(now()),
                    lower(invitations::email).nullable().eq(email),
                ))
                .first(conn)
                .await
                .optional()?;
            let Some((id, org, role, invited, accepted, expired, addressed)) = found else { return Ok(Change::Absent) };
            let live = organisations::table.find(org).filter(organisations::deleted_at.is_null());
            if !diesel::select(dsl::exists(live)).get_result(conn).await? {
                return Ok(Change::Absent);
            }
            if addressed != Some(true) {
                return Ok(Change::Refused(Code::Forbidden, "This invitation is for another address"));
            }
            if accepted {
                return Ok(Change::Refused(Code::InvitationUsed, "This invitation has been used already"));
            }
            if expired {
                return Ok(Change::Refused(Code::InvitationExpired, "This invitation has expired"));
            }
            let joined = diesel::insert_into(memberships::table)
                .values((memberships::org_id.eq(org), memberships::user_id.eq(user.0), memberships::role.eq(&role)))
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            if joined == 0 {
                return Ok(Change::Refused(Code::AlreadyMember, "You belong to this organisation already"));
            }
            diesel::update(invitations::table.find(id))
                .set((invitations::accepted_at.eq(now().nullable()), invitations::mail_due_at.eq(None::<DateTime<Utc>>)))
                .execute(conn)
                .await?;
            prove(conn, user, &invited).await?;
            Ok(Change::Made(Accepted { org_id: OrgId(org), role: OrgRole::from(role.as_str()) }))
        })
        .await?;
    db.revocations().revoke(Subject::User(user.0));
    Ok(accepted)
}

/// The token was mailed to this address: who came with it gets its mail. Letters beyond ASCII must be the very same, as the database takes
/// some for one another that are different mailboxes.
async fn prove(conn: &mut AsyncPgConnection, user: UserId, invited: &str) -> QueryResult<()> {
    let same = dsl::sql::<Bool>("lower(email COLLATE \"C\") = lower(").bind::<Text, _>(invited).sql(" COLLATE \"C\")");
    let unproved = users::table.find(user.0).filter(users::email_verified_at.is_null()).filter(same);
    diesel::update(unproved).set(users::email_verified_at.eq(now().nullable())).execute(conn).await.map(drop)
}

/// Removes invitations that ended a month ago, at most `batch`, and says how many.
pub async fn sweep(db: &Db, batch: usize) -> Result<usize> {
    let old = diesel::alias!(invitations as old);
    let some = old
        .filter(old.field(invitations::expires_at).le(crate::time::restorable()))
        .limit(i64::try_from(batch).unwrap_or(i64::MAX))
        .select(old.field(invitations::id));
    db.run(async |conn| diesel::delete(invitations::table.filter(invitations::id.eq_any(some))).execute(conn).await).await
}

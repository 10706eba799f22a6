//! Coming in by a token.

use serde_json::json;
use tests::{App, Caller};

use super::{accept, invite, open};
use crate::orgs::NOTHING;

/// An organisation, its owner, a guest and the token mailed to the guest.
async fn invited(app: &App, role: &str) -> (String, Caller, Caller, String) {
    let (ada, guest) = (app.user("Ada").await, app.user("Guest").await);
    let org = app.org(&ada, "Acme").await;
    invite(&org, &ada, &guest.email, role).await.expect(201);
    let token = app.mailed_token(&guest.email).await;
    (org, ada, guest, token)
}

#[tokio::test]
async fn who_accepts_belongs_to_it_in_the_role_and_the_token_is_used_up() {
    let app = App::start().await;
    for role in ["member", "admin", "owner"] {
        let (org, ada, guest, token) = invited(&app, role).await;
        guest.client.get(&format!("/api/orgs/{org}")).send().await.expect_error(404, "NOT_FOUND");
        let accepted = accept(&token, &guest).await.expect(200);
        assert_eq!(accepted.json(), json!({ "orgId": org, "role": role }));
        assert_eq!(guest.client.get(&format!("/api/orgs/{org}")).send().await.expect(200).at("/role"), role);
        accept(&token, &guest).await.expect_error(409, "INVITATION_USED");
        app.anon().get(&format!("/api/invitations/{token}")).send().await.expect_error(404, "NOT_FOUND");
        assert!(open(&org, &ada).await.is_empty());
    }
}

#[tokio::test]
async fn of_twenty_who_accept_at_once_one_comes_in() {
    let app = App::with(&[("DATABASE_POOL_WAIT_MS", "30000")]).await;
    let (org, _, guest, token) = invited(&app, "member").await;
    let statuses = futures::future::join_all((0..20).map(|_| accept(&token, &guest))).await;
    let statuses: Vec<u16> = statuses.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 409)), "{statuses:?}");
    assert_eq!(app.count(&format!("SELECT count(*) FROM memberships WHERE org_id = '{org}'")).await, 2);
    for action in ["invitation.accepted", "member.added"] {
        let own = format!("SELECT count(*) FROM audit_events WHERE action = '{action}' AND actor_id = '{}'", guest.id);
        assert_eq!(app.count(&own).await, 1, "{action}");
    }
}

#[tokio::test]
async fn another_account_does_not_come_in_and_uses_nothing_up() {
    let app = App::start().await;
    let (org, ada, guest, token) = invited(&app, "owner").await;
    let eve = app.user("Eve").await;
    for other in [&eve, &ada, &app.admin().await] {
        accept(&token, other).await.expect_error(403, "FORBIDDEN");
    }
    app.anon().post(&format!("/api/invitations/{token}/accept")).send().await.expect_error(401, "UNAUTHORIZED");
    let races = [&guest, &eve, &eve, &guest, &eve, &eve].map(|caller| accept(&token, caller));
    let statuses: Vec<u16> = futures::future::join_all(races).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    eve.client.get(&format!("/api/orgs/{org}")).send().await.expect_error(404, "NOT_FOUND");
    // It stays between the two of them also when it is over.
    accept(&token, &eve).await.expect_error(403, "FORBIDDEN");
}

#[tokio::test]
async fn the_address_counts_however_it_is_written() {
    let app = App::start().await;
    let (ada, guest) = (app.user("Ada").await, app.user("Guest").await);
    let org = app.org(&ada, "Acme").await;
    let shouted = guest.email.replace("guest", "GUEST");
    invite(&org, &ada, &shouted, "member").await.expect(201);
    accept(&app.mailed_token(&shouted).await, &guest).await.expect(200);
}

#[tokio::test]
async fn expired_and_revoked_invitations_let_in_nobody() {
    let app = App::start().await;
    let (org, ada, guest, token) = invited(&app, "member").await;
    app.sql("UPDATE invitations SET expires_at = now()").await;
    accept(&token, &guest).await.expect_error(409, "INVITATION_EXPIRED");
    app.anon().get(&format!("/api/invitations/{token}")).send().await.expect_error(404, "NOT_FOUND");
    app.sql("UPDATE invitations SET expires_at = now() + interval '1 hour'").await;
    let id = open(&org, &ada).await[0]["id"].as_str().expect("an id").to_owned();
    ada.client.delete(&format!("/api/orgs/{org}/invitations/{id}")).send().await.expect(200);
    accept(&token, &guest).await.expect_error(404, "NOT_FOUND");
    assert_eq!(app.count("SELECT count(*) FROM memberships").await, 1);
}

#[tokio::test]
async fn who_came_in_another_way_is_told_so() {
    let app = App::start().await;
    let (org, _, guest, token) = invited(&app, "admin").await;
    app.join(&org, &guest, "member").await;
    accept(&token, &guest).await.expect_error(409, "ALREADY_MEMBER");
    assert_eq!(guest.client.get(&format!("/api/orgs/{org}")).send().await.expect(200).at("/role"), "member");
}

#[tokio::test]
async fn what_is_no_token_costs_no_query() {
    let app = App::start().await;
    let (_, _, guest, token) = invited(&app, "member").await;
    guest.client.get("/api/profile").send().await.expect(200);
    // Nothing could be looked up any more.
    app.sql("ALTER TABLE invitations RENAME TO hidden").await;
    let cut = &token[..42];
    let (longer, padded, odd) = (format!("{token}A"), format!("{cut}="), format!("{cut}%C3%A9"));
    for text in ["x", NOTHING, cut, &longer, &padded, &odd, "%00", "null", &"x".repeat(4000)] {
        app.anon().get(&format!("/api/invitations/{text}")).send().await.expect_refused(&["token"]);
        guest.client.post(&format!("/api/invitations/{text}/accept")).send().await.expect_refused(&["token"]);
    }
    app.sql("ALTER TABLE hidden RENAME TO invitations").await;
    let unknown = "A".repeat(43);
    app.anon().get(&format!("/api/invitations/{unknown}")).send().await.expect_error(404, "NOT_FOUND");
    accept(&unknown, &guest).await.expect_error(404, "NOT_FOUND");
    accept(&token, &guest).await.expect(200);
}

#[tokio::test]
async fn sent_again_it_has_another_token_and_the_first_one_ends_at_once() {
    let app = App::start().await;
    let (org, ada, guest, token) = invited(&app, "member").await;
    app.until_count(1, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL").await;
    app.sql("UPDATE invitations SET expires_at = now() - interval '1 day'").await;
    let id = app.database.connect().await.query_one("SELECT id::text FROM invitations", &[]).await.expect("it").get::<_, String>(0);
    let resent = ada.client.post(&format!("/api/orgs/{org}/invitations/{id}/resend")).send().await.expect(200);
    assert_eq!((resent.at("/delivery"), resent.at("/id")), (json!("pending"), json!(id)));
    accept(&token, &guest).await.expect_error(404, "NOT_FOUND");
    let tokens = app.mailed_tokens(&guest.email, 2).await;
    assert_eq!(tokens[0], token);
    accept(&tokens[0], &guest).await.expect_error(404, "NOT_FOUND");
    accept(&tokens[1], &guest).await.expect(200);
    ada.client.post(&format!("/api/orgs/{org}/invitations/{id}/resend")).send().await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_token_is_nowhere_but_in_its_mail() {
    let app = App::start().await;
    let (org, ada, guest, token) = invited(&app, "member").await;
    app.until_count(1, "SELECT count(*) FROM invitations WHERE mail_sent_at IS NOT NULL").await;
    let mut answers = vec![ada.client.get(&format!("/api/orgs/{org}/audit")).send().await.expect(200).text];
    answers.push(ada.client.get(&format!("/api/orgs/{org}/invitations")).send().await.expect(200).text);
    answers.push(app.anon().get(&format!("/api/invitations/{token}")).send().await.expect(200).text);
    answers.push(accept(&token, &guest).await.expect(200).text);
    assert!(answers.iter().all(|text| !text.contains(&token)), "{answers:?}");
    let sql = app.database.connect().await;
    let tables = sql.query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'", &[]).await.expect("the tables");
    assert!(tables.len() > 8);
    for table in tables {
        let table: String = table.get(0);
        assert_eq!(app.count(&format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{token}%'")).await, 0, "{table}");
    }
}

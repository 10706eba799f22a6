//! There is always an owner.

use tests::{App, eventually};

use super::{remove, set};

#[tokio::test]
async fn the_last_owner_neither_leaves_nor_steps_down_nor_loses_the_account() {
    let app = App::start().await;
    let (ada, root) = (app.user("Ada").await, app.admin().await);
    let org = app.org(&ada, "Acme").await;
    app.member(&org, "admin").await;
    let account = format!("/api/users/{}", ada.id);
    for role in ["admin", "member"] {
        set(&org, &ada, &ada, role).await.expect_error(409, "LAST_OWNER");
    }
    remove(&org, &ada, &ada).await.expect_error(409, "LAST_OWNER");
    root.client.delete(&account).send().await.expect_error(409, "LAST_OWNER");
    ada.client.get("/api/profile").send().await.expect(200);

    let second = app.member(&org, "owner").await;
    set(&org, &ada, &ada, "admin").await.expect(200);
    remove(&org, &second, &second).await.expect_error(409, "LAST_OWNER");
    root.client.delete(&account).send().await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM memberships WHERE role = 'owner'").await, 1);
}

#[tokio::test]
async fn the_last_owner_of_a_deleted_organisation_may_lose_the_account() {
    let app = App::start().await;
    let (ada, root) = (app.user("Ada").await, app.admin().await);
    let org = app.org(&ada, "Acme").await;
    ada.client.delete(&format!("/api/orgs/{org}")).send().await.expect(200);
    root.client.delete(&format!("/api/users/{}", ada.id)).send().await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM memberships").await, 0);
}

#[tokio::test]
async fn restored_while_its_owner_is_deleted_it_still_has_one() {
    let app = App::start().await;
    let root = app.admin().await;
    for _ in 0..20 {
        let ada = app.user("Ada").await;
        let org = app.org(&ada, "Acme").await;
        ada.client.delete(&format!("/api/orgs/{org}")).send().await.expect(200);
        let (restore, account) = (format!("/api/orgs/{org}/restore"), format!("/api/users/{}", ada.id));
        let (restored, deleted) = futures::join!(ada.client.post(&restore).send(), root.client.delete(&account).send());
        assert!(matches!((restored.status, deleted.status), (200, 409) | (404 | 401, 200)), "{} {}", restored.text, deleted.text);
    }
    let orphans = "SELECT count(*) FROM organisations o WHERE deleted_at IS NULL AND NOT EXISTS \
                   (SELECT FROM memberships m WHERE m.org_id = o.id AND m.role = 'owner')";
    assert_eq!(app.count(orphans).await, 0);
}

#[tokio::test]
async fn the_last_owner_stays_when_200_demote_at_once() {
    let app = App::with(&[("DATABASE_POOL_WAIT_MS", "60000"), ("DATABASE_LOCK_TIMEOUT_MS", "60000")]).await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    let grace = app.member(&org, "owner").await;
    let tries = (0..200).map(|number| {
        let (by, whom) = [(&ada, &ada), (&ada, &grace), (&grace, &ada), (&grace, &grace)][number % 4];
        let (org, role) = (&org, ["admin", "member"][number / 4 % 2]);
        async move { set(org, by, whom, role).await.status }
    });
    let statuses = futures::future::join_all(tries).await;
    assert!(statuses.iter().all(|status| matches!(status, 200 | 403 | 409)), "{statuses:?}");
    assert_eq!(app.count("SELECT count(*) FROM memberships WHERE role = 'owner'").await, 1);
}

#[tokio::test]
async fn the_last_owner_stays_when_two_leave_at_once() {
    let app = App::start().await;
    for _ in 0..10 {
        let ada = app.user("Ada").await;
        let org = app.org(&ada, "Acme").await;
        let grace = app.member(&org, "owner").await;
        let (one, two) = futures::join!(remove(&org, &ada, &ada), remove(&org, &grace, &grace));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[tokio::test]
async fn two_administrators_who_remove_each_other_do_not_both_win() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let org = app.org(&ada, "Acme").await;
    for _ in 0..20 {
        let (one, two) = (app.member(&org, "admin").await, app.member(&org, "admin").await);
        let (first, second) = futures::join!(remove(&org, &one, &two), remove(&org, &two, &one));
        let statuses = [first.status, second.status];
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 404)), "{statuses:?}");
    }
    eventually("no statement is left over", async || {
        app.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'").await == 0
    })
    .await;
}

//! Whose a customer is, and what is bought by it.

use domain::OrgId;
use futures::future::join_all;
use persistence::billing::{self, Claim, Link};
use serde_json::json;

use super::world::{World, checkout, event, invoice, permutations, subscription};

#[tokio::test]
async fn what_came_before_the_link_is_linked_with_it() {
    let world = World::new().await;
    for by_checkout in [false, true] {
        world.run("TRUNCATE subscriptions, invoices, billing_customers CASCADE").await;
        let (org, member, admin) = world.org().await;
        assert_eq!(world.subscription(&subscription("active", 2), event(5, "created")).await.org, None);
        assert_eq!(world.invoice(&invoice("in_1", "open", 5), event(5, "created")).await.org, None);
        assert!(world.show(&member).await.subscription.is_none());
        if by_checkout {
            let done = world.checkout("completed", &checkout("cs_1", &org.to_string(), Some("cus_1"), "paid")).await;
            assert_eq!((done.link, done.org, done.fulfil), (Some(Link::Linked), Some(org), true));
        } else {
            assert_eq!(world.link(org, "cus_1").await, Link::Linked);
            assert_eq!(world.link(org, "cus_1").await, Link::Already);
        }
        let shown = world.show(&member).await;
        assert_eq!((shown.customer, shown.entitlements.may_use, shown.entitlements.seats), (true, true, 2));
        assert_eq!((shown.subscription.is_some(), shown.invoices.len()), (true, 1));
        assert_eq!(billing::customer(&world.db, &admin).await.expect("a query").as_deref(), Some("cus_1"));
        let later = world.subscription(&subscription("past_due", 2), event(6, "updated")).await;
        assert_eq!(later.org, Some(org));
    }
}

#[tokio::test]
async fn a_customer_stays_who_it_is_whatever_others_claim() {
    let world = World::new().await;
    let ((acme, _, _), (evil, evil_member, _)) = (world.org().await, world.org().await);
    world.link(acme, "cus_1").await;
    assert_eq!(world.link(evil, "cus_1").await, Link::CustomerTaken(acme));
    assert_eq!(world.link(acme, "cus_2").await, Link::OrganisationTaken("cus_1".to_owned()));
    assert_eq!(world.link(OrgId::new(), "cus_3").await, Link::Absent);
    let mut said = subscription("active", 1);
    said["metadata"] = json!({ "org_id": evil.to_string() });
    let applied = world.subscription(&said, event(5, "created")).await;
    assert_eq!((applied.org, applied.disputed), (Some(acme), true));
    let paid = |org: OrgId, customer| checkout("cs_1", &org.to_string(), Some(customer), "paid");
    let done = world.checkout("completed", &paid(evil, "cus_1")).await;
    assert_eq!((done.link, done.org, done.fulfil), (Some(Link::CustomerTaken(acme)), None, false));
    let done = world.checkout("completed", &paid(acme, "cus_9")).await;
    assert_eq!((done.link, done.org, done.fulfil), (Some(Link::OrganisationTaken("cus_1".to_owned())), None, false));
    assert!(world.show(&evil_member).await.subscription.is_none());
}

#[tokio::test]
async fn of_many_claims_at_once_one_is_kept() {
    let world = World::new().await;
    let orgs = join_all((0..10).map(|_| world.org())).await;
    let links = join_all(orgs.iter().map(|(org, _, _)| world.link(*org, "cus_1"))).await;
    assert_eq!(links.iter().filter(|link| **link == Link::Linked).count(), 1, "{links:?}");
    assert_eq!(links.iter().filter(|link| matches!(link, Link::CustomerTaken(_))).count(), 9, "{links:?}");
    let (org, _, _) = world.org().await;
    let customers: Vec<String> = (100..110).map(|number| format!("cus_{number}")).collect();
    let links = join_all(customers.iter().map(|customer| world.link(org, customer))).await;
    assert_eq!(links.iter().filter(|link| **link == Link::Linked).count(), 1, "{links:?}");
    assert_eq!(links.iter().filter(|link| matches!(link, Link::OrganisationTaken(_))).count(), 9, "{links:?}");
}

#[tokio::test]
async fn two_who_make_a_customer_at_once_end_up_with_the_same() {
    let world = World::new().await;
    let (org, _, admin) = world.org().await;
    let claims = join_all((0..5).map(|_| async { billing::claim_customer(&world.db, &admin).await.expect("a claim") })).await;
    let key = format!("handrail-customer-{org}-0");
    assert!(claims.iter().all(|claim| *claim == Claim::Make { key: key.clone(), attempt: 0 }), "{claims:?}");
    assert_eq!(billing::customer(&world.db, &admin).await.expect("a query"), None);
    for _ in 0..2 {
        billing::release_customer(&world.db, &admin, 0).await.expect("released");
    }
    let again = billing::claim_customer(&world.db, &admin).await.expect("a claim");
    assert_eq!(again, Claim::Make { key: format!("handrail-customer-{org}-1"), attempt: 1 });
    let keep = async |customer: &str| billing::keep_customer(&world.db, &admin, customer, Some(false)).await.expect("kept");
    assert_eq!(keep("cus_1").await, Link::Linked);
    assert_eq!(keep("cus_1").await, Link::Already);
    assert_eq!(keep("cus_2").await, Link::OrganisationTaken("cus_1".to_owned()));
    assert_eq!(billing::claim_customer(&world.db, &admin).await.expect("a claim"), Claim::Has("cus_1".to_owned()));
    let gone = billing::in_subject(&world.db, "cus_1", async |conn, _| billing::unlink_customer(conn, "cus_1").await).await;
    assert_eq!(gone.expect("unlinked"), Some(org));
    let fresh = billing::claim_customer(&world.db, &admin).await.expect("a claim");
    assert_eq!(fresh, Claim::Make { key: format!("handrail-customer-{org}-2"), attempt: 2 });
}

#[tokio::test]
async fn what_was_bought_is_handed_out_once() {
    let world = World::new().await;
    let (org, _, _) = world.org().await;
    let session = |status: &str| checkout("cs_1", &org.to_string(), Some("cus_1"), status);
    for order in permutations(&[("completed", "unpaid"), ("async_payment_succeeded", "paid"), ("completed", "paid")]) {
        world.run("TRUNCATE checkout_sessions").await;
        let mut handed_out = 0;
        for (event, status) in order.iter().chain(&order) {
            let done = world.checkout(event, &session(status)).await;
            assert_eq!(done.org, Some(org));
            handed_out += usize::from(done.fulfil);
        }
        assert_eq!(handed_out, 1, "{order:?}");
        assert_eq!(world.text("SELECT progress || payment_status FROM checkout_sessions").await, "paidpaid");
    }
    world.run("TRUNCATE checkout_sessions").await;
    let at_once = join_all((0..20).map(|_| async { world.checkout("completed", &session("paid")).await.fulfil })).await;
    assert_eq!(at_once.into_iter().filter(|fulfil| *fulfil).count(), 1);
    for (id, events) in [("cs_2", [("completed", "unpaid"), ("async_payment_failed", "unpaid")]), ("cs_3", [("expired", "unpaid"); 2])] {
        for (event, status) in events {
            assert!(!world.checkout(event, &checkout(id, &org.to_string(), Some("cus_1"), status)).await.fulfil);
        }
    }
}

#[tokio::test]
async fn a_checkout_that_expired_links_nobody() {
    let world = World::new().await;
    let (org, member, _) = world.org().await;
    let done = world.checkout("expired", &checkout("cs_1", &org.to_string(), Some("cus_1"), "unpaid")).await;
    assert_eq!((done.link, done.org, world.show(&member).await.customer), (None, None, false));
    let unknown = world.checkout("completed", &checkout("cs_2", &OrgId::new().to_string(), Some("cus_2"), "paid")).await;
    assert_eq!((unknown.link, unknown.org, unknown.fulfil), (Some(Link::Absent), None, false));
    let guest = world.checkout("completed", &checkout("cs_3", &org.to_string(), None, "paid")).await;
    assert_eq!((guest.link, guest.org, guest.fulfil), (None, Some(org), true));
}

#[tokio::test]
async fn everything_goes_with_the_organisation_but_what_is_not_its_own() {
    let world = World::new().await;
    let ((acme, _, _), (other, other_member, _)) = (world.org().await, world.org().await);
    world.checkout("completed", &checkout("cs_1", &acme.to_string(), Some("cus_1"), "paid")).await;
    world.subscription(&subscription("active", 1), event(5, "created")).await;
    world.invoice(&invoice("in_1", "open", 5), event(5, "created")).await;
    world.link(other, "cus_2").await;
    let mut theirs = subscription("active", 1);
    (theirs["id"], theirs["customer"]) = (json!("sub_2"), json!("cus_2"));
    world.subscription(&theirs, event(5, "created")).await;
    world.run(&format!("DELETE FROM organisations WHERE id = '{acme}'")).await;
    for table in ["checkout_sessions", "invoices"] {
        assert_eq!(world.text(&format!("SELECT count(*)::text FROM {table}")).await, "0", "{table}");
    }
    for (table, left) in [("billing_customers", "1"), ("subscriptions", "1"), ("subscription_items", "2")] {
        assert_eq!(world.text(&format!("SELECT count(*)::text FROM {table}")).await, left, "{table}");
    }
    assert!(world.show(&other_member).await.entitlements.may_use);
    let late = world.subscription(&subscription("canceled", 1), event(6, "deleted")).await;
    assert_eq!(late.org, None, "kept, as nobody's");
}

//! What is kept of Stripe's words about subscriptions and invoices, whatever order they come in and however many workers apply them.

mod catalogue;
mod customers;
mod world;

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use domain::billing::{Mark, Status, Subscription, Verdict};
use futures::future::join_all;
use persistence::billing::{self, Live};
use serde_json::json;

use world::{DAY, GRACE, World, event, invoice, permutations, subscription};

#[tokio::test]
async fn every_order_of_events_leaves_the_same_row() {
    let world = World::new().await;
    let life = [
        (subscription("incomplete", 1), event(5, "created")),
        (subscription("active", 1), event(5, "updated")),
        (subscription("odd", 2), event(7, "updated")),
        (subscription("active", 3), event(6, "updated")),
    ];
    let mut with_end = life.to_vec();
    with_end[2] = (subscription("canceled", 3), event(6, "deleted"));
    for (life, status) in [(life.to_vec(), "odd"), (with_end, "canceled")] {
        let mut rows = BTreeSet::new();
        for order in permutations(&life) {
            world.run("TRUNCATE subscriptions CASCADE").await;
            for (said, mark) in order.iter().chain(order.first()) {
                world.subscription(said, *mark).await;
            }
            rows.insert(world.subscriptions().await);
        }
        assert_eq!(rows.len(), 1, "{rows:#?}");
        assert!(rows.iter().all(|row| row.contains(&format!(r#""status": "{status}""#))), "{rows:#?}");
    }
}

#[tokio::test]
async fn of_fifty_at_once_one_is_new_and_the_rest_is_the_same() {
    let world = World::new().await;
    let said = subscription("active", 1);
    let applied = join_all((0..50).map(|_| world.subscription(&said, event(5, "updated")))).await;
    let new = applied.iter().filter(|applied| applied.verdict == Verdict::New).count();
    let same = applied.iter().filter(|applied| applied.verdict == Verdict::Same && !applied.changed()).count();
    assert_eq!((new, same), (1, 49));
}

#[tokio::test]
async fn of_fifty_different_ones_at_once_the_latest_counts() {
    let world = World::new().await;
    let effects = (0..50_u32).map(|number| {
        let (second, said) = (i64::from(number * 7 % 50), subscription("active", number * 7 % 50));
        let world = &world;
        async move { world.subscription(&said, event(second, "updated")).await }
    });
    join_all(effects).await;
    assert_eq!(world.text("SELECT quantity::text FROM subscription_items WHERE id = 'si_1'").await, "49");
    assert_eq!(world.text("SELECT extract(epoch FROM mark_at)::int::text FROM subscriptions").await, "49");
}

#[tokio::test]
async fn what_is_fetched_under_the_lock_is_never_overwritten_by_an_earlier_answer() {
    let world = World::new().await;
    let truth = AtomicU32::new(0);
    let syncs = (0..30_u64).map(|number| {
        let (world, truth) = (&world, &truth);
        async move {
            let sync = billing::in_subject(&world.db, "cus_1", async |conn, held| {
                let fetched = truth.fetch_add(1, Ordering::SeqCst);
                // The answer takes its time.
                tokio::time::sleep(Duration::from_millis(number % 5)).await;
                let said = Subscription::read(&subscription("active", fetched)).expect("a subscription");
                billing::apply_subscription(conn, &said, Mark::fetched(held)).await
            });
            assert!(sync.await.expect("applied").changed());
        }
    });
    join_all(syncs).await;
    assert_eq!(world.text("SELECT quantity::text FROM subscription_items WHERE id = 'si_1'").await, "29");
    let late = world.subscription(&subscription("unpaid", 1), event(1_700_000_000, "updated")).await;
    assert_eq!(late.verdict, Verdict::Older, "an event from before the fetch");
}

#[tokio::test]
async fn a_comparison_tells_whether_something_drifted() {
    let world = World::new().await;
    world.subscription(&subscription("active", 1), event(5, "created")).await;
    let fetch = async |status: &str, quantity| {
        let said = Subscription::read(&subscription(status, quantity)).expect("a subscription");
        let sync =
            billing::in_subject(&world.db, "cus_1", async |conn, held| billing::apply_subscription(conn, &said, Mark::fetched(held)).await);
        sync.await.expect("applied").changed()
    };
    let before = world.text("SELECT updated_at::text FROM subscriptions").await;
    assert!(!fetch("active", 1).await);
    assert_eq!(world.text("SELECT updated_at::text FROM subscriptions").await, before);
    assert!(fetch("active", 2).await);
    assert!(fetch("past_due", 2).await);
    assert_eq!(world.text("SELECT mark_source FROM subscriptions").await, "fetched");
}

#[tokio::test]
async fn live_subscriptions_are_listed_in_pages_without_those_that_ended() {
    let world = World::new().await;
    for (number, status) in ["active", "canceled", "odd", "incomplete_expired", "paused", "unpaid"].into_iter().enumerate() {
        let mut said = subscription(status, 1);
        said["id"] = json!(format!("sub_{number}"));
        world.subscription(&said, event(5, "updated")).await;
    }
    let mut listed: Vec<Live> = Vec::new();
    loop {
        let after = listed.last().map(|live| live.id.clone());
        let page = billing::live_subscriptions(&world.db, after.as_deref(), 3).await.expect("a page");
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert_eq!(listed.iter().map(|live| live.id.as_str()).collect::<Vec<_>>(), ["sub_0", "sub_2", "sub_4", "sub_5"]);
    assert!(listed.iter().all(|live| live.customer == "cus_1"));
}

#[tokio::test]
async fn every_state_shows_what_may_be_used() {
    let world = World::new().await;
    let (org, member, _) = world.org().await;
    world.product("prod_free", json!({ "plan": "free", "limit_projects": "1" }), event(1, "created")).await;
    world.product("prod_pro", json!({ "plan": "pro", "limit_projects": "10" }), event(1, "created")).await;
    let none = world.show(&member).await;
    assert_eq!((none.entitlements.plan.as_str(), none.entitlements.may_use, none.customer), ("free", true, false));
    assert_eq!((none.entitlements.limits.get("projects"), none.subscription), (Some(&1), None));
    world.link(org, "cus_1").await;
    let now: i64 = world.text("SELECT extract(epoch FROM now())::bigint::text").await.parse().expect("a number");
    for status in Status::KNOWN {
        for (age, within) in [(1, true), (30, false)] {
            world.run("TRUNCATE subscriptions CASCADE").await;
            let mut said = subscription(status.as_str(), 4);
            said["current_period_start"] = json!(now - age * DAY);
            said["current_period_end"] = json!(now + DAY);
            world.subscription(&said, event(5, "updated")).await;
            let shown = world.show(&member).await;
            let may_use = matches!(status, Status::Trialing | Status::Active) || status == Status::PastDue && within;
            let expected = if may_use { (true, 4, Some(&10)) } else { (false, 0, Some(&1)) };
            let given = &shown.entitlements;
            assert_eq!((given.may_use, given.seats, given.limits.get("projects")), expected, "{status}");
            assert_eq!((given.plan.as_str(), shown.customer), ("pro", true));
            let Some(row) = shown.subscription else { panic!("{status}: no subscription") };
            assert_eq!((row.status, row.items.len()), (status.clone(), 2));
        }
    }
    for (last, may_use) in [("active", true), ("paused", false)] {
        world.run("TRUNCATE subscriptions CASCADE").await;
        let odd = world.subscription(&subscription("odd", 4), event(9, "updated")).await;
        assert!(odd.unknown);
        assert!(!world.show(&member).await.entitlements.may_use, "nothing was known before");
        assert_eq!(world.subscription(&subscription(last, 4), event(5, "updated")).await.verdict, Verdict::Older);
        let shown = world.show(&member).await.entitlements;
        assert_eq!((shown.may_use, shown.unknown), (may_use, true), "{last} goes on");
        assert_eq!(shown.status, Some(Status::Unknown("odd".to_owned())));
    }
}

#[tokio::test]
async fn invoices_are_kept_once_and_shown_latest_first() {
    let world = World::new().await;
    let (org, member, _) = world.org().await;
    world.link(org, "cus_1").await;
    let paid = |id: &str, created| {
        let mut said = invoice(id, "paid", created);
        said["amount_paid"] = json!(900);
        said
    };
    let life = [
        (invoice("in_1", "draft", 5), event(5, "created")),
        (invoice("in_1", "open", 5), event(6, "updated")),
        (paid("in_1", 5), event(6, "paid")),
    ];
    for order in permutations(&life) {
        world.run("TRUNCATE invoices").await;
        for (said, mark) in order.iter().chain(&order) {
            world.invoice(said, *mark).await;
        }
        let shown = world.show(&member).await.invoices;
        assert_eq!(shown.iter().map(|one| (one.status.as_str(), one.amount_paid)).collect::<Vec<_>>(), [("paid", 900)]);
    }
    let same = join_all((0..20).map(|_| async { world.invoice(&paid("in_2", 6), event(9, "paid")).await.changed() })).await;
    assert_eq!(same.into_iter().filter(|changed| *changed).count(), 1);
    world.invoice(&invoice("in_draft", "draft", 999), event(9, "created")).await;
    for number in 3..20 {
        world.invoice(&paid(&format!("in_{number}"), number), event(9, "paid")).await;
    }
    let shown = world.show(&member).await.invoices;
    assert_eq!((shown.len(), shown[0].id.as_str(), shown[11].id.as_str()), (12, "in_19", "in_8"));
}

#[tokio::test]
async fn the_grace_counts_from_the_first_unpaid_invoice() {
    let world = World::new().await;
    let (org, member, _) = world.org().await;
    world.link(org, "cus_1").await;
    let now: i64 = world.text("SELECT extract(epoch FROM now())::bigint::text").await.parse().expect("a number");
    let mut said = subscription("past_due", 1);
    said["current_period_start"] = json!(now - 20 * DAY);
    world.subscription(&said, event(now, "updated")).await;
    assert!(!world.show(&member).await.entitlements.may_use, "due since the period began");
    world.invoice(&invoice("in_1", "open", now - DAY), event(now, "payment_failed")).await;
    let shown = world.show(&member).await.entitlements;
    let until = shown.until.map(|until| until.timestamp());
    assert_eq!((shown.may_use, until), (true, Some(now - DAY + i64::try_from(GRACE.as_secs()).expect("seconds"))));
    world.invoice(&invoice("in_0", "open", now - 9 * DAY), event(now, "payment_failed")).await;
    assert!(!world.show(&member).await.entitlements.may_use, "due since an earlier one");
}

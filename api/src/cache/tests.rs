//! What is kept, for how long, and who waits for whom: with handlers that can be held up, and without a database.

mod forms;
mod keys;
mod world;

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use domain::Code;
use futures::{future::join_all, join, poll};

use world::{Mode, World};

#[actix_web::test]
async fn all_who_ask_while_an_answer_is_made_get_that_one() {
    let world = World::listening();
    world.kitchen.close();
    let service = world.serve().await;
    let open = async {
        world.kitchen.until_made(1).await;
        world.kitchen.open(1);
    };
    let (answers, ()) = join!(join_all((0..200).map(|_| service.get("/dish"))), open);
    assert_eq!(world.kitchen.made(), 1);
    let collapsed = answers.iter().filter(|answer| answer.header("cache-status") == "handrail; fwd=miss; collapsed").count();
    assert_eq!((answers.len(), collapsed), (200, 199));
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK && answer.body == "\"old\""));
    assert!(service.get("/dish").await.header("cache-status").starts_with("handrail; hit; ttl=3"));
}

#[actix_web::test]
async fn one_who_leaves_takes_nothing_from_those_who_wait() {
    let world = World::listening();
    world.kitchen.close();
    let service = world.serve().await;
    let mut first = Box::pin(service.get("/dish"));
    assert!(poll!(&mut first).is_pending());
    drop(first);
    let open = async {
        world.kitchen.until_made(1).await;
        world.kitchen.open(1);
    };
    let (second, ()) = join!(service.get("/dish"), open);
    assert_eq!((second.status, world.kitchen.made()), (StatusCode::OK, 1));
}

#[actix_web::test]
async fn a_failure_or_a_panic_reaches_all_who_wait_and_is_not_kept() {
    for (mode, status) in [(Mode::Panic, 500), (Mode::Fail(Code::Unavailable), 503), (Mode::Fail(Code::NotFound), 404)] {
        let world = World::listening();
        let service = world.serve().await;
        world.kitchen.set(mode);
        world.kitchen.close();
        let open = async {
            world.kitchen.until_made(1).await;
            world.kitchen.open(1);
        };
        let (answers, ()) = join!(join_all((0..20).map(|_| service.get("/dish"))), open);
        assert!(answers.iter().all(|answer| answer.status.as_u16() == status), "{mode:?}");
        assert_eq!(world.kitchen.made(), 1);
        world.kitchen.set(Mode::Cook);
        world.kitchen.open(1);
        assert_eq!(service.get("/dish").await.header("cache-status"), "handrail; fwd=miss; stored");
    }
}

#[actix_web::test]
async fn what_was_read_before_a_purge_is_not_given_after_it() {
    let world = World::listening();
    world.kitchen.close();
    let service = world.serve().await;
    let mut early = Box::pin(service.get("/dish"));
    assert!(poll!(&mut early).is_pending());
    world.kitchen.until_made(1).await;
    world.kitchen.write("new");
    world.revocations.purge("dishes");
    let open = async {
        world.kitchen.until_made(2).await;
        world.kitchen.open(2);
    };
    let (early, late, ()) = join!(early, service.get("/dish"), open);
    assert_eq!((early.body.as_str(), late.body.as_str()), ("\"old\"", "\"new\""));
    let third = service.get("/dish").await;
    assert!(third.header("cache-status").starts_with("handrail; hit; ttl=3"), "{}", third.header("cache-status"));
    assert_eq!((third.body.as_str(), world.kitchen.made()), ("\"new\"", 2));
}

#[actix_web::test]
async fn a_purge_by_tag_path_or_route_ends_what_is_kept_under_it_and_nothing_else() {
    let world = World::listening();
    let service = world.serve().await;
    let one = "/dishes/01900000-0000-7000-8000-000000000001";
    let two = "/dishes/01900000-0000-7000-8000-000000000002";
    let made = async |purge: &str| {
        for path in ["/dish", one, two] {
            service.get(path).await;
        }
        world.revocations.purge(purge);
        let mut made = Vec::new();
        for path in ["/dish", one, two] {
            made.push(service.get(path).await.header("cache-status") == "handrail; fwd=miss; stored");
        }
        made
    };
    assert_eq!(made("dishes").await, [true, true, true]);
    assert_eq!(made("/dish").await, [true, false, false]);
    assert_eq!(made(one).await, [false, true, false]);
    assert_eq!(made("/dishes/{id}").await, [false, true, true]);
    assert_eq!(made("others").await, [false, false, false]);
}

#[actix_web::test]
async fn after_its_time_an_answer_is_given_while_a_new_one_is_made() {
    let world = World::listening();
    let service = world.serve().await;
    service.get("/brief").await;
    world.kitchen.write("new");
    world.kitchen.close();
    for _ in 0..10 {
        // Nobody waits, and one new one is made for all.
        let stale = service.get("/brief").await;
        assert_eq!(stale.body, "\"old\"");
        assert!(
            ["handrail; hit; ttl=0", "handrail; hit; ttl=-1"].contains(&stale.header("cache-status")),
            "{}",
            stale.header("cache-status")
        );
    }
    world.kitchen.until_made(2).await;
    world.kitchen.open(100);
    let deadline = Instant::now() + Duration::from_secs(20);
    while service.get("/brief").await.body != "\"new\"" {
        assert!(Instant::now() < deadline, "no new one is made");
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn when_no_new_one_can_be_made_the_old_one_is_given_and_nobody_tries_again_at_once() {
    let world = World::listening();
    let service = world.serve().await;
    service.get("/brief").await;
    world.kitchen.set(Mode::Fail(Code::Unavailable));
    let begun = Instant::now();
    service.get("/brief").await;
    world.kitchen.until_made(2).await;
    for _ in 0..20 {
        assert_eq!(service.get("/brief").await.body, "\"old\"");
    }
    assert!(world.kitchen.made() == 2 || begun.elapsed() >= super::answer::PAUSE, "{}", world.kitchen.made());
}

#[actix_web::test]
async fn without_a_listener_nothing_is_believed_but_the_last_answer_stands_in_for_failures() {
    let world = World::deaf();
    let service = world.serve().await;
    assert_eq!(service.get("/dish").await.header("cache-status"), "handrail; fwd=miss; stored");
    world.kitchen.write("new");
    let anew = service.get("/dish").await;
    assert_eq!((anew.body.as_str(), anew.header("cache-status")), ("\"new\"", "handrail; fwd=stale; stored"));
    world.kitchen.set(Mode::Fail(Code::Unavailable));
    let failed = service.get("/dish").await;
    assert_eq!((failed.status, failed.body.as_str()), (StatusCode::OK, "\"new\""));
    assert!(failed.header("cache-status").starts_with("handrail; fwd=stale; fwd-status=503; ttl="), "{}", failed.header("cache-status"));
    // What is no longer there must not be given for the old answer's sake, nor kept for a later failure.
    let world = World::deaf();
    let service = world.serve().await;
    service.get("/dish").await;
    world.kitchen.set(Mode::Fail(Code::NotFound));
    assert_eq!(service.get("/dish").await.status, StatusCode::NOT_FOUND);
    world.kitchen.set(Mode::Fail(Code::Unavailable));
    assert_eq!(service.get("/dish").await.status, StatusCode::SERVICE_UNAVAILABLE);
    // What was purged is not given for any failure's sake.
    world.kitchen.set(Mode::Cook);
    service.get("/dish").await;
    world.revocations.purge("dishes");
    world.kitchen.set(Mode::Fail(Code::Unavailable));
    assert_eq!(service.get("/dish").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[actix_web::test]
async fn what_is_static_is_made_once_whether_anybody_listens_or_not() {
    let world = World::deaf();
    let service = world.serve().await;
    service.get("/fixed").await;
    for _ in 0..5 {
        assert_eq!(service.get("/fixed").await.header("cache-status"), "handrail; hit");
    }
    world.revocations.purge("/fixed");
    assert_eq!(service.get("/fixed").await.header("cache-status"), "handrail; fwd=miss; stored");
}

#[actix_web::test]
async fn with_no_memory_nothing_is_kept_and_those_at_the_same_time_still_share() {
    let world = World::with(config::Cache { bytes_max: 0, ..world::SETTINGS }, true);
    let service = world.serve().await;
    join_all((0..20).map(|_| service.get("/dish"))).await;
    assert_eq!(world.kitchen.made(), 1);
    world.cache.kept.run_pending_tasks();
    assert_eq!(service.get("/dish").await.header("cache-status"), "handrail; fwd=miss; stored");
}

#[test]
fn tags_of_the_table_can_be_asked_for() {
    for row in crate::routes::table() {
        for policy in row.entries().iter().filter_map(|entry| entry.policy.as_ref()) {
            assert_eq!(policy.path, row.path());
            assert!(policy.tags.iter().all(|tag| domain::text::TAG.is_match(tag) && tag.len() <= 64), "{:?}", policy.tags);
        }
    }
}

//! What an answer is kept under, and how much is kept.

use actix_web::http::StatusCode;

use super::world::{SETTINGS, World};

#[actix_web::test]
async fn a_query_that_no_argument_reads_makes_no_difference() {
    let world = World::listening();
    let service = world.serve().await;
    for path in ["/dish", "/dish?utm=1", "/dish?", "/di%73h?a=b&c"] {
        assert_eq!(service.get(path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(world.kitchen.made(), 1);
}

#[actix_web::test]
async fn queries_that_say_the_same_share_an_answer_and_others_do_not() {
    let world = World::listening();
    let service = world.serve().await;
    for path in ["/chosen?number=1&name=a%20b", "/chosen?name=a+b&number=1", "/chosen?name=%61+b&number=%31"] {
        assert_eq!(service.get(path).await.body, "\"old 1 a b\"", "{path}");
    }
    assert_eq!(world.kitchen.made(), 1);
    assert_eq!(service.get("/chosen?number=2&name=a+b").await.body, "\"old 2 a b\"");
    assert_eq!(world.kitchen.made(), 2);
}

#[actix_web::test]
async fn what_is_refused_is_refused_each_time_and_nothing_is_made() {
    let world = World::listening();
    let service = world.serve().await;
    for path in ["/chosen", "/chosen?number=x", "/chosen?number=1&unknown=1", "/chosen?number=1&number=2", "/dishes/nonsense"] {
        for _ in 0..2 {
            assert_eq!(service.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
        }
    }
    assert_eq!((world.kitchen.made(), world.cache.kept.iter().count()), (0, 0));
}

#[actix_web::test]
async fn a_path_cannot_be_taken_for_another_with_a_query() {
    let world = World::listening();
    let service = world.serve().await;
    service.get("/chosen?number=1").await;
    for path in ["/dishes/%3Fnumber=1", "/dishes/number=1%20%2Fchosen", "/chosen%3Fnumber=1"] {
        assert_ne!(service.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[actix_web::test]
async fn a_very_long_query_is_answered_but_not_kept() {
    let world = World::listening();
    let service = world.serve().await;
    let path = format!("/chosen?number=1&name={}", "x".repeat(3000));
    for _ in 0..3 {
        assert_eq!(service.get(&path).await.header("cache-status"), "handrail; fwd=bypass");
    }
    assert_eq!((world.kitchen.made(), world.cache.kept.iter().count()), (3, 0));
}

#[actix_web::test]
async fn many_keys_take_no_more_memory_than_they_may() {
    let world = World::listening();
    let service = world.serve().await;
    world.kitchen.write(&"x".repeat(1000));
    for number in 0..1000 {
        service.get(&format!("/chosen?number={number}")).await;
    }
    world.cache.kept.run_pending_tasks();
    let (entries, bytes) = (world.cache.kept.entry_count(), world.cache.kept.weighted_size());
    assert!(bytes <= SETTINGS.bytes_max && entries > 10 && entries < 1000, "{entries} entries, {bytes} bytes");
    let real: usize = world.cache.kept.iter().map(|(key, _)| key.len() + 1000).sum();
    assert!(u64::try_from(real).is_ok_and(|real| real <= bytes), "{real} bytes are counted as {bytes}");
    // One that is larger than all there is is given, not kept.
    world.kitchen.write(&"x".repeat(1 << 20));
    for _ in 0..2 {
        assert_eq!(service.get("/chosen?number=5000").await.bytes, (1 << 20) + 8);
        world.cache.kept.run_pending_tasks();
    }
    assert!(world.cache.kept.weighted_size() <= SETTINGS.bytes_max);
}

#[test]
fn paths_that_can_be_purged_are_those_that_are_kept() {
    let world = World::deaf();
    for path in ["/dish", "/dishes/{id}", "/dishes/01900000-0000-7000-8000-000000000001"] {
        assert!(world.cache.has_path(path), "{path}");
    }
    for path in ["", "/", "dish", "/dish/", "/dishes", "/dishes/a/b", "/dish?a=b", "/other"] {
        assert!(!world.cache.has_path(path), "{path}");
    }
}

//! What goes over the wire: headers, `HEAD`, 304, compressed forms.

use std::{collections::HashSet, time::Duration};

use actix_web::http::{Method, StatusCode};

use super::world::{SETTINGS, World};

#[actix_web::test]
async fn an_answer_says_how_it_may_be_kept_and_how_old_it_is() {
    let world = World::listening();
    let service = world.serve().await;
    for _ in 0..2 {
        let answer = service.get("/dish").await;
        assert_eq!(answer.header("cache-control"), "public, max-age=0, must-revalidate");
        assert_eq!((answer.header("vary"), answer.header("content-type")), ("Accept-Encoding", "application/json"));
        assert!(answer.header("age").parse::<u64>().is_ok_and(|age| age < 60));
        assert!(answer.header("etag").len() == 24 && answer.header("set-cookie").is_empty());
    }
}

#[actix_web::test]
async fn a_cdn_may_repeat_it_for_as_long_as_is_set() {
    let world = World::with(config::Cache { edge: Duration::from_secs(60), ..SETTINGS }, true);
    let service = world.serve().await;
    let control = async |path: &str| service.get(path).await.header("cache-control").to_owned();
    assert_eq!(control("/dish").await, "public, max-age=0, must-revalidate, s-maxage=60");
    assert_eq!(control("/fixed").await, "public, max-age=0, must-revalidate, s-maxage=60");
    control("/brief").await;
    assert_eq!(control("/brief").await, "public, max-age=0, must-revalidate", "its time is over");
}

#[actix_web::test]
async fn head_says_what_get_does_without_a_body_and_shares_its_answer() {
    let world = World::listening();
    let service = world.serve().await;
    let get = service.get("/dish").await;
    let head = service.ask(Method::HEAD, "/dish", &[]).await;
    assert_eq!((head.status, head.header("etag"), world.kitchen.made()), (StatusCode::OK, get.header("etag"), 1));
}

#[actix_web::test]
async fn who_has_it_already_is_told_so() {
    let world = World::listening();
    let service = world.serve().await;
    let etag = service.get("/dish").await.header("etag").to_owned();
    let ask = async |given: &str| service.ask(Method::GET, "/dish", &[("if-none-match", given)]).await;
    for given in [etag.as_str(), "*", &format!("W/{etag}"), &format!("\"a\", {etag}")] {
        let answer = ask(given).await;
        assert_eq!((answer.status, answer.bytes, answer.header("etag")), (StatusCode::NOT_MODIFIED, 0, etag.as_str()), "{given}");
        assert_eq!(answer.header("cache-control"), "public, max-age=0, must-revalidate");
        assert_eq!((answer.header("vary"), answer.header("content-type")), ("Accept-Encoding", ""));
    }
    for given in ["\"other\"", etag.trim_matches('"'), "", "\"", &format!("{etag}x")] {
        assert_eq!(ask(given).await.status, StatusCode::OK, "{given}");
    }
    world.kitchen.write("new");
    world.revocations.purge("dishes");
    let answer = ask(&etag).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "\"new\""));
    assert_ne!(answer.header("etag"), etag);
}

#[actix_web::test]
async fn each_coding_has_its_own_entity_tag_and_is_made_once() {
    let world = World::listening();
    let service = world.serve().await;
    world.kitchen.write(&"soup ".repeat(2000));
    let mut tags = HashSet::from([service.get("/dish").await.header("etag").to_owned()]);
    for coding in ["gzip", "br", "deflate", "zstd"] {
        for _ in 0..2 {
            let answer = service.ask(Method::GET, "/dish", &[("accept-encoding", coding)]).await;
            assert_eq!((answer.header("content-encoding"), answer.header("vary")), (coding, "Accept-Encoding"));
            assert!(answer.bytes < 1000, "{coding}: {} bytes", answer.bytes);
            assert!(answer.header("etag").ends_with(&format!("-{coding}\"")));
            tags.insert(answer.header("etag").to_owned());
        }
        let etag = tags.iter().find(|tag| tag.contains(coding)).unwrap().clone();
        let known = service.ask(Method::GET, "/dish", &[("accept-encoding", coding), ("if-none-match", &etag)]).await;
        assert_eq!((known.status, known.bytes), (StatusCode::NOT_MODIFIED, 0));
        let other = service.ask(Method::GET, "/dish", &[("if-none-match", &etag)]).await;
        assert_eq!(other.status, StatusCode::NOT_MODIFIED, "it says the same in whatever form");
    }
    assert_eq!((tags.len(), world.kitchen.made()), (5, 1));
    for nothing in ["identity", "gzip;q=0", "", "nonsense"] {
        let answer = service.ask(Method::GET, "/dish", &[("accept-encoding", nothing)]).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (StatusCode::OK, ""), "{nothing}");
    }
}

#[actix_web::test]
async fn nothing_a_client_sends_changes_the_answer_or_has_it_made_anew() {
    let world = World::listening();
    let service = world.serve().await;
    let plain = service.get("/dish").await;
    for header in [
        ("cookie", "session=abc"),
        ("authorization", "Bearer abc"),
        ("cache-control", "no-cache, no-store, max-age=0"),
        ("pragma", "no-cache"),
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("accept-language", "fr"),
        ("range", "bytes=0-1"),
        ("origin", "https://evil.example"),
    ] {
        let answer = service.ask(Method::GET, "/dish", &[header]).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &plain.body), "{header:?}");
        assert_eq!(answer.header("cache-status").split("; ttl").next(), Some("handrail; hit"), "{header:?}");
    }
    assert_eq!(world.kitchen.made(), 1);
}

//! `GET /api/plans`, whose answers are kept, and `POST /api/admin/revalidate`, which purges them on every server.

mod fleet;

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, App, Database, Proxy, eventually};

use crate::billing::Shop;

/// The bound of the promise.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn product(id: &str, name: &str) -> String {
    format!(
        "INSERT INTO products (id, name, active, metadata, mark_at, mark_source) VALUES ('{id}', '{name}', true, '{{}}', now(), 'updated')
           ON CONFLICT (id) DO UPDATE SET name = excluded.name, mark_at = now();
         INSERT INTO prices (id, product, currency, active, mark_at, mark_source) VALUES ('price_{id}', '{id}', 'eur', true, now(), 'updated')
           ON CONFLICT (id) DO NOTHING"
    )
}

async fn plans(app: &App) -> Answer {
    app.anon().get("/api/plans").send().await
}

/// Why an answer was given, without its numbers.
fn from(answer: &Answer) -> String {
    let status = answer.header("cache-status").expect("a Cache-Status");
    status.split("; ").filter(|part| !part.starts_with("ttl=")).collect::<Vec<_>>().join("; ")
}

/// Waits until what is kept is believed.
async fn warm(app: &App) {
    eventually("the plans are kept", async || from(&plans(app).await.expect(200)) == "handrail; hit").await;
}

/// A server without background work, which would ask its database by itself, and the wire between them.
async fn behind_a_proxy(settings: &[(&str, &str)]) -> (Proxy, App) {
    let (proxy, database) = (Proxy::start().await, Database::cloned().await);
    let url = proxy.url(&database);
    (proxy, App::on(database, &url, &[&[("WORKER", "false")], settings].concat()).await)
}

#[tokio::test]
async fn what_is_kept_costs_no_query_and_two_hundred_who_find_nothing_cost_one() {
    let (proxy, app) = behind_a_proxy(&[]).await;
    app.sql(&product("prod_1", "Starter")).await;
    warm(&app).await;
    let before = proxy.mark();
    for _ in 0..300 {
        plans(&app).await.expect(200);
    }
    proxy.expect_quiet_since(before);
    // Purged, so that all find nothing at the same time.
    app.sql("NOTIFY handrail_purged, 'plans'").await;
    eventually("the purge is heard of", async || from(&plans(&app).await) != "handrail; hit").await;
    warm(&app).await;
    let before = proxy.mark();
    app.sql("NOTIFY handrail_purged, 'plans'").await;
    let answers = join_all((0..200).map(|_| plans(&app))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.at("/0/name") == "Starter"));
    let made = answers.iter().filter(|answer| from(answer) == "handrail; fwd=miss; stored").count();
    // The purge may be heard of before, amid or after them.
    assert!(made <= 1, "{made} were made");
    proxy.expect_quiet_since(before);
}

#[tokio::test]
async fn while_the_database_is_away_the_last_list_stands_in() {
    let (proxy, app) = behind_a_proxy(&[]).await;
    app.sql(&product("prod_1", "Starter")).await;
    warm(&app).await;
    for silent in [false, true] {
        if silent {
            proxy.freeze();
        } else {
            proxy.cut();
        }
        // At first nothing is known of it; within a second it is not believed any more.
        eventually("it is not believed", async || from(&plans(&app).await.expect(200)) != "handrail; hit").await;
        for _ in 0..20 {
            let begun = Instant::now();
            let answer = plans(&app).await.expect(200);
            assert_eq!(answer.at("/0/name"), "Starter");
            assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
            let from = from(&answer);
            assert!(from.ends_with("; detail=unconfirmed") || from.starts_with("handrail; fwd=stale; fwd-status=50"), "{from}");
        }
        app.anon().get("/api/posts").send().await.expect_error(503, "UNAVAILABLE");
        app.sql("UPDATE products SET name = name || '+'").await;
        app.sql("UPDATE products SET name = 'Starter'").await;
        proxy.mend();
        warm(&app).await;
    }
}

#[tokio::test]
async fn without_anything_to_stand_in_a_lost_database_is_503_and_not_kept() {
    let (proxy, app) = behind_a_proxy(&[]).await;
    proxy.cut();
    let answers = join_all((0..20).map(|_| plans(&app))).await;
    for answer in answers {
        let answer = answer.expect_error(503, "UNAVAILABLE");
        assert_eq!((answer.header("retry-after"), answer.header("cache-control")), (Some("1"), Some("no-store")));
    }
    proxy.mend();
    eventually("the plans are back", async || plans(&app).await.status == 200).await;
    // Nor does one stand in that is older than may be.
    let (proxy, app) = behind_a_proxy(&[("CACHE_STALE_SECONDS", "0"), ("CACHE_BYTES", "0")]).await;
    plans(&app).await.expect(200);
    proxy.cut();
    plans(&app).await.expect_error(503, "UNAVAILABLE");
}

/// A listener that is cut off for good cannot tell of purges.
#[tokio::test]
async fn what_changes_while_nobody_can_listen_is_seen_within_a_second() {
    let (proxy, app) = behind_a_proxy(&[]).await;
    app.sql(&product("prod_1", "Zero")).await;
    warm(&app).await;
    // From now on the listener's notifications are lost: its connection is frozen with all others, and replaced.
    for number in 0..5 {
        let name = format!("Number {number}");
        proxy.freeze();
        app.sql(&product("prod_1", &name)).await;
        proxy.cut();
        proxy.mend();
        let begun = Instant::now();
        eventually("the change is seen", async || {
            let answer = plans(&app).await;
            answer.status == 200 && answer.at("/0/name") == name.as_str()
        })
        .await;
        assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
        warm(&app).await;
    }
}

#[tokio::test]
async fn an_administrator_purges_by_tag_or_by_path() {
    let app = App::start().await;
    let admin = app.admin().await;
    for body in [json!({ "tag": "plans" }), json!({ "path": "/api/plans" })] {
        warm(&app).await;
        let answer = admin.client.post("/api/admin/revalidate").json(&body).send().await.expect(200);
        assert_eq!(answer.json(), json!({ "success": true }));
        assert_eq!(from(&plans(&app).await), "handrail; fwd=miss; stored", "{body}");
    }
    warm(&app).await;
    admin.client.post("/api/admin/revalidate").json(&json!({ "tag": "others" })).send().await.expect(200);
    assert_eq!(from(&plans(&app).await), "handrail; hit", "another tag");
    app.anon().get("/openapi.json").send().await.expect(200);
    admin.client.post("/api/admin/revalidate").json(&json!({ "path": "/openapi.json" })).send().await.expect(200);
    assert_eq!(from(&app.anon().get("/openapi.json").send().await), "handrail; fwd=miss; stored");
}

#[tokio::test]
async fn a_purge_of_something_else_than_one_tag_or_path_is_refused() {
    let app = App::start().await;
    let admin = app.admin().await;
    let ask = async |body: Value| admin.client.post("/api/admin/revalidate").json(&body).send().await;
    for body in [json!({}), json!({ "tag": "plans", "path": "/api/plans" })] {
        ask(body).await.expect_refused(&[]);
    }
    for tag in ["", "/api/plans", "Plans", "a b", "plans'; DROP TABLE users", &"a".repeat(65)] {
        ask(json!({ "tag": tag })).await.expect_refused(&["tag"]);
    }
    for path in ["", "/", "/api/posts", "/api/plans/", "/api/plans?x=1", "/nope", &"/".repeat(501), "/\u{0}"] {
        ask(json!({ "path": path })).await.expect_refused(&["path"]);
    }
    ask(json!({ "tag": null, "path": "/api/plans" })).await.expect_refused(&["tag"]);
    ask(json!({ "tag": 1 })).await.expect_refused(&["tag"]);
    ask(json!({ "all": true })).await.expect_error(400, "VALIDATION_ERROR");
}

/// Stripe's event comes in at one server, whose worker gives it its effect.
#[tokio::test]
async fn a_product_renamed_at_stripe_is_shown_by_every_server() {
    let shop = Shop::open().await;
    shop.price("team_monthly").await;
    let other = App::beside(&shop.app, &[("WORKER", "false")]).await;
    for app in [&shop.app, &other] {
        warm(app).await;
    }
    let id = plans(&other).await.text_at("/0/id");
    // An event from before the catalogue was fetched tells nothing new, and the stand-in's clock is its own.
    let behind = shop.app.count("SELECT extract(epoch FROM now())::bigint").await - shop.stripe.now();
    shop.stripe.advance(Duration::from_secs(u64::try_from(behind).unwrap_or(0) + 60));
    shop.stripe.rename_product(&id, "Renamed").expect("a product");
    shop.app.until_count(1, "SELECT count(*) FROM products WHERE name = 'Renamed'").await;
    for app in [&shop.app, &other] {
        // Products may still be coming in, so the place of this one may change.
        eventually("the new name is shown", async || {
            let shown = plans(app).await.json();
            shown.as_array().into_iter().flatten().any(|plan| plan["id"] == id.as_str() && plan["name"] == "Renamed")
        })
        .await;
    }
}

#[tokio::test]
async fn being_told_the_same_again_purges_nothing() {
    let app = App::with(&[("WORKER", "false")]).await;
    app.sql(&product("prod_1", "Starter")).await;
    warm(&app).await;
    let purges = async || {
        let metrics = app.anon().get("/metrics").send().await.text;
        let line = metrics.lines().find(|line| line.starts_with("handrail_cache_purges_total ")).expect("the purges");
        line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok()).expect("a number")
    };
    let before = purges().await;
    app.sql("UPDATE products SET mark_at = now() + interval '1 hour', updated_at = now()").await;
    // What is told afterwards is heard afterwards.
    app.sql("NOTIFY handrail_purged, 'others'").await;
    eventually("the later one is heard of", async || purges().await > before).await;
    assert_eq!(purges().await, before + 1);
    assert_eq!(from(&plans(&app).await), "handrail; hit");
    let metrics = app.anon().get("/metrics").send().await.text;
    for line in ["handrail_cache_entries ", "handrail_cache_bytes ", "handrail_cache_answers_total{from=\"hit\"} "] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn who_asks_changes_nothing_and_who_has_it_is_told_so() {
    let app = App::with(&[("ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let ada = app.user("Ada").await;
    warm(&app).await;
    let plain = plans(&app).await;
    let etag = plain.header("etag").expect("an ETag").to_owned();
    let signed_in = ada.client.get("/api/plans").header("cookie", "session=x").header("cache-control", "no-cache").send().await;
    assert_eq!((&signed_in.text, signed_in.header("etag"), from(&signed_in).as_str()), (&plain.text, Some(etag.as_str()), "handrail; hit"));
    assert!(signed_in.header("set-cookie").is_none());
    let known = app.anon().get("/api/plans").header("if-none-match", &etag).send().await.expect(304);
    assert_eq!((known.header("etag"), known.text.as_str()), (Some(etag.as_str()), ""));
    let head = app.anon().request(reqwest::Method::HEAD, "/api/plans").send().await.expect(200);
    assert_eq!((head.header("etag"), head.text.as_str()), (Some(etag.as_str()), ""));
    let length = plain.text.len().to_string();
    assert_eq!(head.header("content-length"), Some(length.as_str()));
    let across = app.anon().get("/api/plans").header("origin", "https://app.example.com").send().await.expect(200);
    assert_eq!(across.header("access-control-allow-origin"), Some("https://app.example.com"));
    let vary = across.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(", ");
    assert!(vary.contains("Accept-Encoding") && vary.contains("Origin"), "{vary}");
}

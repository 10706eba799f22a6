//! `/api/search`.

use serde_json::json;
use tests::App;

async fn app_with_posts() -> App {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for (title, content, tags) in [
        ("Postgres indexes", "A GIN index finds words. Indexes cost writes.", &["postgres", "search"][..]),
        ("Running servers", "The server ran & <script>alert(1)</script> runs an index scan.", &["ops"]),
        ("Tea", "Nothing to see here, 100% off_topic.", &["postgres"]),
    ] {
        ada.client.post("/api/posts").json(&json!({ "title": title, "content": content, "tags": tags })).send().await.expect(201);
    }
    app
}

#[tokio::test]
async fn the_best_comes_first_with_highlighted_escaped_snippets() {
    let app = app_with_posts().await;
    let found = app.anon().get("/api/search?query=index").send().await.expect(200);
    assert_eq!(
        (found.at("/total"), found.at("/query"), found.at("/page"), found.at("/limit")),
        (json!(2), json!("index"), json!(1), json!(20))
    );
    assert_eq!(found.at("/results/0/title"), "Postgres indexes");
    assert!(found.text_at("/results/0/snippet").contains("<mark>index</mark>"));
    let other = found.text_at("/results/1/snippet");
    assert!(!other.contains("<script>") && other.contains("&amp;"), "{other}");
    assert!(found.at("/results/0/rank").as_f64() > found.at("/results/1/rank").as_f64());
}

#[tokio::test]
async fn words_are_found_by_their_stem_and_operators_work() {
    let app = app_with_posts().await;
    let total = async |query: &str| {
        let client = app.anon();
        let query = format!("/api/search?query={query}");
        client.get(&query).send().await.expect(200).at("/total").as_i64().expect("a total")
    };
    assert_eq!(total("running").await, 1);
    assert_eq!(total("tea%20or%20index").await, 3);
    assert_eq!(total("index%20-gin").await, 1);
    assert_eq!(total("%22index%20scan%22").await, 1);
    assert_eq!(total("nowhere").await, 0);
    assert_eq!(total("the").await, 0);
}

#[tokio::test]
async fn tags_narrow_and_pages_page() {
    let app = app_with_posts().await;
    let found = app.anon().get("/api/search?query=index&tag=postgres&tag=search").send().await.expect(200);
    assert_eq!((found.at("/total"), found.at("/tags")), (json!(1), json!(["postgres", "search"])));
    let second = app.anon().get("/api/search?query=index&limit=1&page=2").send().await.expect(200);
    assert_eq!((second.at("/total"), second.at("/results/0/title")), (json!(2), json!("Running servers")));
    let beyond = app.anon().get("/api/search?query=index&page=9").send().await.expect(200);
    assert_eq!((beyond.at("/total"), beyond.at("/results")), (json!(2), json!([])));
}

#[tokio::test]
async fn no_query_is_a_syntax_error_or_an_injection() {
    let app = app_with_posts().await;
    for query in [
        "'",
        "''",
        "\"",
        "\\",
        "%",
        "_",
        "*",
        "&|!()",
        ":*",
        "a:b",
        "<->",
        "' OR 1=1 --",
        "'; DROP TABLE posts; --",
        "pg_sleep(9)",
        "💥",
        "-",
        "or",
        "(((",
        "a'b",
    ] {
        let answer = app.anon().get(&format!("/api/search?query={}", encoded(query))).send().await;
        assert!(matches!(answer.status, 200 | 400), "{query}: {}", answer.text);
        assert!(answer.status == 400 || answer.at("/total").as_i64() < Some(3), "{query} matches everything");
    }
    assert_eq!(app.count("SELECT count(*) FROM posts").await, 3);
}

#[tokio::test]
async fn a_word_longer_than_the_index_takes_is_no_error() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let body = json!({ "title": "Long", "content": format!("{} end", "ä".repeat(99_000)) });
    ada.client.post("/api/posts").json(&body).send().await.expect(201);
    assert_eq!(app.anon().get("/api/search?query=end").send().await.expect(200).at("/total"), json!(1));
    let distinct: String = (0..14_000).map(|number| format!("w{number:05} ")).collect();
    let body = json!({ "title": "Many", "content": distinct });
    ada.client.post("/api/posts").json(&body).send().await.expect(201);
    assert_eq!(app.anon().get("/api/search?query=w13999").send().await.expect(200).at("/total"), json!(1));
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

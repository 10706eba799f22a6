//! `/api/posts`.

mod exports;

use reqwest::multipart::{Form, Part};
use serde_json::json;
use tests::{App, Caller};

async fn posted(author: &Caller, title: &str, tags: &[&str]) -> String {
    let body = json!({ "title": title, "content": format!("About {title}"), "tags": tags });
    author.client.post("/api/posts").json(&body).send().await.expect(201).text_at("/id")
}

fn titles(answer: &tests::Answer) -> Vec<String> {
    answer.json().as_array().expect("a list").iter().map(|post| post["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test]
async fn a_post_is_made_read_changed_and_deleted() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let body = json!({ "title": "Notes", "content": "On the engine", "tags": ["engine", "notes", "engine"] });
    let created = ada.client.post("/api/posts").json(&body).send().await.expect(201);
    assert_eq!(created.at("/tags"), json!(["engine", "notes"]));
    assert_eq!(created.at("/authorId"), ada.id.to_string());
    let path = created.header("location").expect("a location").to_owned();
    assert_eq!(app.anon().get(&path).send().await.expect(200).json(), created.json());
    let changed = ada.client.patch(&path).json(&json!({ "title": "More notes" })).send().await.expect(200);
    assert_eq!((changed.at("/title"), changed.at("/content")), (json!("More notes"), json!("On the engine")));
    ada.client.patch(&path).json(&json!({})).send().await.expect(200);
    assert_eq!(ada.client.delete(&path).send().await.expect(200).json(), json!({ "success": true }));
    app.anon().get(&path).send().await.expect_error(404, "NOT_FOUND");
    ada.client.delete(&path).send().await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn bare_text_takes_its_heading_as_title() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let markdown = "Some words first\n\n# The Title\n\n- a\n- b\n";
    let created = ada.client.post("/api/posts").body("text/markdown; charset=utf-8", markdown).send().await.expect(201);
    assert_eq!((created.at("/title"), created.at("/content")), (json!("The Title"), json!(markdown)));
    let created = ada.client.post("/api/posts").body("text/plain", "First line\nrest").send().await.expect(201);
    assert_eq!(created.at("/title"), "First line");
    ada.client.post("/api/posts").body("text/plain", "  \n ").send().await.expect_refused(&["content", "title"]);
    ada.client.post("/api/posts").body("text/plain", vec![0xff, 0xfe, 0x41]).send().await.expect_error(400, "VALIDATION_ERROR");
    ada.client.post("/api/posts").body("text/plain", "a\u{0}b").send().await.expect_refused(&["content"]);
}

#[tokio::test]
async fn a_form_brings_fields_or_a_file() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let form = Form::new().text("title", "By form").text("content", "Words").text("tags", "a").text("tags", "b");
    let created = ada.client.post("/api/posts").form(form).send().await.expect(201);
    assert_eq!((created.at("/tags"), created.at("/fileName")), (json!(["a", "b"]), json!(null)));

    let file = || Part::text("# From a file\n\nWords").file_name("../../etc/notes.md").mime_str("text/markdown").expect("a type");
    let created = ada.client.post("/api/posts").form(Form::new().part("file", file())).send().await.expect(201);
    assert_eq!((created.at("/title"), created.at("/fileName")), (json!("From a file"), json!("../../etc/notes.md")));

    let marked = Part::text("\u{feff}# With a mark\n\nWords").file_name("marked.md").mime_str("text/markdown").expect("a type");
    let created = ada.client.post("/api/posts").form(Form::new().part("file", marked)).send().await.expect(201);
    assert_eq!((created.at("/title"), created.at("/content")), (json!("With a mark"), json!("# With a mark\n\nWords")));

    let both = Form::new().text("content", "x").part("file", file());
    ada.client.post("/api/posts").form(both).send().await.expect_refused(&["file"]);
    let twice = Form::new().text("title", "a").text("title", "b").text("content", "c");
    ada.client.post("/api/posts").form(twice).send().await.expect_refused(&["title"]);
    let unknown = Form::new().text("title", "a").text("content", "c").text("authorId", "1");
    ada.client.post("/api/posts").form(unknown).send().await.expect_refused(&["authorId"]);
    ada.client.post("/api/posts").form(Form::new()).send().await.expect(400);
    let many = (0..100).fold(Form::new(), |form, number| form.text(format!("f{number}"), "x"));
    ada.client.post("/api/posts").form(many).send().await.expect_error(400, "VALIDATION_ERROR");
    ada.client
        .post("/api/posts")
        .body("multipart/form-data; boundary=x", "--x\r\nbroken")
        .send()
        .await
        .expect_error(400, "VALIDATION_ERROR");
    ada.client.post("/api/posts").body("multipart/form-data", "no boundary").send().await.expect_error(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn other_content_types_are_refused() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for content_type in ["application/xml", "application/x-www-form-urlencoded", "text/html", "text/plain; charset=utf-16", "nonsense"] {
        ada.client.post("/api/posts").body(content_type, "x").send().await.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    ada.client.post("/api/posts").send().await.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn only_author_and_administrators_change_a_post() {
    let app = App::start().await;
    let (ada, eve, admin) = (app.user("Ada").await, app.user("Eve").await, app.admin().await);
    let path = format!("/api/posts/{}", posted(&ada, "Mine", &[]).await);
    let change = json!({ "title": "Taken over" });
    app.anon().patch(&path).json(&change).send().await.expect_error(401, "UNAUTHORIZED");
    eve.client.patch(&path).json(&change).send().await.expect_error(403, "FORBIDDEN");
    eve.client.patch(&path).json(&json!({})).send().await.expect_error(403, "FORBIDDEN");
    eve.client.delete(&path).send().await.expect_error(403, "FORBIDDEN");
    assert_eq!(app.anon().get(&path).send().await.at("/title"), "Mine");
    admin.client.patch(&path).json(&change).send().await.expect(200);
    admin.client.delete(&path).send().await.expect(200);
}

#[tokio::test]
async fn posts_are_filtered_and_sorted() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    let first = posted(&ada, "one", &["rust", "web"]).await;
    posted(&eve, "two", &["rust"]).await;
    posted(&ada, "three", &["web"]).await;
    let list = async |query: &str| titles(&app.anon().get(&format!("/api/posts?{query}")).send().await.expect(200));
    assert_eq!(list("").await, ["three", "two", "one"]);
    assert_eq!(list("sort=oldest").await, ["one", "two", "three"]);
    assert_eq!(list("tag=rust").await, ["two", "one"]);
    assert_eq!(list("tag=rust&tag=web").await, ["one"]);
    assert_eq!(list(&format!("authorId={}", eve.id)).await, ["two"]);
    ada.client.patch(&format!("/api/posts/{first}")).json(&json!({ "tags": [] })).send().await.expect(200);
    assert_eq!(list("sort=updated").await, ["one", "three", "two"]);
    app.anon().get("/api/posts?sort=best&authorId=x").send().await.expect_refused(&["authorId", "sort"]);
}

#[tokio::test]
async fn cursors_walk_every_order_once() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for number in 0..9 {
        posted(&ada, &format!("post {number}"), &["t"]).await;
    }
    // Equal times are what a cursor on time alone would lose.
    app.sql("ALTER TABLE posts DISABLE TRIGGER posts_touch; UPDATE posts SET updated_at = '2026-01-01T00:00:00Z' WHERE title < 'post 6'")
        .await;
    for sort in ["newest", "oldest", "updated"] {
        let mut seen = Vec::new();
        let mut path = format!("/api/posts?sort={sort}&tag=t&limit=2&cursor=");
        for _ in 0..10 {
            let page = app.anon().get(&path).send().await.expect(200);
            seen.extend(titles(&page));
            match page.header("link") {
                Some(link) => path = link.trim_start_matches('<').split('>').next().expect("a link").to_owned(),
                None => break,
            }
        }
        let whole = titles(&app.anon().get(&format!("/api/posts?sort={sort}&limit=100")).send().await);
        assert_eq!(seen, whole, "{sort}");
    }
    app.anon().get("/api/posts?cursor=nonsense").send().await.expect_refused(&["cursor"]);
    app.anon().get("/api/posts?cursor=&page=1").send().await.expect_refused(&["cursor"]);
}

#[tokio::test]
async fn of_two_changes_at_once_both_fields_survive() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let path = format!("/api/posts/{}", posted(&ada, "Race", &[]).await);
    for round in 0..10 {
        let (title, content) = (json!({ "title": format!("t{round}") }), json!({ "content": format!("c{round}") }));
        futures::join!(ada.client.patch(&path).json(&title).send(), ada.client.patch(&path).json(&content).send());
        let post = app.anon().get(&path).send().await;
        assert_eq!((post.at("/title"), post.at("/content")), (title["title"].clone(), content["content"].clone()));
    }
}

#[tokio::test]
async fn of_eight_deletions_at_once_one_succeeds() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let path = format!("/api/posts/{}", posted(&ada, "Once", &[]).await);
    let tries = (0..8).map(|_| ada.client.delete(&path).send());
    let mut statuses: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[404; 7][..]));
}

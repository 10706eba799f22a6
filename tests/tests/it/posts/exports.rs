//! `/api/posts/export`.

mod breaks;
mod readers;

use std::collections::HashSet;

use serde_json::{Value, json};
use tests::{App, Caller};

const PATH: &str = "/api/posts/export";
const CSV: &str = "text/csv";

/// Adds posts whose titles are their numbers, the last one being the newest, of this many bytes each.
async fn fill(app: &App, author: &Caller, count: u32, bytes: u32) {
    // Numbered ids of the time of writing, so that they are in order with those that others write meanwhile.
    app.sql(&format!(
        "ALTER TABLE posts ALTER COLUMN search DROP EXPRESSION IF EXISTS; ALTER TABLE posts ALTER COLUMN search SET DEFAULT ''; \
         INSERT INTO posts (id, author_id, title, content, tags) \
         SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 1000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, \
           '{}', n::text, repeat('x', {bytes}), ARRAY['tag' || n % 2, 'tag' || 2 + n % 3] FROM generate_series(1, {count}) n",
        author.id
    ))
    .await;
}

/// Begins to read an export.
async fn begin(app: &App, by: &Caller, accept: &str) -> reqwest::Response {
    let request = tests::http().get(format!("http://{}{PATH}", app.address)).header("accept", accept);
    request.bearer_auth(&by.token).send().await.expect("an answer")
}

fn titles(text: &str) -> Vec<String> {
    let title = |line: &str| {
        let post: Value = serde_json::from_str(line).expect("a JSON value a line");
        post.get("title").and_then(Value::as_str).expect("a title").to_owned()
    };
    text.lines().map(title).collect()
}

/// The numbers of posts from the newest on.
fn numbers(from: u32) -> Vec<String> {
    (1..=from).rev().map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn an_export_has_every_post_once_and_newest_first() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    fill(&app, &ada, 1234, 900).await;
    let whole = ada.client.get(PATH).send().await.expect(200);
    assert_eq!(whole.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(whole.header("content-disposition"), Some("attachment; filename=\"posts.ndjson\""));
    assert!(whole.headers.get_all("vary").iter().any(|value| value.to_str().is_ok_and(|value| value.to_lowercase().contains("accept"))));
    assert_eq!(titles(&whole.text), numbers(1234));
}

#[tokio::test]
async fn a_post_looks_in_it_as_it_does_alone() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let mut made = Vec::new();
    for (title, content, tags) in [("=1+1", "a, \"b\"\r\nc", vec![]), ("Wörter \u{2028}", "-\u{1f600}\\", vec!["x", "\"y\", z"])] {
        let body = json!({ "title": title, "content": content, "tags": tags });
        made.push(ada.client.post("/api/posts").json(&body).send().await.expect(201).json());
    }
    let file = reqwest::multipart::Part::text("# Filed").file_name("@notes.md").mime_str("text/markdown").expect("a type");
    made.push(ada.client.post("/api/posts").form(reqwest::multipart::Form::new().part("file", file)).send().await.expect(201).json());
    made.reverse();
    let lines = ada.client.get(PATH).send().await.expect(200).text;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines, made);

    let table = ada.client.get(PATH).header("accept", "text/html;q=0.2, text/csv;q=0.1").send().await.expect(200);
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(table.header("content-disposition"), Some("attachment; filename=\"posts.csv\""));
    let mut reader = csv::Reader::from_reader(table.text.as_bytes());
    let columns = reader.headers().expect("columns").clone();
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.len(), made.len());
    for (row, post) in rows.iter().zip(&made) {
        for (column, cell) in columns.iter().zip(row) {
            let expected = match &post[column] {
                Value::Null => String::new(),
                Value::String(text) if text.starts_with(['=', '-', '@']) => format!("'{text}"),
                Value::String(text) => text.clone(),
                list => list.to_string(),
            };
            assert_eq!(cell, expected, "{column}");
        }
    }
}

#[tokio::test]
async fn an_export_of_some_has_those() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    fill(&app, &ada, 300, 10).await;
    let get = async |query: &str| ada.client.get(&format!("{PATH}{query}")).send().await;
    let some = async |query: &str| titles(&get(query).await.expect(200).text);
    assert_eq!(some(&format!("?authorId={}", eve.id)).await, [""; 0]);
    assert_eq!(some(&format!("?authorId={}", ada.id)).await, numbers(300));
    let even: Vec<String> = numbers(300).into_iter().filter(|number| number.parse::<u32>().is_ok_and(|number| number % 2 == 0)).collect();
    assert_eq!(some("?tag=tag0").await, even);
    assert_eq!(some("?tag=tag0&tag=tag4").await.len(), 50);
    let line = get("").await.text.lines().nth(99).expect("a hundredth line").to_owned();
    let id = serde_json::from_str::<Value>(&line).expect("JSON")["id"].as_str().expect("an id").to_owned();
    assert_eq!(some(&format!("?after={id}")).await, numbers(200));
    get("?after=x&authorId=y&tag=&page=1").await.expect_refused(&["after", "authorId", "page", "tag.0"]);
}

#[tokio::test]
async fn an_export_of_nothing_is_empty_and_of_one_has_one() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let get = async |accept: &str| ada.client.get(PATH).header("accept", accept).send().await.expect(200).text;
    let columns = "id,authorId,title,content,tags,fileName,createdAt,updatedAt\r\n";
    assert_eq!((get("*/*").await, get(CSV).await), (String::new(), columns.to_owned()));
    fill(&app, &ada, 1, 10).await;
    assert_eq!(titles(&get("application/*").await), ["1"]);
    assert_eq!(get(CSV).await.lines().count(), 2);
}

#[tokio::test]
async fn what_cannot_be_had_is_not_acceptable() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for accept in ["application/json", "text/html, image/*", "application/x-ndjson;q=0", "*/*;q=0"] {
        let answer = ada.client.get(PATH).header("accept", accept).send().await.expect_error(406, "NOT_ACCEPTABLE");
        assert_eq!(answer.text_at("/error"), "This can be had as application/x-ndjson or text/csv");
    }
    app.anon().get(PATH).header("accept", "application/json").send().await.expect_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn long_posts_behind_short_ones_are_all_there() {
    let app = App::with(&[("DATABASE_POOL_SIZE", "2")]).await;
    let ada = app.user("Ada").await;
    fill(&app, &ada, 9000, 10).await;
    // Of what is asked for at once, judging by the posts before, a third would be far too much.
    app.sql("UPDATE posts SET content = repeat('\"', 100000) WHERE title::int BETWEEN 3000 AND 3100 OR title::int = 7000").await;
    for accept in ["*/*", CSV] {
        let text = begin(&app, &ada, accept).await.text().await.expect("the whole of it");
        let seen: Vec<String> = if accept == CSV {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            reader.records().map(|row| row.expect("a row")[2].to_owned()).collect()
        } else {
            titles(&text)
        };
        assert_eq!(seen, numbers(9000), "{accept}");
    }
    // Connections that were given up are made anew.
    app.org(&ada, "Acme").await;
}

#[tokio::test]
async fn posts_that_come_and_go_meanwhile_are_in_it_once_or_not_at_all() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    fill(&app, &ada, 20_000, 2000).await;
    let mut answer = begin(&app, &ada, "*/*").await;
    let mut text = answer.chunk().await.expect("a beginning").expect("a beginning").to_vec();
    // By now the server waits for its client, far from the oldest.
    let body = json!({ "title": "new", "content": "c" });
    ada.client.post("/api/posts").json(&body).send().await.expect(201);
    app.sql("DELETE FROM posts WHERE title IN ('1', '3', '20000')").await;
    while let Some(chunk) = answer.chunk().await.expect("the rest") {
        text.extend(chunk);
    }
    let seen = titles(std::str::from_utf8(&text).expect("UTF-8"));
    let distinct: HashSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "none twice");
    let expected: Vec<String> = numbers(20_000).into_iter().filter(|number| number != "1" && number != "3").collect();
    assert_eq!(seen, expected);
}

//! Malformed, huge and malicious input: a clear 400, quickly, and nothing stored.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::App;

#[tokio::test]
async fn no_body_is_a_surprise() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let deep = "[".repeat(100_000);
    let deep_object = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    let wide = format!("{{{}}}", (0..50_000).map(|number| format!("\"k{number}\":1")).collect::<Vec<_>>().join(","));
    let long = format!(r#"{{"title":"{}","content":"c"}}"#, "t".repeat(900_000));
    let bodies: Vec<Vec<u8>> = [
        "",
        "{",
        "null",
        "[]",
        "1e400",
        "\"text\"",
        "{\"title\":}",
        "{\"title\":\"t\",\"content\":\"c\",}",
        "{'title':'t'}",
        r#"{"title":"t","title":"u","content":"c"}"#,
        r#"{"title":"t","content":"\ud800"}"#,
        r#"{"title":"a\u0000b","content":"c"}"#,
        r#"{"title":"t","content":"c\u0000"}"#,
        r#"{"title":"t","content":"c","tags":["\u0000"]}"#,
        r#"{"title":"t","content":"c","tags":"a"}"#,
        r#"{"title":"t","content":"c","tags":[1]}"#,
        r#"{"title":"t","content":"c","tags":null}"#,
        r#"{"title":" ","content":"c"}"#,
        r#"{"title":"a\nb","content":"c"}"#,
        r#"{"title":"t","content":"c","authorId":"x","role":"admin"}"#,
        r#"{"title":"t","content":"c","fileName":"x"}"#,
        r#"{"title":1e400,"content":"c"}"#,
        r#"{"__proto__":{},"title":"t","content":"c"}"#,
        r#"{"title":"t","content":"c"} trailing"#,
        &deep,
        &deep_object,
        &wide,
        &long,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([b"\xff\xfe{\0}\0".to_vec(), b"\xef\xbb\xbf{}".to_vec(), b"{\"title\":\"\xc3\x28\",\"content\":\"c\"}".to_vec(), vec![0; 1000]])
    .collect();
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let begun = Instant::now();
        let answer = ada.client.post("/api/posts").body("application/json", body).send().await;
        assert_eq!(answer.status, 400, "{shown}: {}", answer.text);
        assert!(answer.text.len() < 20_000 && begun.elapsed() < Duration::from_secs(5), "{shown}");
        assert!(!answer.text.contains("serde") && !answer.text.contains("invalid type"), "{shown}: {}", answer.text);
    }
    assert_eq!(app.count("SELECT count(*) FROM posts").await, 0);
}

#[tokio::test]
async fn text_survives_as_it_is() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for text in
        ["ünïcödé 日本語 🎉", "<script>alert(1)</script>", "'; DROP TABLE posts; --", "a\\b \"c\"", "\u{202e}rtl", "e\u{301}", "\u{ffff}"]
    {
        let created =
            ada.client.post("/api/posts").json(&json!({ "title": text, "content": text, "tags": [text] })).send().await.expect(201);
        let read = app.anon().get(created.header("location").expect("a location")).send().await;
        assert_eq!((read.at("/title"), read.at("/content"), read.at("/tags/0")), (json!(text), json!(text), json!(text)));
    }
}

#[tokio::test]
async fn an_id_is_a_hyphenated_uuid_or_refused() {
    let app = App::start().await;
    let admin = app.admin().await;
    for id in [
        "1",
        "0",
        "-1",
        "abc",
        "null",
        "undefined",
        "%00",
        "%ff",
        "..%2f..%2fetc%2fpasswd",
        "019000000000700080000000000000000",
        "{01900000-0000-7000-8000-000000000000}",
        "urn:uuid:01900000-0000-7000-8000-000000000000",
        "01900000-0000-7000-8000-00000000000g",
        "01900000-0000-7000-8000-000000000000%00",
        "9223372036854775808",
        "💥",
        "a%20b",
        "'--",
    ] {
        for path in ["/api/users", "/api/posts"] {
            admin.client.get(&format!("{path}/{id}")).send().await.expect_refused(&["id"]);
            admin.client.delete(&format!("{path}/{id}")).send().await.expect_refused(&["id"]);
        }
        admin.client.delete(&format!("/api/auth/sessions/{id}")).send().await.expect_refused(&["id"]);
    }
}

#[tokio::test]
async fn pages_and_limits_are_whole_numbers_within_bounds() {
    let app = App::start().await;
    for value in [
        "0",
        "-1",
        "1.5",
        "1e3",
        "abc",
        "NaN",
        "10001",
        "1000000000000000000",
        "9223372036854775808",
        "99999999999999999999999999999999999999999",
        "%D9%A1",
        "%00",
        "0x10",
        "1%20",
    ] {
        for path in ["/api/users?", "/api/posts?", "/api/search?query=a&"] {
            app.anon().get(&format!("{path}page={value}")).send().await.expect_refused(&["page"]);
        }
    }
    for value in ["0", "101", "-5", "many"] {
        app.anon().get(&format!("/api/posts?limit={value}")).send().await.expect_refused(&["limit"]);
    }
    app.anon().get("/api/posts?page=10000&limit=100").send().await.expect(200);
}

#[tokio::test]
async fn parameters_given_twice_or_unknown_are_named() {
    let app = App::start().await;
    let answer = app.anon().get("/api/search?query=a&query=b").send().await.expect_refused(&["query"]);
    assert_eq!(answer.at("/details/fieldErrors/query/0"), "Given twice");
    assert_eq!(answer.text_at("/error"), "Invalid parameters");
    app.anon().get("/api/posts?page=1&page=2").send().await.expect_refused(&["page"]);
    app.anon().get("/api/posts?pages=1&sort=newest&sort=oldest").send().await.expect_refused(&["pages", "sort"]);
    app.anon().get("/api/search").send().await.expect_refused(&["query"]);
    app.anon().get(&format!("/api/search?query={}", "a".repeat(201))).send().await.expect_refused(&["query"]);
    app.anon().get("/api/search?query=a%00b").send().await.expect_refused(&["query"]);
    app.anon().get("/api/posts?tag=a%00b").send().await.expect_refused(&["tag.0"]);
}

#[tokio::test]
async fn a_very_long_password_is_refused_quickly() {
    let app = App::start().await;
    let begun = Instant::now();
    let body = json!({ "email": "a@example.com", "password": "x".repeat(500_000) });
    app.anon().post("/api/auth/login").json(&body).send().await.expect_refused(&["password"]);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn long_passwords_count_to_the_last_character() {
    let app = App::start().await;
    let password = format!("{}ü 末", "correct horse ".repeat(16));
    let body = json!({ "email": "a@example.com", "name": "Ada", "password": password });
    app.anon().post("/api/auth/register").json(&body).send().await.expect(201);
    let login =
        |password: String| app.anon().post("/api/auth/login").json(&json!({ "email": "a@example.com", "password": password })).send();
    login(password.clone()).await.expect(200);
    login(password.trim_end_matches('末').to_owned()).await.expect(401);
    login(password.to_uppercase()).await.expect(401);
}

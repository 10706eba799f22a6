//! What holds for every path: methods, CORS, request ids, headers, compression, sizes.

use reqwest::Method;
use serde_json::json;
use tests::App;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A path that fits a row of the table.
fn instance(path: &str) -> String {
    path.replace("{id}", "01900000-0000-7000-8000-000000000000").replace("{file}", "swagger-ui.css")
}

#[tokio::test]
async fn every_path_answers_options_with_allow() {
    let app = App::start().await;
    for row in api::routes::table() {
        let answer = app.anon().request(Method::OPTIONS, &instance(row.path())).send().await.expect(204);
        assert_eq!(answer.header("allow"), Some(row.allow().as_str()), "{}", row.path());
        assert!(answer.text.is_empty());
    }
}

#[tokio::test]
async fn every_get_answers_head_without_a_body() {
    let app = App::start().await;
    let admin = app.admin().await;
    for row in api::routes::table() {
        let path = instance(row.path());
        if row.entries().iter().any(|entry| entry.method == "GET") {
            let get = admin.client.get(&path).send().await;
            let head = admin.client.request(Method::HEAD, &path).send().await;
            assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
            assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        }
    }
}

#[tokio::test]
async fn another_method_is_405_with_allow() {
    let app = App::start().await;
    for row in api::routes::table() {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
            if row.entries().iter().all(|entry| entry.method.as_str() != method.as_str()) {
                let answer = app.anon().request(method.clone(), &instance(row.path())).send().await;
                let answer = answer.expect_error(405, "METHOD_NOT_ALLOWED");
                assert_eq!(answer.header("allow"), Some(row.allow().as_str()), "{method} {}", row.path());
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_in_our_shape() {
    let app = App::start().await;
    for path in
        ["/", "/api", "/api/", "/api/users/", "/nope", "/api/posts/../users", "/api//users", "/docs/../Cargo.toml", "/docs/%2e%2e%2fx"]
    {
        let answer = app.anon().get(path).send().await;
        if path != "/api/posts/../users" {
            answer.expect_error(404, "NOT_FOUND");
        }
    }
    app.anon()
        .request(Method::OPTIONS, "/nope")
        .header("origin", "https://a.example")
        .header("access-control-request-method", "GET")
        .send()
        .await
        .expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn cors_is_for_listed_origins_only() {
    let app = App::with(&[("ALLOWED_ORIGINS", "https://app.example.com,http://localhost:5173")]).await;
    for origin in ["https://app.example.com", "http://localhost:5173"] {
        let preflight = app.anon().request(Method::OPTIONS, "/api/posts").header("origin", origin);
        let answer = preflight
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,authorization,if-match")
            .send()
            .await
            .expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("access-control-max-age"), Some("86400"));
        assert!(
            ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
                .iter()
                .all(|method| answer.header("access-control-allow-methods").is_some_and(|all| all.contains(method)))
        );
        assert!(answer.header("allow").is_some() && answer.header("vary").is_some_and(|vary| vary.contains("Origin")));
        let answer = app.anon().get("/api/posts").header("origin", origin).send().await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert!(answer.header("access-control-expose-headers").is_some_and(|all| all.contains("x-total-count") && all.contains("link")));
        let answer = app.anon().get("/api/profile").header("origin", origin).send().await.expect(401);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "errors can be read too");
    }
    for origin in [
        "https://evil.example",
        "null",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "*",
        "https://APP.example.com",
    ] {
        let preflight = app.anon().request(Method::OPTIONS, "/api/posts").header("origin", origin);
        let answer = preflight.header("access-control-request-method", "POST").send().await.expect(204);
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert!(answer.header("allow").is_some() && answer.text.is_empty());
        let answer = app.anon().get("/api/posts").header("origin", origin).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{origin}");
    }
}

#[tokio::test]
async fn a_request_id_is_kept_when_well_formed_and_made_otherwise() {
    let app = App::start().await;
    let answer = app.anon().get("/nope").header("x-request-id", "trace-42").send().await.expect(404);
    assert_eq!((answer.header("x-request-id"), answer.text_at("/requestId").as_str()), (Some("trace-42"), "trace-42"));
    for wrong in ["a b", "<script>", "x\"y", &"a".repeat(129)] {
        let answer = app.anon().get("/healthz").header("x-request-id", wrong).send().await;
        assert_eq!(answer.header("x-request-id").map(str::len), Some(36), "{wrong}");
    }
}

#[tokio::test]
async fn answers_carry_safe_headers() {
    let app = App::start().await;
    for path in ["/api/users", "/nope", "/healthz"] {
        let answer = app.anon().get(path).send().await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
        assert_eq!((answer.header("server"), answer.header("strict-transport-security")), (None, None));
    }
}

#[tokio::test]
async fn answers_are_compressed_as_asked() {
    let app = App::start().await;
    for coding in ["gzip", "br", "zstd"] {
        let url = format!("http://{}/openapi.json", app.address);
        let answer = tests::http().get(url).header("accept-encoding", coding).send().await.expect("an answer");
        assert_eq!(answer.headers().get("content-encoding").and_then(|value| value.to_str().ok()), Some(coding));
        assert!(answer.bytes().await.expect("a body").len() < 40_000);
    }
    assert_eq!(app.anon().get("/openapi.json").send().await.header("content-encoding"), None);
}

#[tokio::test]
async fn too_large_bodies_are_refused_however_they_come() {
    let app = App::with(&[("MAX_JSON_BYTES", "2048"), ("MAX_FORM_BYTES", "4096")]).await;
    let ada = app.user("Ada").await;
    let body = json!({ "title": "t", "content": "c".repeat(3000) });
    ada.client.post("/api/posts").json(&body).send().await.expect_error(413, "PAYLOAD_TOO_LARGE");
    ada.client.post("/api/posts").body("text/plain", "c".repeat(3000)).send().await.expect_error(413, "PAYLOAD_TOO_LARGE");
    let chunks = (0..100).map(|_| Ok::<_, std::io::Error>("c".repeat(1000)));
    let endless = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    ada.client.post("/api/posts").body("text/plain", endless).send().await.expect_error(413, "PAYLOAD_TOO_LARGE");
    let form = reqwest::multipart::Form::new().text("title", "t").text("content", "c".repeat(5000));
    ada.client.post("/api/posts").form(form).send().await.expect_error(413, "PAYLOAD_TOO_LARGE");

    // Declared but never sent: refused by the head alone.
    let mut raw = tokio::net::TcpStream::connect(app.address).await.expect("a connection");
    let head = format!(
        "POST /api/posts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/plain\r\ncontent-length: 10737418240\r\n\r\n",
        ada.token
    );
    raw.write_all(head.as_bytes()).await.expect("a head");
    let mut answer = vec![0; 4096];
    let count = raw.read(&mut answer).await.expect("an answer");
    assert!(String::from_utf8_lossy(&answer[..count]).starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn who_is_not_signed_in_is_refused_before_the_body() {
    let app = App::start().await;
    let mut raw = tokio::net::TcpStream::connect(app.address).await.expect("a connection");
    let head = "POST /api/posts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
    raw.write_all(head.as_bytes()).await.expect("a head");
    let mut answer = vec![0; 4096];
    let count = raw.read(&mut answer).await.expect("an answer");
    assert!(String::from_utf8_lossy(&answer[..count]).starts_with("HTTP/1.1 401"));
    app.anon().post("/api/posts").body("application/json", "{broken").send().await.expect_error(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn coded_bodies_are_refused_not_unpacked() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for coding in ["gzip", "br", "zstd", "deflate", "nonsense"] {
        let request = ada.client.post("/api/posts").header("content-encoding", coding).body("application/json", vec![0x1f, 0x8b, 0]);
        request.send().await.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[tokio::test]
async fn until_it_is_started_the_api_answers_503() {
    let app = App::start().await;
    app.anon().get("/readyz").send().await.expect(200);
    app.readiness.drain();
    let answer = app.anon().get("/readyz").send().await.expect_error(503, "UNAVAILABLE");
    assert_eq!(answer.text_at("/error"), "Not ready: draining");
    app.anon().get("/healthz").send().await.expect(200);
    app.anon().get("/api/users").send().await.expect(200);
}

#[tokio::test]
async fn metrics_say_how_callers_are_told_and_can_have_their_own_listener() {
    let app = App::start().await;
    app.user("Ada").await.client.get("/api/profile").send().await.expect(200);
    let text = app.anon().get("/metrics").send().await.expect(200).text;
    assert!(text.contains("handrail_caller_checks_total{answered_by=\"query\"} 1\n"), "{text}");
    assert!(text.contains("handrail_build_info{version=") && text.ends_with("# EOF\n"), "{text}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let app = App::with(&[("METRICS_ADDR", &free.to_string())]).await;
    app.anon().get("/metrics").send().await.expect_error(404, "NOT_FOUND");
    let text = tests::http().get(format!("http://{free}/metrics")).send().await.expect("an answer").text().await.expect("text");
    assert!(text.contains("handrail_build_info"), "{text}");
    assert_eq!(tests::http().get(format!("http://{free}/api/users")).send().await.expect("an answer").status().as_u16(), 404);
}

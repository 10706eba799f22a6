//! Paths that try to be other ones.

use super::{Fake, OK, behind, raw};

#[tokio::test]
async fn paths_that_could_be_read_as_others_are_refused() {
    let fake = Fake::start().await;
    let (app, ada) = behind(&fake, &[]).await;
    for path in [
        "..",
        "../",
        "../../admin",
        "a/../b",
        "a/./b",
        "%2e%2e/admin",
        ".%2E/admin",
        "%252e%252e/admin",
        "..;/admin",
        "%2e%2e;x/admin",
        "/evil.example/",
        "//evil.example/",
        "http://evil.example/",
        "https://169.254.169.254/latest",
        "http:%2f%2fevil.example",
        "a%2fb",
        "a%252fb",
        "%5c%5cevil.example",
        "\\\\evil.example\\x",
        "a%00b",
        "a%0d%0ahost:%20evil",
        "a%c0%afb",
        "%c0%ae%c0%ae/x",
        "%zz",
        "%",
        "a//b",
        "[::1]/x",
        "{x}",
        "a|b",
        "\"",
    ] {
        let said = raw(&app, &ada, &format!("GET /api/proxy/fake/{path}"), "\r\n").await;
        assert!(said.starts_with("HTTP/1.1 400"), "{path}: {said}");
    }
    assert_eq!(fake.connections(), 0);
}

#[tokio::test]
async fn what_only_looks_like_an_address_stays_a_path() {
    let fake = Fake::start().await;
    let (app, ada) = behind(&fake, &[]).await;
    for path in [
        "@evil.example/x",
        "user:pass@evil.example",
        "http:evil.example",
        "a..b/...",
        "a%20b",
        "100%25",
        "%40scope/name",
        "a/",
        "",
        "a;b=1/c,d",
    ] {
        fake.says(&format!("/v1/{path}"), OK);
        let said = raw(&app, &ada, &format!("GET /api/proxy/fake/{path}?u=http://evil.example/../"), "\r\n").await;
        assert!(said.starts_with("HTTP/1.1 200"), "{path}: {said}");
        let seen = fake.seen().pop().expect("a request");
        assert_eq!(seen.line, format!("GET /v1/{path}?u=http://evil.example/../ HTTP/1.1"));
        assert_eq!(seen.header("host"), Some(fake.address.to_string().as_str()));
    }
}

#[tokio::test]
async fn neither_the_host_header_nor_the_request_line_names_another_service() {
    let (fake, canary) = (Fake::start().await, Fake::start().await);
    fake.says("/v1/hello", OK);
    let (app, ada) = behind(&fake, &[]).await;
    let said = raw(&app, &ada, &format!("GET http://{}/api/proxy/fake/hello", canary.address), "\r\n").await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let said = raw(&app, &ada, "GET /%61pi/pro%78y/fake/hello", "\r\n").await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    for seen in fake.seen() {
        assert_eq!((seen.line.as_str(), seen.header("host")), ("GET /v1/hello HTTP/1.1", Some(fake.address.to_string().as_str())));
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_service_at_a_public_name_is_not_found_on_this_machine() {
    let canary = Fake::start().await;
    // Every machine knows this name, without asking anybody.
    let upstreams = format!("here=https://localhost:{}", canary.address.port());
    let app = tests::App::with(&[("UPSTREAMS", &upstreams), ("UPSTREAM_HERE_PRIVATE", "false"), ("UPSTREAM_HERE_RETRIES", "0")]).await;
    let ada = app.user("Ada").await;
    let answer = ada.client.get("/api/proxy/here/x").send().await.expect_error(502, "UPSTREAM_ERROR");
    assert!(!answer.text.contains("localhost") && !answer.text.contains("127.0.0.1"), "{}", answer.text);
    assert_eq!(canary.connections(), 0);
}

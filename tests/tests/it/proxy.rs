//! The proxy: what goes through it, what does not, and what a service behind it can do to us or our clients.

mod away;
mod bodies;
mod clients;
mod fake;
mod origin;
mod paths;

use reqwest::Method;
use serde_json::json;
use tests::{App, Caller, Client};

use fake::{Fake, Step};

const OK: &str = "HTTP/1.1 200 OK\ncontent-type: text/plain\ncontent-length: 5\n\nhello";
const HELLO: &str = "/api/proxy/fake/hello";

/// A server with the fake behind it, and somebody to ask.
async fn behind(fake: &Fake, settings: &[(&str, &str)]) -> (App, Caller) {
    let upstreams = fake.upstreams();
    let app = App::with(&[&[("UPSTREAMS", upstreams.as_str())], settings].concat()).await;
    let ada = app.user("Ada").await;
    (app, ada)
}

/// A request by hand, for what no client would send; its connection closes after the answer.
async fn raw(app: &App, caller: &Caller, line: &str, more: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(app.address).await.expect("a connection");
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n{more}", caller.token);
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn every_method_goes_through_with_its_body() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let (_app, ada) = behind(&fake, &[]).await;
    for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let request = ada.client.request(method.clone(), "/api/proxy/fake/hello?q=a%20b&q=%2F");
        let request = if method == Method::GET { request } else { request.body("application/x-thing", "the body") };
        let answer = request.send().await.expect(200);
        assert_eq!(
            (answer.text.as_str(), answer.header("content-type"), answer.header("via")),
            ("hello", Some("text/plain"), Some("1.1 handrail"))
        );
        let seen = fake.seen().pop().expect("a request");
        assert_eq!(seen.line, format!("{method} /v1/hello?q=a%20b&q=%2F HTTP/1.1"));
        if method != Method::GET {
            assert_eq!(
                (seen.body.as_slice(), seen.header("content-type"), seen.header("content-length")),
                (&b"the body"[..], Some("application/x-thing"), Some("8"))
            );
        }
    }
}

#[tokio::test]
async fn head_is_passed_on_as_head_and_options_is_answered_here() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", "HTTP/1.1 200 OK\ncontent-type: text/plain\ncontent-length: 5\n\n");
    let (_app, ada) = behind(&fake, &[]).await;
    let head = ada.client.request(Method::HEAD, HELLO).send().await.expect(200);
    assert_eq!((head.text.as_str(), head.header("content-length")), ("", Some("5")));
    assert_eq!(fake.only().line, "HEAD /v1/hello HTTP/1.1");
    let options = ada.client.request(Method::OPTIONS, HELLO).send().await.expect(204);
    assert_eq!(options.header("allow"), Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    ada.client.request(Method::TRACE, HELLO).send().await.expect_error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn errors_of_the_service_are_passed_on_as_they_are() {
    let fake = Fake::start().await;
    let (_app, ada) = behind(&fake, &[]).await;
    for (status, text) in
        [(400, "Bad"), (401, "No"), (404, "Where"), (418, "Teapot"), (429, "Slow"), (500, "Oops"), (503, "Away"), (599, "Odd")]
    {
        fake.on(
            &format!("/v1/{status}"),
            &[
                Step::Read,
                Step::Say(
                    format!(
                        "HTTP/1.1 {status} X\r\ncontent-type: text/x-odd\r\nretry-after: 7\r\ncontent-length: {}\r\n\r\n{text}",
                        text.len()
                    )
                    .into_bytes(),
                ),
            ],
        );
        let answer = ada.client.get(&format!("/api/proxy/fake/{status}")).send().await.expect(status);
        assert_eq!(
            (answer.text.as_str(), answer.header("retry-after"), answer.header("content-type")),
            (text, Some("7"), Some("text/x-odd"))
        );
    }
}

#[tokio::test]
async fn answers_without_a_body_keep_the_connection_in_step() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let fake = Fake::start().await;
    fake.says("/v1/empty", "HTTP/1.1 204 No Content\n\n");
    fake.says("/v1/same", "HTTP/1.1 304 Not Modified\netag: \"1\"\n\n");
    fake.says("/v1/nothing", "HTTP/1.1 200 OK\ncontent-length: 0\n\n");
    fake.says("/v1/hello", OK);
    let (app, ada) = behind(&fake, &[]).await;
    let mut stream = tokio::net::TcpStream::connect(app.address).await.expect("a connection");
    for path in ["empty", "same", "nothing"] {
        let request = |path: &str, close: &str| {
            format!("GET /api/proxy/fake/{path} HTTP/1.1\r\nhost: x\r\n{close}authorization: Bearer {}\r\n\r\n", ada.token)
        };
        stream.write_all(request(path, "").as_bytes()).await.expect("a request");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        assert!(!head.contains("transfer-encoding"), "{path}: {head}");
        assert!(path != "same" || head.contains("etag: \"1\""), "{head}");
    }
    let last = format!("GET {HELLO} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n\r\n", ada.token);
    stream.write_all(last.as_bytes()).await.expect("a request");
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("an answer");
    assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("hello"), "{said}");
}

#[tokio::test]
async fn who_calls_is_settled_before_the_service_is_asked() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let (app, ada) = behind(&fake, &[]).await;
    app.anon().get(HELLO).send().await.expect_error(401, "UNAUTHORIZED");
    app.anon().post(HELLO).body("text/plain", "x").send().await.expect_error(401, "UNAUTHORIZED");
    let cookie = format!("session={}", ada.token);
    let cross = app.anon().post(HELLO).header("cookie", &cookie).header("sec-fetch-site", "cross-site");
    cross.send().await.expect_error(403, "FORBIDDEN");
    let key = |scope: &str| ada.client.post("/api/api-keys").json(&json!({ "name": "Robot", "scopes": [scope] }));
    let other = Client::new(app.address, Some(key("posts:write").send().await.expect(201).text_at("/key")));
    other.get(HELLO).send().await.expect_error(403, "FORBIDDEN");
    assert_eq!(fake.connections(), 0);
    let fitting = Client::new(app.address, Some(key("upstreams:call").send().await.expect(201).text_at("/key")));
    fitting.get(HELLO).send().await.expect(200);
    app.anon().post(HELLO).header("cookie", &cookie).header("sec-fetch-site", "same-origin").send().await.expect(200);
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn only_services_that_are_set_can_be_called() {
    let fake = Fake::start().await;
    let (_app, ada) = behind(&fake, &[]).await;
    for path in ["other/hello", "FAKE/hello", "%66ake/hello", "127.0.0.1/hello", "http:/hello", "..%2ffake/hello", "fake@evil/hello"] {
        ada.client.get(&format!("/api/proxy/{path}")).send().await.expect_error(404, "NOT_FOUND");
    }
    ada.client.get("/api/proxy/fake").send().await.expect_error(404, "NOT_FOUND");
    let none = App::start().await;
    none.user("Eve").await.client.get(HELLO).send().await.expect_error(503, "NOT_CONFIGURED");
    assert_eq!(fake.connections(), 0);
}

#[tokio::test]
async fn websockets_are_refused_and_other_upgrades_passed_over() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let (app, ada) = behind(&fake, &[]).await;
    let asked =
        "upgrade: WebSocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let said = raw(&app, &ada, &format!("GET {HELLO}"), asked).await;
    assert!(said.starts_with("HTTP/1.1 400") && said.contains("WebSockets are not passed on"), "{said}");
    assert_eq!(fake.connections(), 0);
    ada.client
        .get(HELLO)
        .header("upgrade", "h2c")
        .header("connection", "upgrade, http2-settings")
        .header("http2-settings", "x")
        .send()
        .await
        .expect(200);
    let seen = fake.only();
    assert_eq!((seen.header("upgrade"), seen.header("http2-settings")), (None, None));
}

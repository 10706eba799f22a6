//! What stays here of requests and answers: credentials, cookies, what concerns one connection, and what would hold for our origin.

use reqwest::redirect::Policy;

use super::{Fake, HELLO, OK, behind};

#[tokio::test]
async fn neither_our_tokens_nor_claims_from_outside_reach_the_service() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let settings = [
        ("UPSTREAM_FAKE_AUTHORIZATION", "Bearer theirs"),
        ("UPSTREAM_FAKE_USER_HEADER", "X-User-Id"),
        ("PUBLIC_URL", "https://api.example.com"),
    ];
    let (_app, ada) = behind(&fake, &settings).await;
    let request = ada.client.get(HELLO);
    let sent = [
        ("cookie", "session=ours; other=1"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-user", "root"),
        ("x_user_id", "root"),
        ("forwarded", "for=6.6.6.6"),
        ("x-real-ip", "6.6.6.6"),
        ("x-user-id", "root"),
        ("x-original-url", "/admin"),
        ("proxy-authorization", "Basic x"),
        ("connection", "x-hop, close"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("origin", "https://app.example.com"),
        ("sec-fetch-site", "same-origin"),
        ("x-request-id", "told-by-client"),
        ("x-custom", "kept"),
        ("idempotency-key", "kept"),
        ("accept-encoding", "gzip"),
        ("user-agent", "A browser"),
    ];
    let answer = sent.iter().fold(request, |request, (name, value)| request.header(name, value)).send().await.expect(200);
    assert_eq!(answer.header("x-request-id"), Some("told-by-client"));
    let seen = fake.only();
    let mut names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "accept-encoding",
        "authorization",
        "host",
        "idempotency-key",
        "user-agent",
        "via",
        "x-custom",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
        "x-user-id",
    ];
    assert_eq!(names, expected);
    let host = fake.address.to_string();
    for (name, value) in [
        ("authorization", "Bearer theirs"),
        ("host", host.as_str()),
        ("via", "1.1 handrail"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "api.example.com"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "told-by-client"),
        ("x-user-id", &ada.id.to_string()),
        ("user-agent", "A browser"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_service_without_a_credential_gets_none_and_one_with_another_header_gets_it_there() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", OK);
    let (_app, ada) = behind(&fake, &[]).await;
    ada.client.get(HELLO).send().await.expect(200);
    assert_eq!(fake.only().header("authorization"), None);
    let settings = [("UPSTREAM_FAKE_AUTHORIZATION", "k-1"), ("UPSTREAM_FAKE_CREDENTIAL_HEADER", "X-Api-Key")];
    let (_app, ada) = behind(&fake, &settings).await;
    ada.client.get(HELLO).header("x-api-key", "theirs").send().await.expect(200);
    let seen = fake.seen().pop().expect("a request");
    assert_eq!((seen.header("authorization"), seen.header("x-api-key")), (None, Some("k-1")));
}

#[tokio::test]
async fn no_service_speaks_for_our_origin() {
    let fake = Fake::start().await;
    fake.says(
        "/v1/page",
        "HTTP/1.1 200 OK\ncontent-type: text/html\nset-cookie: session=theirs\nset-cookie: b=2\nstrict-transport-security: max-age=0\n\
         clear-site-data: \"*\"\naccess-control-allow-origin: *\naccess-control-allow-credentials: true\ncontent-security-policy: default-src *\n\
         cache-control: public, max-age=3600\nwww-authenticate: Basic realm=x\nalt-svc: h3=\"evil.example:443\"\nx-request-id: theirs\n\
         service-worker-allowed: /\nx-accel-redirect: /internal\nrefresh: 0; url=https://evil.example\nx-content-type-options: sniff\n\
         connection: x-inner\nx-inner: 1\nserver: inner/1.0\netag: \"7\"\nx-total-count: 3\ncontent-length: 25\n\n<script>alert(1)</script>",
    );
    let (_app, ada) = behind(&fake, &[]).await;
    let answer = ada.client.get("/api/proxy/fake/page").header("x-request-id", "ours").send().await.expect(200);
    assert_eq!(answer.text, "<script>alert(1)</script>");
    let mut names: Vec<&str> = answer.headers.keys().map(reqwest::header::HeaderName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "cache-control",
        "content-length",
        "content-security-policy",
        "content-type",
        "date",
        "etag",
        "referrer-policy",
        "vary",
        "via",
        "x-content-type-options",
        "x-request-id",
        "x-total-count",
    ];
    assert_eq!(names, expected);
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'") && !policy.contains('*'), "{policy}");
    for (name, value) in
        [("cache-control", "no-store"), ("x-content-type-options", "nosniff"), ("x-request-id", "ours"), ("via", "1.1 handrail")]
    {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn an_answer_of_no_type_is_none_to_be_guessed() {
    let fake = Fake::start().await;
    fake.says("/v1/hello", "HTTP/1.1 200 OK\ncontent-length: 5\n\n<b>hi");
    let (_app, ada) = behind(&fake, &[]).await;
    assert_eq!(ada.client.get(HELLO).send().await.expect(200).header("content-type"), Some("application/octet-stream"));
}

#[tokio::test]
async fn redirects_are_not_followed_and_lead_nowhere_else() {
    let (fake, canary) = (Fake::start().await, Fake::start().await);
    let (app, ada) = behind(&fake, &[]).await;
    let http = reqwest::Client::builder().tls_certs_only([]).no_proxy().redirect(Policy::none()).build().expect("a client");
    let elsewhere = format!("http://{}/secret", canary.address);
    let same = format!("http://{}/v1/b?x=1", fake.address);
    for (number, (location, ours)) in [
        (same.as_str(), Some("/api/proxy/fake/b?x=1")),
        ("/v1/c", Some("/api/proxy/fake/c")),
        ("d#e", Some("/api/proxy/fake/d#e")),
        (elsewhere.as_str(), None),
        ("/v2/outside", None),
        ("//evil.example/v1/a", None),
        ("http://169.254.169.254/latest/meta-data", None),
        ("javascript:alert(1)", None),
        ("\\\\evil.example", None),
    ]
    .into_iter()
    .enumerate()
    {
        for status in [302, 308, 201] {
            let path = format!("/v1/{number}-{status}");
            fake.says(&path, &format!("HTTP/1.1 {status} X\nlocation: {location}\ncontent-location: {location}\ncontent-length: 0\n\n"));
            let url = format!("http://{}/api/proxy/fake/{number}-{status}", app.address);
            let answer = http.get(url).bearer_auth(&ada.token).send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), status);
            for name in ["location", "content-location"] {
                assert_eq!(answer.headers().get(name).and_then(|value| value.to_str().ok()), ours, "{location}");
            }
        }
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn codings_of_the_service_pass_untouched_and_none_is_added() {
    let fake = Fake::start().await;
    fake.says("/v1/coded", "HTTP/1.1 200 OK\ncontent-type: text/plain\ncontent-encoding: gzip\ncontent-length: 8\n\nnot gzip");
    let long = "text ".repeat(2000);
    fake.says("/v1/plain", &format!("HTTP/1.1 200 OK\ncontent-type: text/plain\ncontent-length: {}\n\n{long}", long.len()));
    let (_app, ada) = behind(&fake, &[]).await;
    let coded = ada.client.get("/api/proxy/fake/coded").header("accept-encoding", "gzip, br").send().await.expect(200);
    assert_eq!(
        (coded.text.as_str(), coded.header("content-encoding"), coded.header("content-length")),
        ("not gzip", Some("gzip"), Some("8"))
    );
    assert_eq!(fake.seen()[0].header("accept-encoding"), Some("gzip, br"));
    let plain = ada.client.get("/api/proxy/fake/plain").header("accept-encoding", "gzip, br").send().await.expect(200);
    assert_eq!((plain.text == long, plain.header("content-encoding")), (true, None));
}

//! `ETag`, `If-None-Match`, `If-Match`, and merge patches.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, App, Caller, Client};

fn tag(answer: &Answer) -> String {
    let tag = answer.header("etag").expect("a tag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 20, "{tag} is strong");
    tag
}

/// A resource of each kind that can be read, with who may read it and a change of it.
async fn resources(app: &App, admin: &Caller, ada: &Caller) -> Vec<(Client, String, Option<Value>)> {
    let org = app.org(ada, "Acme").await;
    let post = ada.client.post("/api/posts").json(&json!({ "title": "t", "content": "c" })).send().await.expect(201).text_at("/id");
    let projects = format!("/api/orgs/{org}/projects");
    let project = ada.client.post(&projects).json(&json!({ "name": "Engine" })).send().await.expect(201).text_at("/id");
    let invite = json!({ "email": "guest@example.com", "role": "member" });
    ada.client.post(&format!("/api/orgs/{org}/invitations")).json(&invite).send().await.expect(201);
    let token = app.mailed_token("guest@example.com").await;
    vec![
        (ada.client.clone(), "/api/profile".into(), Some(json!({ "bio": "Countess" }))),
        (ada.client.clone(), format!("/api/posts/{post}"), Some(json!({ "title": "u" }))),
        (admin.client.clone(), format!("/api/users/{}", ada.id), Some(json!({ "name": "Lady Ada" }))),
        (ada.client.clone(), format!("/api/orgs/{org}/projects/{project}"), Some(json!({ "description": "Difference" }))),
        (ada.client.clone(), format!("/api/orgs/{org}"), Some(json!({ "name": "Acme & Co" }))),
        (ada.client.clone(), format!("/api/orgs/{org}/billing"), None),
        (app.anon(), format!("/api/invitations/{token}"), None),
    ]
}

#[tokio::test]
async fn every_single_resource_has_a_tag_that_spares_reading_it_again() {
    let app = App::start().await;
    let (admin, ada) = (app.admin().await, app.user("Ada").await);
    for (client, path, change) in resources(&app, &admin, &ada).await {
        let read = client.get(&path).send().await.expect(200);
        let seen = tag(&read);
        for known in [seen.clone(), format!("W/{seen}"), format!("\"x\", {seen}"), "*".into()] {
            let again = client.get(&path).header("if-none-match", &known).send().await.expect(304);
            assert_eq!((tag(&again), again.text.as_str()), (seen.clone(), ""), "{path}");
        }
        let head = client.request(reqwest::Method::HEAD, &path).header("if-none-match", &seen).send().await;
        assert_eq!(head.status, 304, "{path}");
        client.get(&path).header("if-none-match", "\"other\"").send().await.expect(200);
        let Some(change) = change else { continue };
        let write = || if path == "/api/profile" { client.put(&path) } else { client.patch(&path) };
        write().json(&change).header("if-match", "\"other\"").send().await.expect_error(412, "PRECONDITION_FAILED");
        write().json(&change).header("if-match", &format!("W/{seen}")).send().await.expect_error(412, "PRECONDITION_FAILED");
        assert_eq!(client.get(&path).send().await.text, read.text, "{path} is as it was");
        let changed = write().json(&change).header("if-match", &seen).send().await.expect(200);
        assert_eq!(tag(&changed), tag(&client.get(&path).send().await), "{path}: the tag of a change goes on");
        write().json(&change).header("if-match", &seen).send().await.expect_error(412, "PRECONDITION_FAILED");
        write().json(&json!({})).header("if-match", &seen).send().await.expect_error(412, "PRECONDITION_FAILED");
        write().json(&json!({})).header("if-match", "*").send().await.expect(200);
        client.get(&path).header("if-none-match", &seen).send().await.expect(200);
        if path != "/api/profile" {
            client.delete(&path).header("if-match", &seen).send().await.expect_error(412, "PRECONDITION_FAILED");
        }
    }
}

#[tokio::test]
async fn a_deletion_may_ask_for_the_version_too() {
    let app = App::start().await;
    let (admin, ada) = (app.admin().await, app.user("Ada").await);
    // From the innermost to the outermost.
    for (client, path, change) in resources(&app, &admin, &ada).await.into_iter().filter(|(_, path, _)| path != "/api/profile") {
        if change.is_none() || path.contains("/users/") {
            continue;
        }
        let seen = tag(&client.get(&path).send().await.expect(200));
        client.delete(&path).header("if-match", &seen).send().await.expect(200);
        client.delete(&path).header("if-match", &seen).send().await.expect_error(404, "NOT_FOUND");
        client.delete(&path).header("if-match", "*").send().await.expect_error(404, "NOT_FOUND");
    }
    let bob = app.user("Bob").await;
    let path = format!("/api/users/{}", bob.id);
    let seen = tag(&admin.client.get(&path).send().await.expect(200));
    admin.client.delete(&path).header("if-match", &seen).send().await.expect(200);
}

#[tokio::test]
async fn of_eight_editors_of_one_version_one_writes() {
    let app = App::start().await;
    let (admin, ada) = (app.admin().await, app.user("Ada").await);
    for (client, path, change) in resources(&app, &admin, &ada).await {
        if change.is_none() {
            continue;
        }
        let seen = tag(&client.get(&path).send().await.expect(200));
        let field = change.as_ref().and_then(|change| change.as_object()?.keys().next().cloned()).expect("a field");
        let write = |number: usize| {
            let body = json!({ field.clone(): format!("Edition {number}") });
            let request = if path == "/api/profile" { client.put(&path) } else { client.patch(&path) };
            request.json(&body).header("if-match", &seen).send()
        };
        let answers = join_all((0..8).map(write)).await;
        let won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{path}");
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 412)), "{path}");
        assert_eq!(client.get(&path).send().await.json(), won[0].json(), "{path}");
    }
}

#[tokio::test]
async fn what_others_may_not_see_or_change_is_refused_before_its_version_is_looked_at() {
    let app = App::start().await;
    let (ada, bob) = (app.user("Ada").await, app.user("Bob").await);
    let post = ada.client.post("/api/posts").json(&json!({ "title": "t", "content": "c" })).send().await.expect(201);
    let path = format!("/api/posts/{}", post.text_at("/id"));
    bob.client.patch(&path).header("if-match", "\"x\"").json(&json!({ "title": "u" })).send().await.expect_error(403, "FORBIDDEN");
    bob.client.delete(&path).header("if-match", "*").send().await.expect_error(403, "FORBIDDEN");
    let nobody = format!("/api/posts/{}", uuid::Uuid::now_v7());
    ada.client.patch(&nobody).header("if-match", "*").json(&json!({})).send().await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_reader_of_another_role_has_another_version() {
    let app = App::start().await;
    let (admin, ada) = (app.admin().await, app.user("Ada").await);
    let path = format!("/api/users/{}", ada.id);
    let public = tag(&app.anon().get(&path).send().await.expect(200));
    admin.client.get(&path).header("if-none-match", &public).send().await.expect(200);
    admin
        .client
        .patch(&path)
        .header("if-match", &public)
        .json(&json!({ "name": "Eve" }))
        .send()
        .await
        .expect_error(412, "PRECONDITION_FAILED");
}

#[tokio::test]
async fn a_compressed_answer_has_a_tag_of_its_own_and_both_count() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let body = json!({ "title": "t", "content": "word ".repeat(1000) });
    let path = ada.client.post("/api/posts").json(&body).send().await.expect(201);
    let path = path.header("location").expect("a location").to_owned();
    let plain = tag(&ada.client.get(&path).send().await.expect(200));
    for coding in ["gzip", "br", "zstd"] {
        let url = format!("http://{}{path}", app.address);
        let packed = tests::http().get(&url).header("accept-encoding", coding).send().await.expect("an answer");
        assert_eq!(packed.headers()["content-encoding"], coding);
        let packed = packed.headers()["etag"].to_str().expect("text").to_owned();
        assert_eq!(packed, format!("{}-{coding}\"", plain.trim_end_matches('"')));
        let again = tests::http().get(&url).header("accept-encoding", coding).header("if-none-match", &packed).send().await;
        assert_eq!(again.expect("an answer").status(), 304);
        ada.client.patch(&path).header("if-match", &packed).json(&json!({})).send().await.expect(200);
    }
}

#[tokio::test]
async fn a_careful_server_takes_no_change_without_a_version() {
    let app = App::with(&[("REQUIRE_IF_MATCH", "true")]).await;
    let ada = app.user("Ada").await;
    let change = json!({ "bio": "Countess" });
    ada.client.put("/api/profile").json(&change).send().await.expect_error(428, "PRECONDITION_REQUIRED");
    let seen = tag(&ada.client.get("/api/profile").send().await.expect(200));
    ada.client.put("/api/profile").header("if-match", &seen).json(&change).send().await.expect(200);
    ada.client.post("/api/posts").json(&json!({ "title": "t", "content": "c" })).send().await.expect(201);
}

#[tokio::test]
async fn a_merge_patch_keeps_absent_null_and_value_apart() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let merge = async |path: &str, body: &str| ada.client.patch(path).body("application/merge-patch+json", body.to_owned()).send().await;
    let post = ada.client.post("/api/posts").json(&json!({ "title": "t", "content": "c", "tags": ["a"] })).send().await.expect(201);
    let path = format!("/api/posts/{}", post.text_at("/id"));
    let changed = merge(&path, r#"{"title":"u"}"#).await.expect(200);
    assert_eq!((changed.at("/title"), changed.at("/content"), changed.at("/tags")), (json!("u"), json!("c"), json!(["a"])));
    merge(&path, r#"{"title":null,"tags":null}"#).await.expect_refused(&["tags", "title"]);
    assert_eq!(merge(&path, r#"{"tags":[]}"#).await.expect(200).at("/tags"), json!([]));
    merge(&path, "null").await.expect_error(400, "VALIDATION_ERROR");
    merge(&path, "[]").await.expect_error(400, "VALIDATION_ERROR");

    let picture = "https://example.com/ada.png";
    let put = async |body: Value| ada.client.put("/api/profile").json(&body).send().await.expect(200).at("/avatarUrl");
    assert_eq!(put(json!({ "avatarUrl": picture })).await, picture);
    assert_eq!(put(json!({ "bio": "Countess" })).await, picture);
    assert_eq!(put(json!({ "avatarUrl": null })).await, Value::Null);
    let options = app.anon().request(reqwest::Method::OPTIONS, &path).send().await.expect(204);
    assert_eq!(options.header("accept-patch"), Some("application/merge-patch+json, application/json"));
}

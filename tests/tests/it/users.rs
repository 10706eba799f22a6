//! `/api/users`.

use serde_json::json;
use tests::App;

#[tokio::test]
async fn others_see_public_fields_and_administrators_all() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let admin = app.admin().await;
    let path = format!("/api/users/{}", ada.id);
    for client in [&app.anon(), &ada.client] {
        let seen = client.get(&path).send().await.expect(200).json();
        let mut fields: Vec<&String> = seen.as_object().expect("an object").keys().collect();
        fields.sort();
        assert_eq!(fields, ["createdAt", "id", "name"]);
    }
    let seen = admin.client.get(&path).send().await.expect(200);
    assert_eq!(seen.at("/email"), ada.email);
    assert_eq!(seen.at("/role"), "user");
    let list = admin.client.get("/api/users").send().await.expect(200).json();
    assert!(list.as_array().expect("a list").iter().all(|user| user["email"].is_string()));
    assert!(!app.anon().get("/api/users").send().await.expect(200).text.contains('@'));
}

#[tokio::test]
async fn an_empty_database_lists_an_empty_array() {
    let app = App::start().await;
    let answer = app.anon().get("/api/users").send().await.expect(200);
    assert_eq!((answer.text.as_str(), answer.header("x-total-count")), ("[]", Some("0")));
}

#[tokio::test]
async fn pages_and_cursors_cover_everybody_once() {
    let app = App::start().await;
    for number in 0..7 {
        app.user(&format!("User {number}")).await;
    }
    let first = app.anon().get("/api/users?limit=3").send().await.expect(200);
    assert_eq!(first.header("x-total-count"), Some("7"));
    let link = first.header("link").expect("links");
    assert!(link.contains("page=2>; rel=\"next\"") && link.contains("page=3>; rel=\"last\""), "{link}");
    let mut names = Vec::new();
    let mut path = "/api/users?limit=3&cursor=".to_owned();
    loop {
        let page = app.anon().get(&path).send().await.expect(200);
        assert_eq!(page.header("x-total-count"), None);
        names.extend(page.json().as_array().expect("a list").iter().map(|user| user["name"].as_str().expect("a name").to_owned()));
        match page.header("link") {
            Some(link) => path = link.trim_start_matches('<').split('>').next().expect("a link").to_owned(),
            None => break,
        }
    }
    assert_eq!(names, (0..7).rev().map(|number| format!("User {number}")).collect::<Vec<_>>());
    assert_eq!(app.anon().get("/api/users?page=4&limit=3").send().await.expect(200).text, "[]");
}

#[tokio::test]
async fn an_administrator_makes_accounts() {
    let app = App::start().await;
    let admin = app.admin().await;
    let body = json!({ "email": "new@example.com", "name": "New", "password": "difference engine 1843", "role": "admin" });
    let created = admin.client.post("/api/users").json(&body).send().await.expect(201);
    assert_eq!(created.header("location"), Some(format!("/api/users/{}", created.text_at("/id")).as_str()));
    assert!(!created.text.contains("password"));
    let login = json!({ "email": "new@example.com", "password": "difference engine 1843" });
    app.anon().post("/api/auth/login").json(&login).send().await.expect(200);
    admin.client.post("/api/users").json(&body).send().await.expect_error(409, "EMAIL_TAKEN");

    let plain = json!({ "email": "plain@example.com", "name": "Plain" });
    let created = admin.client.post("/api/users").json(&plain).send().await.expect(201);
    assert_eq!(created.at("/role"), "user");
}

#[tokio::test]
async fn creating_reports_every_problem_as_zod_does() {
    let app = App::start().await;
    let admin = app.admin().await;
    let body = json!({ "email": "no", "name": "A", "role": "root", "id": 1 });
    let answer = admin.client.post("/api/users").json(&body).send().await.expect_refused(&["email", "id", "name", "role"]);
    insta::assert_json_snapshot!(answer.json(), { ".requestId" => "[id]" }, @r#"
    {
      "code": "VALIDATION_ERROR",
      "details": {
        "fieldErrors": {
          "email": [
            "Invalid email"
          ],
          "id": [
            "Unknown field"
          ],
          "name": [
            "Must be at least 2 characters"
          ],
          "role": [
            "Must be one of user, admin"
          ]
        },
        "formErrors": []
      },
      "error": "Validation failed",
      "requestId": "[id]"
    }
    "#);
}

#[tokio::test]
async fn a_role_change_counts_from_the_next_request() {
    let app = App::start().await;
    let (admin, ada) = (app.admin().await, app.user("Ada").await);
    let path = format!("/api/users/{}", ada.id);
    ada.client.delete(&path).send().await.expect_error(403, "FORBIDDEN");
    admin.client.patch(&path).json(&json!({ "role": "admin" })).send().await.expect(200);
    let other = format!("/api/users/{}", app.user("Eve").await.id);
    ada.client.patch(&other).json(&json!({ "name": "Evelyn" })).send().await.expect(200);
    admin.client.patch(&path).json(&json!({ "role": "user" })).send().await.expect(200);
    ada.client.patch(&other).json(&json!({ "name": "Eve" })).send().await.expect_error(403, "FORBIDDEN");
}

#[tokio::test]
async fn deleting_a_user_ends_their_sessions_and_takes_their_posts() {
    let app = App::start().await;
    let (admin, ada) = (app.admin().await, app.user("Ada").await);
    let post = ada.client.post("/api/posts").json(&json!({ "title": "t", "content": "c" })).send().await.expect(201).text_at("/id");
    let path = format!("/api/users/{}", ada.id);
    let answer = admin.client.delete(&path).send().await.expect(200);
    assert_eq!(answer.json(), json!({ "success": true }));
    ada.client.get("/api/profile").send().await.expect_error(401, "UNAUTHORIZED");
    app.anon().get(&path).send().await.expect_error(404, "NOT_FOUND");
    app.anon().get(&format!("/api/posts/{post}")).send().await.expect_error(404, "NOT_FOUND");
    admin.client.delete(&path).send().await.expect_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let app = App::start().await;
    let admin = app.admin().await;
    let path = format!("/api/users/{}", admin.id);
    admin.client.delete(&path).send().await.expect_error(409, "LAST_ADMIN");
    admin.client.patch(&path).json(&json!({ "role": "user" })).send().await.expect_error(409, "LAST_ADMIN");
    admin.client.patch(&path).json(&json!({ "name": "Still admin" })).send().await.expect(200);
}

#[tokio::test]
async fn of_two_administrators_demoting_each_other_one_stays() {
    let app = App::start().await;
    for _ in 0..5 {
        app.sql("DELETE FROM users WHERE role <> 'admin'; TRUNCATE users CASCADE").await;
        let (one, two) = (app.admin().await, app.admin().await);
        let demote = json!({ "role": "user" });
        let (path_one, path_two) = (format!("/api/users/{}", one.id), format!("/api/users/{}", two.id));
        let first = one.client.patch(&path_two).json(&demote).send();
        let second = two.client.patch(&path_one).json(&demote).send();
        let (first, second) = futures::join!(first, second);
        assert_eq!(app.count("SELECT count(*) FROM users WHERE role = 'admin'").await, 1, "{} {}", first.status, second.status);
    }
}

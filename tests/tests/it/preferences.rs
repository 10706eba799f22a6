//! `/api/preferences`: the article's headers and cookies.

use serde_json::json;
use tests::App;

#[tokio::test]
async fn it_says_what_headers_and_cookies_hold() {
    let app = App::start().await;
    let answer = app.anon().get("/api/preferences").header("user-agent", "curl/8").send().await.expect(200);
    assert_eq!(answer.json(), json!({ "preference": null, "userAgent": "curl/8", "hasAuth": false, "hasSession": false }));
    let request = app.anon().get("/api/preferences").header("cookie", "preference=dark; session=x").header("authorization", "Bearer x");
    let answer = request.send().await.expect(200);
    assert_eq!(answer.json(), json!({ "preference": "dark", "userAgent": null, "hasAuth": true, "hasSession": true }));
    let answer = app.anon().get("/api/preferences").header("cookie", "preference=<script>").send().await.expect(200);
    assert_eq!(answer.at("/preference"), json!(null));
}

#[tokio::test]
async fn it_remembers_a_theme_for_thirty_days() {
    let app = App::start().await;
    let answer = app.anon().post("/api/preferences").json(&json!({ "preference": "dark" })).send().await.expect(200);
    assert_eq!(answer.at("/success"), json!(true));
    assert_eq!(answer.header("set-cookie"), Some("preference=dark; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000"));
    app.anon().post("/api/preferences").json(&json!({ "preference": "pink" })).send().await.expect_refused(&["preference"]);
    let production = App::with(&[("APP_ENV", "production")]).await;
    let answer = production.anon().post("/api/preferences").json(&json!({ "preference": "light" })).send().await.expect(200);
    assert!(answer.header("set-cookie").is_some_and(|cookie| cookie.contains("Secure")));
}

//! `/api/profile`.

use serde_json::{Value, json};
use tests::App;

#[tokio::test]
async fn a_profile_is_read_and_changed_in_part() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let profile = ada.client.get("/api/profile").send().await.expect(200);
    assert_eq!((profile.at("/bio"), profile.at("/locale"), profile.at("/avatarUrl")), (json!(""), json!("en"), Value::Null));
    let change = json!({ "bio": "First programmer.\nTea.", "avatarUrl": "https://example.com/a.png", "locale": "en-GB", "timezone": "Europe/London" });
    ada.client.put("/api/profile").json(&change).send().await.expect(200);
    let profile = ada.client.put("/api/profile").json(&json!({ "avatarUrl": null, "name": "Ada L" })).send().await.expect(200);
    assert_eq!(profile.at("/avatarUrl"), Value::Null);
    assert_eq!((profile.at("/name"), profile.at("/timezone")), (json!("Ada L"), json!("Europe/London")));
    assert_ne!(profile.at("/updatedAt"), profile.at("/createdAt"));
}

#[tokio::test]
async fn role_and_address_are_not_for_their_owner_to_change() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let change = json!({ "role": "admin", "email": "x@example.com", "id": "1", "createdAt": "2020-01-01T00:00:00Z" });
    ada.client.put("/api/profile").json(&change).send().await.expect_refused(&["createdAt", "email", "id", "role"]);
    assert_eq!(ada.client.get("/api/profile").send().await.at("/role"), "user");
}

#[tokio::test]
async fn wrong_values_are_named() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let change =
        json!({ "name": null, "avatarUrl": "javascript:alert(1)", "locale": "English!", "timezone": "Mars/Base", "bio": "a\u{0}b" });
    ada.client.put("/api/profile").json(&change).send().await.expect_refused(&["avatarUrl", "bio", "locale", "name", "timezone"]);
    ada.client.put("/api/profile").json(&json!({ "timezone": "Mars/Base" })).send().await.expect_refused(&["timezone"]);
}

#[tokio::test]
async fn two_devices_changing_different_fields_both_win() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for round in 0..10 {
        let (bio, name) = (json!({ "bio": format!("bio {round}") }), json!({ "name": format!("name {round}") }));
        let (one, two) =
            futures::join!(ada.client.put("/api/profile").json(&bio).send(), ada.client.put("/api/profile").json(&name).send());
        assert_eq!((one.status, two.status), (200, 200));
        let profile = ada.client.get("/api/profile").send().await;
        assert_eq!((profile.at("/bio"), profile.at("/name")), (bio["bio"].clone(), name["name"].clone()));
    }
}

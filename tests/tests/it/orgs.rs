//! `/api/orgs`.

mod deletion;
mod ownership;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, App, Client};

/// What is not there.
pub(crate) const NOTHING: &str = "01900000-0000-7000-8000-000000000000";

/// Every request about an organisation, with a body that would be taken.
pub(crate) fn requests(org: &str) -> Vec<(Method, String, Value)> {
    let slug = || json!({ "name": "Changed" });
    let get = |path: &str| (Method::GET, format!("/api/orgs/{org}{path}"), Value::Null);
    let post = |path: &str, body: Value| (Method::POST, format!("/api/orgs/{org}{path}"), body);
    let delete = |path: &str| (Method::DELETE, format!("/api/orgs/{org}{path}"), Value::Null);
    vec![
        get(""),
        get("/members"),
        get("/invitations"),
        get("/projects"),
        get(&format!("/projects/{NOTHING}")),
        get("/api-keys"),
        get("/audit"),
        (Method::PATCH, format!("/api/orgs/{org}"), slug()),
        (Method::PATCH, format!("/api/orgs/{org}/members/{NOTHING}"), json!({ "role": "admin" })),
        (Method::PATCH, format!("/api/orgs/{org}/projects/{NOTHING}"), slug()),
        post("/restore", Value::Null),
        post("/transfer", json!({ "userId": NOTHING })),
        post("/invitations", json!({ "email": "new@example.com", "role": "member" })),
        post(&format!("/invitations/{NOTHING}/resend"), Value::Null),
        post("/projects", slug()),
        post(&format!("/projects/{NOTHING}/restore"), Value::Null),
        post("/api-keys", json!({ "name": "x", "scopes": ["orgs:read"] })),
        post(&format!("/api-keys/{NOTHING}/rotate"), json!({})),
        delete(&format!("/members/{NOTHING}")),
        delete(&format!("/invitations/{NOTHING}")),
        delete(&format!("/projects/{NOTHING}")),
        delete(&format!("/api-keys/{NOTHING}")),
        delete(""),
    ]
}

/// Sends one of them, under an id that does not tell answers apart.
pub(crate) async fn ask(client: &Client, (method, path, body): &(Method, String, Value)) -> Answer {
    let request = client.request(method.clone(), path).header("x-request-id", "same");
    let request = if body.is_null() { request } else { request.json(body) };
    request.send().await
}

async fn create(client: &Client, body: Value) -> Answer {
    client.post("/api/orgs").json(&body).send().await
}

#[tokio::test]
async fn whoever_makes_an_organisation_owns_it() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let made = create(&ada.client, json!({ "name": "Acme & Söhne GmbH" })).await.expect(201);
    assert_eq!((made.at("/slug"), made.at("/role")), (json!("acme-sohne-gmbh"), json!("owner")));
    let path = made.header("location").expect("a location").to_owned();
    assert_eq!(path, format!("/api/orgs/{}", made.text_at("/id")));
    assert_eq!(ada.client.get(&path).send().await.expect(200).json(), made.json());
    let members = ada.client.get(&format!("{path}/members")).send().await.expect(200).json();
    assert_eq!(members.as_array().map(Vec::len), Some(1));
    assert_eq!((&members[0]["userId"], &members[0]["role"]), (&json!(ada.id), &json!("owner")));
}

#[tokio::test]
async fn of_ten_of_one_name_each_gets_a_slug_of_its_own() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    let made = (0..10).map(|_| create(&ada.client, json!({ "name": "Acme" })));
    let made = futures::future::join_all(made).await.into_iter().map(|answer| answer.expect(201).text_at("/slug"));
    let slugs: std::collections::BTreeSet<String> = made.collect();
    assert_eq!(slugs.len(), 10, "{slugs:?}");
    assert!(slugs.contains("acme") && slugs.iter().all(|slug| slug.starts_with("acme")), "{slugs:?}");
}

#[tokio::test]
async fn a_slug_that_is_taken_is_refused_and_leaves_nothing_behind() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    create(&ada.client, json!({ "name": "Acme", "slug": "acme" })).await.expect(201);
    let before = app.count("SELECT count(*) FROM audit_events").await;
    let refused = create(&eve.client, json!({ "name": "Mine", "slug": "acme" })).await.expect_error(409, "SLUG_TAKEN");
    assert_eq!(refused.at("/details/fieldErrors/slug/0"), "Already taken");
    let mine = app.org(&eve, "Mine").await;
    assert_eq!(app.count("SELECT count(*) FROM organisations").await, 2);
    assert_eq!(app.count("SELECT count(*) FROM audit_events").await, before + 2, "made, and its owner added");
    let path = format!("/api/orgs/{mine}");
    let refused = eve.client.patch(&path).json(&json!({ "name": "Other", "slug": "acme" })).send().await.expect_error(409, "SLUG_TAKEN");
    assert_eq!(refused.at("/details/fieldErrors/slug/0"), "Already taken");
    assert_eq!(eve.client.get(&path).send().await.expect(200).at("/name"), "Mine");
    eve.client.patch(&path).json(&json!({ "slug": "mine" })).send().await.expect(200);
}

#[tokio::test]
async fn names_of_every_script_are_kept_and_get_a_slug() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    for (name, slug) in
        [("株式会社", "zhu-shi-hui-she"), ("🚀!", "org-"), ("x", "org-"), (&"ß".repeat(100), "ss"), ("ﷺ", ""), ("a\u{200d}b", "")]
    {
        let made = create(&ada.client, json!({ "name": name })).await.expect(201);
        assert_eq!(made.at("/name"), name);
        let made = made.text_at("/slug");
        let fits = (2..=63).contains(&made.len()) && made.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(fits && (made.starts_with(slug) || slug == "org-"), "{name}: {made}");
    }
}

#[tokio::test]
async fn what_is_no_organisation_is_refused_by_field() {
    let app = App::start().await;
    let ada = app.user("Ada").await;
    create(&ada.client, json!({})).await.expect_refused(&["name"]);
    create(&ada.client, json!({ "name": "Acme", "role": "owner", "ownerId": NOTHING })).await.expect_refused(&["ownerId", "role"]);
    for name in [json!(""), json!(" "), json!("x".repeat(101)), json!("a\nb"), json!("a\u{0}b"), json!(null), json!(["x"])] {
        create(&ada.client, json!({ "name": name })).await.expect_refused(&["name"]);
    }
    for slug in [
        json!(""),
        json!("a"),
        json!("Acme"),
        json!("-a"),
        json!("a-"),
        json!("a--b"),
        json!("a_b"),
        json!("ä-b"),
        json!("x".repeat(64)),
        json!(null),
    ] {
        create(&ada.client, json!({ "name": "Acme", "slug": slug })).await.expect_refused(&["slug"]);
    }
    assert_eq!(app.count("SELECT count(*) FROM organisations").await, 0);
}

#[tokio::test]
async fn everybody_lists_their_own_by_page_and_by_cursor() {
    let app = App::start().await;
    let (ada, eve) = (app.user("Ada").await, app.user("Eve").await);
    let mut own = Vec::new();
    for number in 0..5 {
        own.insert(0, app.org(&ada, &format!("Own {number}")).await);
        app.org(&eve, &format!("Other {number}")).await;
    }
    app.join(&own[0], &eve, "member").await;
    let ids = |answer: &Answer| -> Vec<String> {
        answer.json().as_array().into_iter().flatten().filter_map(|org| org["id"].as_str().map(str::to_owned)).collect()
    };
    let first = ada.client.get("/api/orgs?limit=2").send().await.expect(200);
    assert_eq!((ids(&first).as_slice(), first.header("x-total-count")), (&own[..2], Some("5")));
    let last = ada.client.get("/api/orgs?limit=2&page=3").send().await.expect(200);
    assert_eq!((ids(&last).as_slice(), last.header("x-total-count")), (&own[4..], Some("5")));
    let (mut path, mut seen) = ("/api/orgs?limit=2&cursor=".to_owned(), Vec::new());
    loop {
        let page = ada.client.get(&path).send().await.expect(200);
        seen.extend(ids(&page));
        let Some(link) = page.header("link") else { break };
        path = link.trim_start_matches('<').split('>').next().expect("a link").to_owned();
    }
    assert_eq!(seen, own);
    let hers = eve.client.get("/api/orgs").send().await.expect(200);
    assert_eq!(hers.json().as_array().map(Vec::len), Some(6));
    let guest = hers.json().as_array().and_then(|orgs| orgs.iter().find(|org| org["id"] == own[0].as_str()).cloned()).expect("it");
    assert_eq!(guest["role"], "member");
    ada.client.get("/api/orgs?deleted=perhaps").send().await.expect_refused(&["deleted"]);
    ada.client.get("/api/orgs?cursor=nonsense").send().await.expect_refused(&["cursor"]);
}

#[tokio::test]
async fn members_look_administrators_change_and_owners_delete() {
    let app = App::start().await;
    let owner = app.user("Ada").await;
    let org = app.org(&owner, "Acme").await;
    let (admin, member) = (app.member(&org, "admin").await, app.member(&org, "member").await);
    let path = format!("/api/orgs/{org}");
    for (caller, role) in [(&owner, "owner"), (&admin, "admin"), (&member, "member")] {
        assert_eq!(caller.client.get(&path).send().await.expect(200).at("/role"), role);
    }
    let rename = json!({ "name": "Renamed", "slug": "renamed" });
    member.client.patch(&path).json(&rename).send().await.expect_error(403, "FORBIDDEN");
    assert_eq!(admin.client.patch(&path).json(&rename).send().await.expect(200).at("/slug"), "renamed");
    admin.client.patch(&path).json(&json!({})).send().await.expect(200);
    admin.client.patch(&path).json(&json!({ "name": null })).send().await.expect_refused(&["name"]);
    admin.client.patch(&path).json(&json!({ "deletedAt": null })).send().await.expect_refused(&["deletedAt"]);
    for caller in [&member, &admin] {
        caller.client.delete(&path).send().await.expect_error(403, "FORBIDDEN");
        let transfer = caller.client.post(&format!("{path}/transfer")).json(&json!({ "userId": caller.id }));
        transfer.send().await.expect_error(403, "FORBIDDEN");
    }
    owner.client.delete(&path).send().await.expect(200);
}

#[tokio::test]
async fn to_outsiders_it_is_as_if_it_did_not_exist() {
    let app = App::start().await;
    let owner = app.user("Ada").await;
    let org = app.org(&owner, "Acme").await;
    for outsider in [app.user("Eve").await, app.admin().await] {
        for (real, none) in requests(&org).iter().zip(requests(NOTHING)) {
            let (real, none) = (ask(&outsider.client, real).await.expect_error(404, "NOT_FOUND"), ask(&outsider.client, &none).await);
            let headers = |answer: &Answer| -> Vec<(String, String)> {
                let named = answer.headers.iter().map(|(name, value)| (name.to_string(), format!("{value:?}")));
                named.filter(|(name, _)| name != "date").collect()
            };
            assert_eq!((&real.text, headers(&real)), (&none.text, headers(&none)));
        }
    }
    for request in requests(&org) {
        ask(&app.anon(), &request).await.expect_error(401, "UNAUTHORIZED");
    }
    owner.client.get(&format!("/api/orgs/{org}")).send().await.expect(200);
    for odd in ["nonsense", &org.replace('-', ""), &format!("%7B{org}%7D")] {
        owner.client.get(&format!("/api/orgs/{odd}")).send().await.expect_refused(&["orgId"]);
    }
}

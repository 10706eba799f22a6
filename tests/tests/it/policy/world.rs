//! Who asks, and what there is to ask for: two organisations, of which one has everything in it, and callers of every kind.

use std::collections::HashMap;

use serde_json::{Value, json};
use tests::{Answer, App, Caller, Client};

use super::table::{Expected, Rule};

const NOTHING: &str = "01900000-0000-7000-8000-000000000000";
const SCOPES: [&str; 14] = [
    "profile:read",
    "profile:write",
    "posts:read",
    "posts:write",
    "orgs:read",
    "orgs:write",
    "projects:read",
    "projects:write",
    "audit:read",
    "uploads:read",
    "uploads:write",
    "admin",
    "upstreams:call",
    "chat:write",
];

pub(super) struct World {
    anonymous: Client,
    user: Client,
    admin: Client,
    /// The owner of the other organisation.
    pub(super) eve: Client,
    member: Client,
    org_admin: Client,
    owner: Client,
    /// The organisation with everything in it.
    pub(super) acme: String,
    /// The other one.
    pub(super) evil: String,
    bystander: String,
    project: String,
    invitation: String,
    org_key: String,
    /// Keys of somebody who may do everything, each with one scope, and with all but one.
    with: HashMap<&'static str, Client>,
    without: HashMap<&'static str, Client>,
    /// A key of the first organisation with every scope it can have.
    pub(super) bound_key: Client,
    /// How many projects, memberships and keys there are.
    pub(super) things: i64,
}

async fn make(client: &Client, path: &str, body: Value) -> Answer {
    client.post(path).json(&body).send().await.expect(201)
}

async fn join(app: &App, org: &str, caller: &Caller, role: &str) {
    app.sql(&format!("INSERT INTO memberships (org_id, user_id, role) VALUES ('{org}', '{}', '{role}')", caller.id)).await;
}

async fn key(app: &App, client: &Client, path: &str, scopes: &[&str]) -> (String, Client) {
    let issued = make(client, path, json!({ "name": "Test", "scopes": scopes })).await;
    (issued.text_at("/apiKey/id"), Client::new(app.address, Some(issued.text_at("/key"))))
}

impl World {
    pub(super) async fn make(app: &App) -> Self {
        let (user, admin, eve) = (app.user("User").await, app.admin().await, app.user("Eve").await);
        let (owner, org_admin, member) = (app.user("Owner").await, app.user("Org Admin").await, app.user("Member").await);
        let (bystander, almighty) = (app.user("Bystander").await, app.admin().await);
        let acme = make(&owner.client, "/api/orgs", json!({ "name": "Acme" })).await.text_at("/id");
        let evil = make(&eve.client, "/api/orgs", json!({ "name": "Evil" })).await.text_at("/id");
        for (caller, role) in [(&org_admin, "admin"), (&member, "member"), (&bystander, "member"), (&almighty, "owner")] {
            join(app, &acme, caller, role).await;
        }
        join(app, &evil, &almighty, "owner").await;
        let project = make(&owner.client, &format!("/api/orgs/{acme}/projects"), json!({ "name": "Rocket" })).await.text_at("/id");
        let invited = json!({ "email": "new@example.com", "role": "member" });
        let invitation = make(&owner.client, &format!("/api/orgs/{acme}/invitations"), invited).await.text_at("/id");
        let keys = format!("/api/orgs/{acme}/api-keys");
        let (org_key, _) = key(app, &owner.client, &keys, &["orgs:read"]).await;
        let (_, bound_key) = key(app, &almighty.client, &keys, &SCOPES[4..9]).await;
        let (mut with, mut without) = (HashMap::new(), HashMap::new());
        for scope in SCOPES {
            with.insert(scope, key(app, &almighty.client, "/api/api-keys", &[scope]).await.1);
            let others: Vec<&str> = SCOPES.into_iter().filter(|other| *other != scope).collect();
            without.insert(scope, key(app, &almighty.client, "/api/api-keys", &others).await.1);
        }
        without.insert("nothing", key(app, &almighty.client, "/api/api-keys", &SCOPES).await.1);
        let things = app
            .count("SELECT (SELECT count(*) FROM projects) + (SELECT count(*) FROM memberships) + (SELECT count(*) FROM api_keys)")
            .await;
        Self {
            anonymous: app.anon(),
            user: user.client,
            admin: admin.client,
            eve: eve.client,
            member: member.client,
            org_admin: org_admin.client,
            owner: owner.client,
            acme,
            evil,
            bystander: bystander.id.to_string(),
            project,
            invitation,
            org_key,
            with,
            without,
            bound_key,
            things,
        }
    }

    /// Every kind of caller with what they should get.
    pub(super) fn callers(&self, rule: &Rule) -> Vec<(&'static str, &Client, u16)> {
        match rule.expected {
            Expected::Site([anonymous, user, admin]) => {
                vec![("anonymous", &self.anonymous, anonymous), ("user", &self.user, user), ("administrator", &self.admin, admin)]
            }
            Expected::Org([anonymous, outsider, site_admin, member, admin, owner]) => vec![
                ("anonymous", &self.anonymous, anonymous),
                ("owner of another organisation", &self.eve, outsider),
                ("administrator of the whole", &self.admin, site_admin),
                ("member", &self.member, member),
                ("the organisation's administrator", &self.org_admin, admin),
                ("owner", &self.owner, owner),
            ],
        }
    }

    pub(super) fn key_with(&self, scope: &str) -> &Client {
        self.with.get(scope).expect("a scope")
    }

    pub(super) fn key_without(&self, scope: &str) -> &Client {
        self.without.get(scope).expect("a scope")
    }

    /// A request with the ids of the first organisation's things, in the organisation of this id.
    pub(super) fn request(&self, client: &Client, rule: &Rule, org: &str) -> tests::Request {
        let (_, path) = rule.route.split_once(' ').expect("a method and a path");
        let id = if path.contains("/invitations/{id}") {
            &self.invitation
        } else if path.contains("{orgId}/api-keys") {
            &self.org_key
        } else {
            NOTHING
        };
        let path = path
            .replace("{orgId}", org)
            .replace("{projectId}", &self.project)
            .replace("{userId}", &self.bystander)
            .replace("{id}", id)
            .replace("{token}", &"A".repeat(43))
            .replace("{upstream}", "nothing")
            .replace("{path}", "some/path")
            .replace("{file}", "nothing");
        super::request(client, rule, &path)
    }

    pub(super) async fn ask(&self, client: &Client, rule: &Rule, org: &str) -> u16 {
        self.request(client, rule, org).send().await.status
    }
}

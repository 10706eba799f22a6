//! The policy itself.

use serde_json::{Value, json};

/// What a route answers to whom.
pub(super) struct Rule {
    /// Method and path, as in the route table.
    pub(super) route: &'static str,
    /// What is sent along.
    pub(super) body: Value,
    /// What each kind of caller gets.
    pub(super) expected: Expected,
    /// Which API keys pass.
    pub(super) keys: Keys,
}

/// Statuses by caller.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    /// Anonymous, user, administrator.
    Site([u16; 3]),
    /// Anonymous, owner of another organisation, administrator of the whole; then the organisation's member, administrator and owner.
    Org([u16; 6]),
}

/// Which API keys pass.
#[derive(Clone, Copy)]
pub(super) enum Keys {
    /// All of them: everybody does.
    Open,
    /// None: it takes a session.
    Never,
    /// Those with this scope.
    Scope(&'static str),
}

fn site(route: &'static str, body: Value, expected: [u16; 3], keys: Keys) -> Rule {
    Rule { route, body, expected: Expected::Site(expected), keys }
}

fn org(route: &'static str, body: Value, expected: [u16; 6], keys: Keys) -> Rule {
    Rule { route, body, expected: Expected::Org(expected), keys }
}

/// Every route. They are asked in this order, by each caller in turn, so what one removes the next does not find.
#[expect(clippy::too_many_lines, reason = "a row per route")]
pub(super) fn table() -> Vec<Rule> {
    use Keys::{Never, Open, Scope};
    let no = || Value::Null;
    let empty = || json!({});
    vec![
        site("GET /healthz", no(), [200, 200, 200], Open),
        site("GET /readyz", no(), [200, 200, 200], Open),
        site("GET /metrics", no(), [200, 200, 200], Open),
        site("GET /openapi.json", no(), [200, 200, 200], Open),
        site("GET /docs", no(), [200, 200, 200], Open),
        site("GET /docs/{file}", no(), [404, 404, 404], Open),
        site("POST /api/auth/register", empty(), [400, 400, 400], Open),
        // A key is no reason not to look at the password, so nothing but the password decides.
        site("POST /api/auth/login", json!({ "email": "x" }), [400, 400, 400], Open),
        site("GET /api/auth/sessions", no(), [401, 200, 200], Never),
        site("DELETE /api/auth/sessions", no(), [401, 200, 200], Never),
        site("DELETE /api/auth/sessions/{id}", no(), [401, 404, 404], Never),
        site("PUT /api/auth/password", empty(), [401, 400, 400], Never),
        site("POST /api/auth/password/forgot", empty(), [400, 400, 400], Open),
        site("POST /api/auth/password/reset", empty(), [400, 400, 400], Open),
        site("POST /api/auth/verify-email", empty(), [400, 400, 400], Open),
        site("POST /api/auth/verify-email/request", no(), [401, 200, 200], Never),
        site("GET /api/users", no(), [200, 200, 200], Open),
        site("POST /api/users", empty(), [401, 403, 400], Scope("admin")),
        site("GET /api/users/{id}", no(), [404, 404, 404], Open),
        site("PATCH /api/users/{id}", empty(), [401, 403, 404], Scope("admin")),
        site("DELETE /api/users/{id}", no(), [401, 403, 404], Scope("admin")),
        site("GET /api/api-keys", no(), [401, 200, 200], Never),
        site("POST /api/api-keys", empty(), [401, 400, 400], Never),
        site("DELETE /api/api-keys/{id}", no(), [401, 404, 404], Never),
        site("POST /api/api-keys/{id}/rotate", empty(), [401, 404, 404], Never),
        site("GET /api/profile", no(), [401, 200, 200], Scope("profile:read")),
        site("PUT /api/profile", empty(), [401, 200, 200], Scope("profile:write")),
        site("GET /api/posts", no(), [200, 200, 200], Open),
        site("POST /api/posts", empty(), [401, 400, 400], Scope("posts:write")),
        site("GET /api/posts/export", no(), [401, 200, 200], Scope("posts:read")),
        site("GET /api/posts/{id}", no(), [404, 404, 404], Open),
        site("PATCH /api/posts/{id}", empty(), [401, 404, 404], Scope("posts:write")),
        site("DELETE /api/posts/{id}", no(), [401, 404, 404], Scope("posts:write")),
        site("POST /api/chat", empty(), [401, 400, 400], Scope("chat:write")),
        site("GET /api/chat/usage", no(), [401, 200, 200], Scope("chat:write")),
        site("GET /api/uploads", no(), [401, 200, 200], Scope("uploads:read")),
        // What is no form is refused before anything is read; without a form there is no file.
        site("POST /api/uploads", empty(), [401, 415, 415], Scope("uploads:write")),
        site("GET /api/uploads/{id}", no(), [401, 404, 404], Scope("uploads:read")),
        site("GET /api/uploads/{id}/metadata", no(), [401, 404, 404], Scope("uploads:read")),
        site("DELETE /api/uploads/{id}", no(), [401, 404, 404], Scope("uploads:write")),
        site("GET /api/search", no(), [400, 400, 400], Open),
        site("GET /api/preferences", no(), [200, 200, 200], Open),
        site("POST /api/preferences", json!({ "preference": "dark" }), [200, 200, 200], Open),
        site("GET /api/proxy/{upstream}/{path}", no(), [401, 503, 503], Scope("upstreams:call")),
        site("POST /api/proxy/{upstream}/{path}", empty(), [401, 503, 503], Scope("upstreams:call")),
        site("PUT /api/proxy/{upstream}/{path}", empty(), [401, 503, 503], Scope("upstreams:call")),
        site("PATCH /api/proxy/{upstream}/{path}", empty(), [401, 503, 503], Scope("upstreams:call")),
        site("DELETE /api/proxy/{upstream}/{path}", no(), [401, 503, 503], Scope("upstreams:call")),
        site("POST /api/webhooks/stripe", empty(), [503, 503, 503], Open),
        site("POST /api/webhooks/github", empty(), [503, 503, 503], Open),
        site("POST /api/webhooks/twilio", empty(), [503, 503, 503], Open),
        site("POST /api/webhooks/lemon-squeezy", empty(), [503, 503, 503], Open),
        site("POST /api/webhooks/standard", empty(), [503, 503, 503], Open),
        site("GET /api/admin/webhook-events", no(), [401, 403, 200], Scope("admin")),
        site("POST /api/admin/webhook-events/replay", empty(), [401, 403, 400], Scope("admin")),
        site("GET /api/admin/webhook-events/{id}", no(), [401, 403, 404], Scope("admin")),
        site("POST /api/admin/webhook-events/{id}/replay", no(), [401, 403, 404], Scope("admin")),
        site("POST /api/admin/revalidate", json!({ "tag": "plans" }), [401, 403, 200], Scope("admin")),
        site("GET /api/admin/audit", no(), [401, 403, 200], Scope("admin")),
        site("GET /api/invitations/{token}", no(), [404, 404, 404], Open),
        site("POST /api/invitations/{token}/accept", no(), [401, 404, 404], Never),
        site("GET /api/orgs", no(), [401, 200, 200], Scope("orgs:read")),
        site("POST /api/orgs", empty(), [401, 400, 400], Scope("orgs:write")),
        org("GET /api/orgs/{orgId}", no(), [401, 404, 404, 200, 200, 200], Scope("orgs:read")),
        org("PATCH /api/orgs/{orgId}", json!({ "name": "Acme" }), [401, 404, 404, 403, 200, 200], Scope("orgs:write")),
        org("POST /api/orgs/{orgId}/transfer", empty(), [401, 404, 404, 403, 403, 400], Never),
        org("GET /api/orgs/{orgId}/members", no(), [401, 404, 404, 200, 200, 200], Scope("orgs:read")),
        org("PATCH /api/orgs/{orgId}/members/{userId}", json!({ "role": "member" }), [401, 404, 404, 403, 200, 200], Scope("orgs:write")),
        org("DELETE /api/orgs/{orgId}/members/{userId}", no(), [401, 404, 404, 403, 200, 404], Scope("orgs:write")),
        org("GET /api/orgs/{orgId}/invitations", no(), [401, 404, 404, 403, 200, 200], Scope("orgs:read")),
        org("POST /api/orgs/{orgId}/invitations", empty(), [401, 404, 404, 403, 400, 400], Scope("orgs:write")),
        org("POST /api/orgs/{orgId}/invitations/{id}/resend", no(), [401, 404, 404, 403, 200, 200], Scope("orgs:write")),
        org("DELETE /api/orgs/{orgId}/invitations/{id}", no(), [401, 404, 404, 403, 200, 404], Scope("orgs:write")),
        org("GET /api/orgs/{orgId}/projects", no(), [401, 404, 404, 200, 200, 200], Scope("projects:read")),
        org("POST /api/orgs/{orgId}/projects", empty(), [401, 404, 404, 403, 400, 400], Scope("projects:write")),
        org("GET /api/orgs/{orgId}/projects/{projectId}", no(), [401, 404, 404, 200, 200, 200], Scope("projects:read")),
        org(
            "PATCH /api/orgs/{orgId}/projects/{projectId}",
            json!({ "name": "Rocket" }),
            [401, 404, 404, 403, 200, 200],
            Scope("projects:write"),
        ),
        org("DELETE /api/orgs/{orgId}/projects/{projectId}", no(), [401, 404, 404, 403, 200, 404], Scope("projects:write")),
        org("POST /api/orgs/{orgId}/projects/{projectId}/restore", no(), [401, 404, 404, 403, 200, 404], Scope("projects:write")),
        org("GET /api/orgs/{orgId}/api-keys", no(), [401, 404, 404, 403, 200, 200], Never),
        org("POST /api/orgs/{orgId}/api-keys", empty(), [401, 404, 404, 403, 400, 400], Never),
        org("POST /api/orgs/{orgId}/api-keys/{id}/rotate", empty(), [401, 404, 404, 403, 201, 201], Never),
        org("DELETE /api/orgs/{orgId}/api-keys/{id}", no(), [401, 404, 404, 403, 200, 404], Never),
        org("GET /api/orgs/{orgId}/billing", no(), [401, 404, 404, 200, 200, 200], Scope("orgs:read")),
        org("POST /api/orgs/{orgId}/billing/checkout", json!({ "priceId": "price_1" }), [401, 404, 404, 403, 503, 503], Never),
        org("POST /api/orgs/{orgId}/billing/portal", no(), [401, 404, 404, 403, 503, 503], Never),
        site("GET /api/plans", no(), [200, 200, 200], Open),
        org("GET /api/orgs/{orgId}/audit", no(), [401, 404, 404, 403, 200, 200], Scope("audit:read")),
        org("DELETE /api/orgs/{orgId}", no(), [401, 404, 404, 403, 403, 200], Never),
        org("POST /api/orgs/{orgId}/restore", no(), [401, 404, 404, 404, 404, 200], Never),
        // Last, as it ends the callers' sessions.
        site("POST /api/auth/logout", no(), [401, 200, 200], Never),
    ]
}

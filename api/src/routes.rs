//! The route table: every path the server knows, what answers it, and nothing else. A handler's arguments are its policy.

pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod billing;
pub mod chat;
pub mod docs;
pub mod health;
pub mod invitations;
pub mod members;
pub mod orgs;
pub mod posts;
pub mod preferences;
pub mod profile;
pub mod projects;
pub mod proxy;
pub mod recovery;
pub mod revalidate;
pub mod search;
pub mod uploads;
pub mod users;
pub mod webhook_events;
pub mod webhooks;

use actix_web::{HttpResponse, web};
use domain::{Code, Error};

use crate::table::at;
pub use crate::table::{Entry, Row};

/// An hour, in seconds.
const HOUR: u64 = 3600;

/// The table.
#[must_use]
pub fn table() -> Vec<Row> {
    [operations(), people(), organisations(), content(), webhook_senders(), administration()].into_iter().flatten().collect()
}

/// What those need who run it.
fn operations() -> Vec<Row> {
    vec![
        at("/healthz").get("Whether the process lives", health::live),
        at("/readyz").get("Whether requests should come here", health::ready),
        at("/metrics").get("What can be watched, as OpenMetrics; elsewhere when it has a listener of its own", health::metrics),
        at("/openapi.json").force_static("This description", docs::description),
        at("/docs").get("A page to read and try it", docs::page).hidden(),
        at("/docs/{file}").get("A file of that page", docs::file).hidden(),
    ]
}

/// Accounts, and how they sign in.
fn people() -> Vec<Row> {
    vec![
        at("/api/auth/register").post("Make an account and sign in", auth::register).fails(Code::EmailTaken),
        at("/api/auth/login").post("Sign in", auth::login).fails(Code::Unauthorized).fails(Code::Forbidden),
        at("/api/auth/logout").post("Sign out", auth::logout),
        at("/api/auth/sessions").get("Where you are signed in", auth::list).delete("Sign out everywhere else", auth::delete_others),
        at("/api/auth/sessions/{id}").delete("Sign out there", auth::delete),
        at("/api/auth/password").put("Change your password and sign out everywhere else", auth::change_password).fails(Code::RateLimited),
        at("/api/auth/password/forgot").post("Have a link mailed to set a password", recovery::forgot).fails(Code::NotConfigured),
        at("/api/auth/password/reset")
            .post("Set a password by a mailed token and sign out everywhere", recovery::reset)
            .fails(Code::InvalidToken),
        at("/api/auth/verify-email").post("Verify an address by a mailed token", recovery::verify).fails(Code::InvalidToken),
        at("/api/auth/verify-email/request")
            .post("Have a link mailed to verify your address", recovery::ask_to_verify)
            .fails(Code::Conflict)
            .fails(Code::RateLimited)
            .fails(Code::NotConfigured),
        at("/api/users")
            .get("List users, newest first", users::list)
            .post("Make an account for somebody", users::create)
            .fails(Code::EmailTaken),
        at("/api/users/{id}")
            .get("Show a user", users::show)
            .patch("Change a user's name or role, or ban them", users::update)
            .fails(Code::LastAdmin)
            .delete("Delete a user with their posts", users::delete)
            .fails(Code::LastAdmin)
            .fails(Code::LastOwner),
        at("/api/api-keys")
            .get("List your personal API keys", api_keys::list)
            .post("Make a personal API key", api_keys::create)
            .fails(Code::Conflict),
        at("/api/api-keys/{id}").delete("Revoke a personal API key", api_keys::delete),
        at("/api/api-keys/{id}/rotate").post("Give a personal API key a successor", api_keys::rotate).fails(Code::Conflict),
        at("/api/profile").get("Show your profile", profile::show).put("Change your profile", profile::update),
    ]
}

/// Organisations with everything in them, and what they can buy.
fn organisations() -> Vec<Row> {
    vec![
        at("/api/orgs").get("List your organisations", orgs::list).post("Make an organisation", orgs::create).fails(Code::SlugTaken),
        at("/api/orgs/{orgId}")
            .get("Show an organisation", orgs::show)
            .patch("Change an organisation", orgs::update)
            .fails(Code::SlugTaken)
            .delete("Delete an organisation; it can be restored for 30 days", orgs::delete),
        at("/api/orgs/{orgId}/restore").post("Restore a deleted organisation of yours", orgs::restore),
        at("/api/orgs/{orgId}/transfer").post("Hand an organisation over to another member", orgs::transfer),
        at("/api/orgs/{orgId}/members").get("List members", members::list),
        at("/api/orgs/{orgId}/members/{userId}")
            .patch("Give a member another role", members::update)
            .fails(Code::LastOwner)
            .delete("Remove a member, or leave", members::delete)
            .fails(Code::LastOwner),
        at("/api/orgs/{orgId}/invitations")
            .get("List open invitations", invitations::list)
            .post("Invite somebody by mail", invitations::create)
            .fails(Code::AlreadyInvited)
            .fails(Code::AlreadyMember)
            .fails(Code::NotConfigured),
        at("/api/orgs/{orgId}/invitations/{id}").delete("Revoke an invitation", invitations::delete),
        at("/api/orgs/{orgId}/invitations/{id}/resend").post("Send an invitation again", invitations::resend).fails(Code::NotConfigured),
        at("/api/orgs/{orgId}/projects")
            .get("List projects", projects::list)
            .post("Make a project", projects::create)
            .fails(Code::SlugTaken),
        at("/api/orgs/{orgId}/projects/{projectId}")
            .get("Show a project", projects::show)
            .patch("Change a project", projects::update)
            .fails(Code::SlugTaken)
            .delete("Delete a project; it can be restored for 30 days", projects::delete),
        at("/api/orgs/{orgId}/projects/{projectId}/restore").post("Restore a deleted project", projects::restore),
        at("/api/orgs/{orgId}/api-keys")
            .get("List the organisation's API keys", api_keys::list_of_org)
            .post("Make an API key of the organisation", api_keys::create_of_org)
            .fails(Code::Conflict),
        at("/api/orgs/{orgId}/api-keys/{id}").delete("Revoke an API key of the organisation", api_keys::delete_of_org),
        at("/api/orgs/{orgId}/api-keys/{id}/rotate")
            .post("Give an API key of the organisation a successor", api_keys::rotate_of_org)
            .fails(Code::Conflict),
        at("/api/orgs/{orgId}/billing").get("Show what the organisation pays for and may use", billing::show),
        at("/api/orgs/{orgId}/billing/checkout")
            .post("Begin to buy a subscription", billing::checkout)
            .fails(Code::NotConfigured)
            .fails(Code::UpstreamError)
            .fails(Code::UpstreamTimeout),
        at("/api/orgs/{orgId}/billing/portal")
            .post("Where to manage what the organisation pays for", billing::portal)
            .fails(Code::Conflict)
            .fails(Code::NotConfigured)
            .fails(Code::UpstreamError)
            .fails(Code::UpstreamTimeout),
        at("/api/plans").revalidate("List what is for sale", HOUR, &["plans"], billing::plans),
        at("/api/orgs/{orgId}/audit").get("Read the organisation's audit log", audit::of_org),
        at("/api/invitations/{token}").get("Show an invitation", invitations::show),
        at("/api/invitations/{token}/accept")
            .post("Accept an invitation", invitations::accept)
            .fails(Code::InvitationUsed)
            .fails(Code::InvitationExpired)
            .fails(Code::AlreadyMember),
    ]
}

/// What is written and read.
fn content() -> Vec<Row> {
    vec![
        at("/api/posts").get("List posts", posts::list).post("Write a post", posts::create),
        at("/api/posts/export").get("Read all posts to their end", posts::export),
        at("/api/posts/{id}")
            .get("Show a post", posts::show)
            .patch("Change a post of yours", posts::update)
            .delete("Delete a post of yours", posts::delete),
        at("/api/chat")
            .post("Ask the language model; its words come as they are said", chat::create)
            .fails(Code::NotConfigured)
            .fails(Code::UpstreamError)
            .fails(Code::UpstreamTimeout),
        at("/api/chat/usage").get("What your questions to the model took", chat::usage),
        at("/api/uploads").get("List your files", uploads::list).post("Upload a file", uploads::create),
        at("/api/uploads/{id}").get("Download a file of yours", uploads::show).delete("Delete a file of yours", uploads::delete),
        at("/api/uploads/{id}/metadata").get("Show what is known of a file of yours", uploads::metadata),
        at("/api/search").get("Search posts", search::search),
        at("/api/proxy/{upstream}/{path}").tail().any("Call a service behind the proxy", proxy::forward),
        at("/api/preferences").get("What your browser sends", preferences::show).post("Remember a theme", preferences::update),
    ]
}

/// Where providers send their events.
fn webhook_senders() -> Vec<Row> {
    vec![
        at("/api/webhooks/stripe").post("Take in an event of Stripe", webhooks::stripe),
        at("/api/webhooks/github").post("Take in an event of GitHub", webhooks::github),
        at("/api/webhooks/twilio").post("Take in an event of Twilio", webhooks::twilio),
        at("/api/webhooks/lemon-squeezy").post("Take in an event of Lemon Squeezy", webhooks::lemon_squeezy),
        at("/api/webhooks/standard").post("Take in an event by Standard Webhooks", webhooks::standard),
    ]
}

/// For administrators of the whole.
fn administration() -> Vec<Row> {
    vec![
        at("/api/admin/webhook-events").get("Look into the webhook inbox", webhook_events::list),
        at("/api/admin/webhook-events/replay").post("Have events of a type processed again", webhook_events::replay_many),
        at("/api/admin/webhook-events/{id}").get("Show an event with what was sent", webhook_events::show),
        at("/api/admin/webhook-events/{id}/replay").post("Have an event processed again", webhook_events::replay),
        at("/api/admin/revalidate").post("Purge answers that are kept, by tag or path", revalidate::revalidate),
        at("/api/admin/audit").get("Read the whole audit log", audit::everywhere),
    ]
}

/// The paths whose answers are kept.
#[must_use]
pub fn kept_paths() -> Vec<&'static str> {
    let rows = table();
    rows.iter().filter(|row| row.entries().iter().any(|entry| entry.policy.is_some())).map(Row::path).collect()
}

/// Puts the table into an application; what is not in it is 404.
pub fn configure(app: &mut web::ServiceConfig) {
    for row in table() {
        row.register(app);
    }
    app.default_service(web::to(|| async { Err::<HttpResponse, _>(Error::new(Code::NotFound, "Not found")) }));
}

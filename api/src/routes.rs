//! The route table: every path the server knows, what answers it, and nothing else. A handler's arguments are its policy.

pub mod auth;
pub mod docs;
pub mod health;
pub mod posts;
pub mod preferences;
pub mod profile;
pub mod search;
pub mod users;

use actix_web::{HttpResponse, web};
use domain::{Code, Error};

use crate::table::at;
pub use crate::table::{Entry, Row};

/// The table.
#[must_use]
pub fn table() -> Vec<Row> {
    vec![
        at("/healthz").get("Whether the process lives", health::live),
        at("/readyz").get("Whether requests should come here", health::ready),
        at("/openapi.json").get("This description", docs::description),
        at("/docs").get("A page to read and try it", docs::page).hidden(),
        at("/docs/{file}").get("A file of that page", docs::file).hidden(),
        at("/api/auth/register").post("Make an account and sign in", auth::register).fails(Code::EmailTaken),
        at("/api/auth/login").post("Sign in", auth::login).fails(Code::Unauthorized),
        at("/api/auth/logout").post("Sign out", auth::logout),
        at("/api/auth/sessions").get("Where you are signed in", auth::list).delete("Sign out everywhere else", auth::delete_others),
        at("/api/auth/sessions/{id}").delete("Sign out there", auth::delete),
        at("/api/users")
            .get("List users, newest first", users::list)
            .post("Make an account for somebody", users::create)
            .fails(Code::EmailTaken),
        at("/api/users/{id}")
            .get("Show a user", users::show)
            .patch("Change a user's name or role", users::update)
            .fails(Code::LastAdmin)
            .delete("Delete a user with their posts", users::delete)
            .fails(Code::LastAdmin),
        at("/api/profile").get("Show your profile", profile::show).put("Change your profile", profile::update),
        at("/api/posts").get("List posts", posts::list).post("Write a post", posts::create),
        at("/api/posts/{id}")
            .get("Show a post", posts::show)
            .patch("Change a post of yours", posts::update)
            .delete("Delete a post of yours", posts::delete),
        at("/api/search").get("Search posts", search::search),
        at("/api/preferences").get("What your browser sends", preferences::show).post("Remember a theme", preferences::update),
    ]
}

/// Puts the table into an application; what is not in it is 404.
pub fn configure(app: &mut web::ServiceConfig) {
    for row in table() {
        row.register(app);
    }
    app.default_service(web::to(|| async { Err::<HttpResponse, _>(Error::new(Code::NotFound, "Not found")) }));
}

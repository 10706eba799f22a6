//! Answers that are kept: made once, given to everybody, made anew after their time or when what they are made of changes.
//!
//! A row of the route table is answered anew for each request unless it says `revalidate` or `force_static`. These words take handlers
//! whose arguments are all [`Anonymous`], which tell nothing of who is asking:
//!
//! ```
//! use api::{extract::Path, respond::Json, table::at};
//! use domain::PostId;
//! async fn title(Path(id): Path<PostId>) -> Json<String> {
//!     Json(format!("Post {id}"))
//! }
//! let _ = at("/titles/{id}").revalidate("Show a title", 60, &["titles"], title);
//! ```
//!
//! With a caller among them it does not compile …
//!
//! ```compile_fail,E0277
//! use api::{respond::Json, table::at};
//! async fn mine(caller: auth::Caller<auth::scope::ReadProfile>) -> Json<String> {
//!     Json(caller.user.to_string())
//! }
//! let _ = at("/mine").revalidate("Show what is mine", 60, &["mine"], mine);
//! ```
//!
//! … nor when somebody may be signed in or not …
//!
//! ```compile_fail,E0277
//! use api::{respond::Json, table::at};
//! async fn perhaps(_: auth::MaybeSession) -> Json<u8> {
//!     Json(1)
//! }
//! let _ = at("/perhaps").force_static("Show something", perhaps);
//! ```
//!
//! … nor with the request itself …
//!
//! ```compile_fail,E0277
//! use api::{respond::Json, table::at};
//! async fn raw(request: actix_web::HttpRequest) -> Json<bool> {
//!     Json(request.headers().contains_key("cookie"))
//! }
//! let _ = at("/raw").revalidate("Show something", 60, &[], raw);
//! ```
//!
//! … nor with an answer that sets a cookie.
//!
//! ```compile_fail,E0277
//! use actix_web::cookie::Cookie;
//! use api::{respond::{Json, WithCookie}, table::at};
//! async fn marked() -> WithCookie<Json<u8>> {
//!     WithCookie(Json(1), Cookie::new("a", "b"))
//! }
//! let _ = at("/marked").revalidate("Show something", 60, &[], marked);
//! ```

mod anonymous;
mod answer;
mod coding;
mod flight;
mod kept;
#[cfg(test)]
mod tests;
mod watched;
mod words;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use persistence::{Revocations, revocations::Belief, revocations::Moment};

pub use anonymous::{Anonymous, Asked};
use flight::Flights;
pub use kept::{Keep, Made};
use kept::{Kept, path_of};
pub use watched::Watched;

/// How the answers of a row are kept.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The row's path, with its parameters in braces.
    pub path: &'static str,
    /// What they can be purged by, beside their path.
    pub tags: &'static [&'static str],
    /// How long they are fresh; `None` for what cannot change while the process lives.
    pub fresh: Option<Duration>,
}

/// The answers a process keeps, shared by its workers.
pub struct Cache {
    kept: moka::sync::Cache<Arc<str>, Arc<Kept>>,
    flights: Flights,
    revocations: Arc<Revocations>,
    settings: config::Cache,
    paths: Vec<&'static str>,
    counts: Counts,
}

/// How requests were answered.
#[derive(Default)]
struct Counts {
    hit: AtomicU64,
    stale: AtomicU64,
    miss: AtomicU64,
    collapsed: AtomicU64,
    bypass: AtomicU64,
    failed: AtomicU64,
}

/// What is kept for a request.
enum Found {
    /// An answer to give.
    Fresh(Arc<Kept>),
    /// An answer to give while a new one is made.
    Stale(Arc<Kept>),
    /// An answer to give only when no new one can be made.
    Unsure(Arc<Kept>),
    /// Nothing to give.
    Nothing,
}

impl Cache {
    /// Nothing kept yet. `paths` are those of the rows whose answers are.
    #[must_use]
    pub fn new(settings: config::Cache, revocations: Arc<Revocations>, paths: Vec<&'static str>) -> Self {
        let kept = moka::sync::Cache::builder()
            .max_capacity(settings.bytes_max)
            .weigher(|key: &Arc<str>, kept: &Arc<Kept>| kept.weight(key))
            .build();
        Self { kept, flights: Flights::default(), revocations, settings, paths, counts: Counts::default() }
    }

    /// Whether answers of this path are kept: one of the route table, or an instance of one.
    #[must_use]
    pub fn has_path(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| *pattern == path || actix_web::dev::ResourceDef::new(*pattern).is_match(path))
    }

    /// What is kept under a key, as far as it may still be given.
    fn find(&self, key: &str, policy: &Policy) -> Found {
        let Some(kept) = self.kept.get(key) else { return Found::Nothing };
        let belief = self.belief(kept.read, key, policy);
        let Some(fresh) = policy.fresh else {
            return if belief == Belief::Purged { Found::Nothing } else { Found::Fresh(kept) };
        };
        let age = self.revocations.since(kept.read);
        match belief {
            Belief::Purged => Found::Nothing,
            _ if age >= fresh + self.settings.stale_max => Found::Nothing,
            Belief::Unsure => Found::Unsure(kept),
            Belief::Holds if age >= fresh => Found::Stale(kept),
            Belief::Holds => Found::Fresh(kept),
        }
    }

    /// How far may be believed what was read for a key after a moment.
    fn belief(&self, read: Moment, key: &str, policy: &Policy) -> Belief {
        self.revocations.belief(read, policy.tags.iter().copied().chain([policy.path, path_of(key)]))
    }

    /// Keeps an answer, unless it was purged while it was made or a later one is there.
    fn keep(&self, key: &str, policy: &Policy, kept: &Arc<Kept>) {
        let later = self.kept.get(key).is_some_and(|other| other.read > kept.read);
        if !later && self.belief(kept.read, key, policy) != Belief::Purged {
            self.kept.insert(key.into(), Arc::clone(kept));
        }
    }
}

//! The words of the route table for answers that are kept.

use std::{sync::Arc, time::Duration};

use actix_web::{Handler, HttpRequest, Route, http::Method, web};

use super::{Anonymous, Keep, Policy, answer::answer};
use crate::{
    describe::{Describe, Operation},
    table::{Arguments, Row},
};

/// What such answers carry.
const HEADERS: [(&str, &str); 5] = [
    ("ETag", "Names these bytes; `If-None-Match` with it is answered 304 while they are the same"),
    ("Cache-Control", "May be kept by anybody, who then has to ask whether it is still right"),
    ("Age", "How many seconds ago it was made"),
    ("Vary", "Accept-Encoding"),
    ("Cache-Status", "RFC 9211: whether it was kept (`hit`), or why it was made (`fwd`)"),
];

impl Row {
    /// Adds `GET`, and `HEAD` with it, whose answers are given to everybody for so many seconds, then once more to each while a new one is
    /// made. They are purged by their path or one of these tags.
    #[must_use]
    pub fn revalidate<H, A>(self, summary: &'static str, seconds: u64, tags: &'static [&'static str], handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments + Anonymous,
        H::Output: Keep + Describe,
    {
        let policy = Policy { path: self.path(), tags, fresh: Some(Duration::from_secs(seconds)) };
        self.keeping(summary, policy, handler)
    }

    /// Adds `GET`, and `HEAD` with it, whose answers are made once in the life of the process: they depend on nothing that changes in it.
    #[must_use]
    pub fn force_static<H, A>(self, summary: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments + Anonymous,
        H::Output: Keep + Describe,
    {
        let policy = Policy { path: self.path(), tags: &[], fresh: None };
        self.keeping(summary, policy, handler)
    }

    fn keeping<H, A>(self, summary: &'static str, policy: Policy, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments + Anonymous,
        H::Output: Keep + Describe,
    {
        let policy = Arc::new(policy);
        let describe: fn(&mut Operation<'_>) = |operation| {
            A::describe(operation);
            H::Output::describe(operation);
            operation.answers(304, "What the client holds is still right", None);
            for (name, text) in HEADERS {
                operation.header(name, text);
            }
        };
        let head = route(Method::HEAD, &policy, handler.clone());
        let get = route(Method::GET, &policy, handler);
        self.kept(summary, policy, describe, get, head)
    }
}

fn route<H, A>(method: Method, policy: &Arc<Policy>, handler: H) -> Route
where
    H: Handler<A>,
    A: Anonymous,
    H::Output: Keep,
{
    let policy = Arc::clone(policy);
    web::method(method).to(move |request: HttpRequest| {
        let (policy, handler) = (Arc::clone(&policy), handler.clone());
        async move { answer::<H, A>(&request, &policy, handler).await }
    })
}

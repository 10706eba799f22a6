//! The route table's words: a row per path, from which come routing, `HEAD`, `OPTIONS`, 405 and the API description.

mod arguments;
mod deprecation;

use std::sync::Arc;

use actix_web::{
    Handler, HttpResponse, Responder, Route,
    http::{Method, header},
    web,
};
use domain::{Code, Error};

use crate::{
    cache::Policy,
    describe::{Describe, Operation},
};

pub use arguments::Arguments;
use arguments::route;
pub use deprecation::Deprecation;
pub(crate) use deprecation::Deprecations;

/// What `PATCH` takes everywhere.
const ACCEPT_PATCH: &str = "application/merge-patch+json, application/json";

/// A path with its methods.
pub struct Row {
    path: &'static str,
    is_tail: bool,
    entries: Vec<Entry>,
}

/// A method of a path.
pub struct Entry {
    /// The method.
    pub method: Method,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Whether it is left out of the API description: pages for people.
    pub hidden: bool,
    /// How its answers are kept, if they are.
    pub policy: Option<Arc<Policy>>,
    /// Whether clients are told that it will go.
    pub deprecated: Option<Deprecation>,
    describe: fn(&mut Operation<'_>),
    fails: Vec<Code>,
    route: Route,
    head: Option<Route>,
}

impl Entry {
    /// Adds what the handler's arguments and answer say to a description.
    pub fn describe(&self, operation: &mut Operation<'_>) {
        (self.describe)(operation);
        operation.fails(&self.fails);
        if self.deprecated.is_some() {
            operation.header("Deprecation", "RFC 9745: since when this is deprecated");
            operation.header("Sunset", "RFC 8594: when it stops to answer, once that is known");
        }
    }
}

/// Begins the row of this path, which is written in full.
#[must_use]
pub fn at(path: &'static str) -> Row {
    Row { path, is_tail: false, entries: Vec::new() }
}

impl Row {
    /// The path, with its parameters in braces.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The path as it is matched.
    #[must_use]
    pub fn pattern(&self) -> String {
        match self.path.strip_suffix('}') {
            Some(rest) if self.is_tail => format!("{rest}:.*}}"),
            _ => self.path.to_owned(),
        }
    }

    /// Whether the last parameter stands for the rest of the path.
    #[must_use]
    pub fn is_tail(&self) -> bool {
        self.is_tail
    }

    /// The methods, as they were written down; `HEAD` and `OPTIONS` come by themselves.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds `GET`, and `HEAD` with it.
    #[must_use]
    pub fn get<H, A>(self, summary: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments,
        H::Output: Responder + Describe,
    {
        self.with(Method::GET, summary, handler)
    }

    /// Adds `POST`.
    #[must_use]
    pub fn post<H, A>(self, summary: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments,
        H::Output: Responder + Describe,
    {
        self.with(Method::POST, summary, handler)
    }

    /// Adds `PUT`.
    #[must_use]
    pub fn put<H, A>(self, summary: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments,
        H::Output: Responder + Describe,
    {
        self.with(Method::PUT, summary, handler)
    }

    /// Adds `PATCH`.
    #[must_use]
    pub fn patch<H, A>(self, summary: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments,
        H::Output: Responder + Describe,
    {
        self.with(Method::PATCH, summary, handler)
    }

    /// Adds `DELETE`.
    #[must_use]
    pub fn delete<H, A>(self, summary: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments,
        H::Output: Responder + Describe,
    {
        self.with(Method::DELETE, summary, handler)
    }

    /// Lets the last parameter stand for the rest of the path, slashes and all.
    #[must_use]
    pub fn tail(mut self) -> Self {
        self.is_tail = true;
        self
    }

    /// Adds every method, for a handler that looks at the request's own.
    #[must_use]
    pub fn any<H, A>(self, summary: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments,
        H::Output: Responder + Describe,
    {
        self.with(Method::GET, summary, handler.clone())
            .with(Method::POST, summary, handler.clone())
            .with(Method::PUT, summary, handler.clone())
            .with(Method::PATCH, summary, handler.clone())
            .with(Method::DELETE, summary, handler)
    }

    /// Says that the method named last can also fail with this code, which neither its arguments nor its answer tell.
    #[must_use]
    pub fn fails(mut self, code: Code) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.fails.push(code);
        }
        self
    }

    /// Says that the method named last will go: in the API description, and in the headers of each of its answers, errors too.
    #[must_use]
    pub fn deprecated(mut self, deprecation: Deprecation) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.deprecated = Some(deprecation);
        }
        self
    }

    /// Leaves the row out of the API description.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.entries.iter_mut().for_each(|entry| entry.hidden = true);
        self
    }

    fn with<H, A>(mut self, method: Method, summary: &'static str, handler: H) -> Self
    where
        H: Handler<A>,
        A: Arguments,
        H::Output: Responder + Describe,
    {
        let describe: fn(&mut Operation<'_>) = |operation| {
            A::describe(operation);
            H::Output::describe(operation);
        };
        let head = (method == Method::GET).then(|| route(Method::HEAD, handler.clone()));
        self.entries.push(Entry {
            route: route(method.clone(), handler),
            method,
            summary,
            hidden: false,
            policy: None,
            deprecated: None,
            describe,
            fails: Vec::new(),
            head,
        });
        self
    }

    /// Adds `GET` and `HEAD` whose answers are kept: for the words in `cache`.
    pub(crate) fn kept(
        mut self,
        summary: &'static str,
        policy: Arc<Policy>,
        describe: fn(&mut Operation<'_>),
        get: Route,
        head: Route,
    ) -> Self {
        let (method, fails, hidden) = (Method::GET, Vec::new(), false);
        self.entries.push(Entry {
            method,
            summary,
            hidden,
            policy: Some(policy),
            deprecated: None,
            describe,
            fails,
            route: get,
            head: Some(head),
        });
        self
    }

    /// The value of the `Allow` header.
    #[must_use]
    pub fn allow(&self) -> String {
        let mut methods: Vec<&str> = Vec::new();
        for entry in &self.entries {
            methods.push(entry.method.as_str());
            if entry.head.is_some() {
                methods.push("HEAD");
            }
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }

    /// Puts the row into an application.
    pub fn register(self, app: &mut web::ServiceConfig) {
        let allow = self.allow();
        let mut resource = web::resource(self.pattern());
        for entry in self.entries {
            resource = resource.route(entry.route);
            if let Some(head) = entry.head {
                resource = resource.route(head);
            }
        }
        let options = allow.clone();
        let options = move || {
            let allow = options.clone();
            async move {
                let mut answer = HttpResponse::NoContent();
                if allow.contains("PATCH") {
                    // RFC 5789, section 3.1.
                    answer.insert_header(("accept-patch", ACCEPT_PATCH));
                }
                answer.insert_header((header::ALLOW, allow)).finish()
            }
        };
        let refuse = move || {
            let allow = allow.clone();
            async move { Err::<HttpResponse, _>(Error::method_not_allowed(allow)) }
        };
        app.service(resource.route(web::method(Method::OPTIONS).to(options)).default_service(web::to(refuse)));
    }
}

//! Requests that may be repeated safely: under an `Idempotency-Key` a thing is made once, and every repetition gets the first answer.
//!
//! After the IETF draft "The Idempotency-Key HTTP Header Field" (draft-ietf-httpapi-idempotency-key-header). An error is never kept:
//! nothing was made, so the same request may be tried again under the same key.

mod answer;
mod key;

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    dev::Payload,
    http::header::{HeaderName, HeaderValue},
};
use domain::{Code, Error, Result, UserId, audit::Actor};
use persistence::{
    Db, Tx,
    idempotency::{self, Attempt},
};
use serde_json::json;
use uuid::Uuid;

use crate::describe::{Describe, Operation};
pub(crate) use key::BodyDigest;
use key::{HEADER, Key, LENGTH_MAX};

/// The header of an answer that was given before.
const REPLAYED: &str = "idempotency-replayed";

/// Makes something once per `Idempotency-Key` of the caller, or, without the header, every time.
pub struct Once {
    request: HttpRequest,
    key: Option<Key>,
}

impl FromRequest for Once {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Key::of(request).map(|key| Self { request: request.clone(), key }))
    }
}

impl Once {
    /// Makes an effect in one transaction, in which the answer is kept as well.
    ///
    /// # Errors
    /// Those of the effect; `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_KEY_IN_USE`.
    pub async fn run<T, R: Responder<Body = BoxBody>>(
        &self,
        db: &Db,
        actor: &Actor,
        effect: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T>,
        answer: impl FnOnce(T) -> R,
    ) -> Result<Answered<R>> {
        match self.keyed()? {
            Some((key, attempt)) => self.kept(db, actor, key, &attempt, effect, answer).await,
            None => Ok(self.plain(answer(db.transact(actor, effect).await?))),
        }
    }

    /// The same for an effect of one statement that is not audited: without a key it needs no transaction.
    ///
    /// # Errors
    /// As [`Once::run`].
    pub async fn run_alone<T, R: Responder<Body = BoxBody>>(
        &self,
        db: &Db,
        actor: &Actor,
        effect: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T>,
        answer: impl FnOnce(T) -> R,
    ) -> Result<Answered<R>> {
        if self.key.is_some() {
            return self.run(db, actor, effect, answer).await;
        }
        Ok(self.plain(answer(db.alone(effect).await?)))
    }

    /// The answer that was given before, if any: for effects with costly preparations, which a repetition then spares.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED`.
    pub async fn before<R>(&self, db: &Db) -> Result<Option<Answered<R>>> {
        let Some((key, attempt)) = self.keyed()? else { return Ok(None) };
        let sealed = idempotency::answered(db, &attempt).await?;
        sealed.map(|sealed| replay(key, &attempt, &sealed)).transpose()
    }

    /// Whether something was answered under the key before: for effects that begin while the body is still coming.
    ///
    /// # Errors
    /// `UNAVAILABLE`.
    pub async fn is_known(&self, db: &Db) -> Result<bool> {
        let Some(key) = &self.key else { return Ok(false) };
        let key_hash = key.hash(self.caller());
        Ok(idempotency::is_known(db, &key_hash).await?)
    }

    /// What names this very request to a service that keeps idempotency keys of its own: the same for its repetitions, another for
    /// every other request.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the body was not read.
    pub fn name(&self) -> Result<Uuid> {
        let keyed = self.keyed()?;
        Ok(keyed.map_or_else(Uuid::new_v4, |(_, attempt)| uuid::Builder::from_random_bytes(key::half(&attempt.fingerprint)).into_uuid()))
    }

    async fn kept<T, R: Responder<Body = BoxBody>>(
        &self,
        db: &Db,
        actor: &Actor,
        key: &Key,
        attempt: &Attempt,
        effect: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T>,
        answer: impl FnOnce(T) -> R,
    ) -> Result<Answered<R>> {
        let made = idempotency::once(db, actor, attempt, async |tx| {
            let (response, text) = answer::keep(answer(effect(tx).await?).respond_to(&self.request))?;
            Ok::<_, Error>((response, key.seal(attempt, text)?))
        });
        match made.await? {
            idempotency::Once::Now(response) => Ok(Answered(response, PhantomData)),
            idempotency::Once::Before(sealed) => replay(key, attempt, &sealed),
        }
    }

    fn caller(&self) -> Option<UserId> {
        self.request.extensions().get().copied()
    }

    fn plain<R: Responder<Body = BoxBody>>(&self, answer: R) -> Answered<R> {
        Answered(answer.respond_to(&self.request), PhantomData)
    }

    /// The key with what it stands for. Told late: by now the guards have said who is calling, and the body is read.
    fn keyed(&self) -> Result<Option<(&Key, Attempt)>> {
        let Some(key) = &self.key else { return Ok(None) };
        let body = self.request.extensions().get::<BodyDigest>().copied();
        let body = body.ok_or_else(|| Error::internal("an idempotency key without a body that was read"))?;
        Ok(Some((key, key.attempt(&self.request, self.caller(), body))))
    }
}

fn replay<R>(key: &Key, attempt: &Attempt, sealed: &[u8]) -> Result<Answered<R>> {
    let mut response = answer::again(&key.open(attempt, sealed)?)?;
    response.headers_mut().insert(HeaderName::from_static(REPLAYED), HeaderValue::from_static("true"));
    Ok(Answered(response, PhantomData))
}

/// An answer as `R` gives it: now, or when the request first came.
pub struct Answered<R>(HttpResponse, PhantomData<R>);

impl<R> Responder for Answered<R> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl<R: Describe> Describe for Answered<R> {
    fn describe(operation: &mut Operation<'_>) {
        R::describe(operation);
        operation.header("Idempotency-Replayed", "`true` when this was answered before, under the same `Idempotency-Key`");
    }
}

impl Describe for Once {
    fn describe(operation: &mut Operation<'_>) {
        operation.parameters.push(json!({
            "name": HEADER,
            "in": "header",
            "description": "A name of your own for this request, best a random UUID. Repeated within 24 hours under the same name, it gets \
                the first answer again, and nothing is made twice.",
            "schema": { "type": "string", "minLength": 1, "maxLength": LENGTH_MAX, "pattern": "^[!-~]+$" },
        }));
        operation.fails(&[Code::ValidationError, Code::IdempotencyKeyReused, Code::IdempotencyKeyInUse]);
    }
}

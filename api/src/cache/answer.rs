//! Answers a request from what is kept, or has it made, and says in `Cache-Status` (RFC 9211) which it was.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use actix_web::{
    Handler, HttpRequest, HttpResponse,
    http::header::{self, ContentEncoding, HeaderName, HeaderValue},
    web::Data,
};
use domain::{Error, Result};
use futures::FutureExt;
use persistence::revocations::Belief;

use super::{Anonymous, Asked, Cache, Found, Keep, Policy, coding::coding, kept::Kept};

/// How long one who could be given an old answer waits for a new one.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long nobody waits again, or tries again, after making a new answer failed.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// An answer, and where it came from.
struct Served {
    kept: Arc<Kept>,
    from: From,
}

/// Where an answer came from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// Kept and fresh.
    Hit,
    /// Kept, and a new one is being made.
    Stale,
    /// Kept, and no new one could be made a moment ago.
    Unconfirmed,
    /// Kept, and no new one could be made now; the status is what there would be without it.
    Failed(u16),
    /// Made now. Whether there was an older one, and whether others waited for it too.
    Made { had: bool, joined: bool },
    /// Made for this request alone.
    Bypass,
}

/// Answers a request of a row with this policy.
pub(super) async fn answer<H, A>(request: &HttpRequest, policy: &Arc<Policy>, handler: H) -> Result<HttpResponse>
where
    H: Handler<A>,
    A: Anonymous,
    H::Output: Keep,
{
    let cache = request.app_data::<Data<Cache>>().ok_or_else(|| Error::internal("nothing can be kept"))?;
    let asked = Asked::of::<A>(request);
    let served = if let Some(key) = asked.key() {
        cache.serve::<H, A>(&key, policy, &asked, handler).await?
    } else {
        let read = cache.revocations.now();
        let made = handler.call(A::take(&asked)?).await.keep()?;
        Served { kept: Arc::new(Kept::new(made, read)), from: From::Bypass }
    };
    cache.count(served.from);
    cache.respond(request, policy, &served).await
}

impl Cache {
    async fn serve<H, A>(self: &Arc<Self>, key: &str, policy: &Arc<Policy>, asked: &Asked<'_>, handler: H) -> Result<Served>
    where
        H: Handler<A>,
        A: Anonymous,
        H::Output: Keep,
    {
        let board = || {
            self.board(key, policy, || {
                let arguments = A::take(asked)?;
                Ok(async move { handler.call(arguments).await.keep() }.boxed_local())
            })
        };
        match self.find(key, policy) {
            Found::Fresh(kept) => Ok(Served { kept, from: From::Hit }),
            Found::Stale(kept) => {
                // What goes wrong is told by the flight; when there are too many of them, the next request tries again.
                let _ = (!self.failed_lately(&kept)).then(board);
                Ok(Served { kept, from: From::Stale })
            }
            Found::Unsure(kept) if self.failed_lately(&kept) => Ok(Served { kept, from: From::Unconfirmed }),
            Found::Unsure(kept) => {
                let landed = match board() {
                    Ok((flight, joined)) => {
                        let left = PATIENCE.saturating_sub(self.revocations.since(flight.began));
                        flight.land(left).await.map(|made| made.map(|kept| (kept, joined)))
                    }
                    Err(error) => Some(Err(error)),
                };
                let error = match landed {
                    Some(Ok((kept, joined))) => return Ok(Served { kept, from: From::Made { had: true, joined } }),
                    Some(Err(error)) => error,
                    None => Error::unavailable("the answer was not made in time"),
                };
                let status = error.code().status();
                // It may have been purged while it was waited for.
                let may_stand_in = status >= 500 && self.belief(kept.read, key, policy) != Belief::Purged;
                if may_stand_in { Ok(Served { kept, from: From::Failed(status) }) } else { Err(error) }
            }
            Found::Nothing => {
                let (flight, joined) = board()?;
                Ok(Served { kept: flight.land_at_last().await?, from: From::Made { had: false, joined } })
            }
        }
    }

    fn failed_lately(&self, kept: &Kept) -> bool {
        kept.failed().is_some_and(|failed| self.revocations.since(failed) < PAUSE)
    }

    fn count(&self, from: From) {
        let counts = &self.counts;
        let counter = match from {
            From::Hit => &counts.hit,
            From::Stale => &counts.stale,
            From::Unconfirmed | From::Failed(_) => &counts.failed,
            From::Made { joined: true, .. } => &counts.collapsed,
            From::Made { joined: false, .. } => &counts.miss,
            From::Bypass => &counts.bypass,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts the answer together: 200, or 304 for who has it already.
    async fn respond(&self, request: &HttpRequest, policy: &Policy, served: &Served) -> Result<HttpResponse> {
        let kept = &served.kept;
        let coding = coding(request);
        let age = self.revocations.since(kept.read);
        let left = policy.fresh.map(|fresh| seconds(fresh) - seconds(age));
        let known = kept.tag.is_known(request);
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            .insert_header((header::ETAG, kept.tag.in_coding(coding)))
            .insert_header((header::CACHE_CONTROL, self.control(served.from, age, left)))
            .insert_header((header::VARY, HeaderValue::from_static("Accept-Encoding")))
            .insert_header((header::AGE, age.as_secs().to_string()))
            .insert_header((HeaderName::from_static("cache-status"), status(served.from, left)));
        if known {
            return Ok(response.finish());
        }
        if coding != ContentEncoding::Identity {
            response.insert_header((header::CONTENT_ENCODING, coding.as_str()));
        }
        Ok(response.insert_header((header::CONTENT_TYPE, kept.content_type())).body(kept.body(coding).await?))
    }

    /// What others may do with the answer: keep it, but ask whether it is still right, as they do not hear of purges. A CDN may be allowed
    /// to repeat it for a while; how long that is counts from when the answer was made.
    fn control(&self, from: From, age: Duration, left: Option<i64>) -> HeaderValue {
        const ASK: &str = "public, max-age=0, must-revalidate";
        let fresh = matches!(from, From::Hit | From::Made { .. });
        let edge = left.map_or(seconds(self.settings.edge), |left| left.min(seconds(self.settings.edge)));
        if fresh && edge > 0 {
            let text = format!("{ASK}, s-maxage={}", seconds(age).saturating_add(edge));
            return HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(ASK));
        }
        HeaderValue::from_static(ASK)
    }
}

fn seconds(length: Duration) -> i64 {
    length.as_secs().try_into().unwrap_or(i64::MAX)
}

fn status(from: From, left: Option<i64>) -> String {
    let ttl = left.map(|left| format!("; ttl={left}")).unwrap_or_default();
    match from {
        From::Hit | From::Stale => format!("handrail; hit{ttl}"),
        From::Unconfirmed => format!("handrail; hit{ttl}; detail=unconfirmed"),
        From::Failed(status) => format!("handrail; fwd=stale; fwd-status={status}{ttl}; detail=stale-if-error"),
        From::Made { had, joined } => {
            let why = if had { "stale" } else { "miss" };
            format!("handrail; fwd={why}; {}", if joined { "collapsed" } else { "stored" })
        }
        From::Bypass => "handrail; fwd=bypass".to_owned(),
    }
}

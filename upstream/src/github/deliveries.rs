//! What GitHub tells of deliveries, gathered by event.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;
use serde::Deserialize;
use url::Url;

use super::Error;

/// The most that GitHub gives at a time.
pub(super) const PER_PAGE: usize = 100;
/// A cursor that is longer is none.
const CURSOR_CHARS_MAX: usize = 1000;

/// An event that did not come through, as its latest delivery tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What to ask for it by.
    pub id: u64,
    /// The event: what `X-GitHub-Delivery` says, the same for every delivery of it.
    pub guid: String,
    /// When it was delivered last.
    pub delivered_at: DateTime<Utc>,
    /// How often it was delivered again already, by whomever.
    pub redeliveries: usize,
}

/// One delivery, as GitHub lists it.
#[derive(Debug, Deserialize)]
pub(super) struct Attempt {
    id: u64,
    guid: String,
    pub(super) delivered_at: DateTime<Utc>,
    #[serde(default)]
    redelivery: bool,
    /// What the receiver answered; 0 or nothing when it did not.
    status_code: Option<u16>,
}

/// The events of which no delivery got a 2xx, oldest first: whoever asks for them gets them about in the order in which they happened.
pub(super) fn failed(newest_first: Vec<Attempt>) -> Vec<Delivery> {
    struct Event {
        delivery: Delivery,
        came_through: bool,
    }
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut events: Vec<Event> = Vec::new();
    for attempt in newest_first.into_iter().rev() {
        let came_through = attempt.status_code.is_some_and(|status| (200..300).contains(&status));
        let known = place.get(&attempt.guid).and_then(|place| events.get_mut(*place));
        if let Some(event) = known {
            event.came_through |= came_through;
            event.delivery.id = attempt.id;
            event.delivery.delivered_at = attempt.delivered_at;
            event.delivery.redeliveries += usize::from(attempt.redelivery);
        } else {
            place.insert(attempt.guid.clone(), events.len());
            let Attempt { id, guid, delivered_at, redelivery, .. } = attempt;
            events.push(Event { delivery: Delivery { id, guid, delivered_at, redeliveries: usize::from(redelivery) }, came_through });
        }
    }
    events.into_iter().filter(|event| !event.came_through).map(|event| event.delivery).collect()
}

/// The address of `rel="next"` in a `Link` header.
pub(super) fn next_link(header: &HeaderValue) -> Option<String> {
    // A comma may be in an address, so that `<` is what begins a link.
    header.to_str().ok()?.split('<').skip(1).find_map(|link| {
        let (address, parameters) = link.split_once('>')?;
        let next = parameters.split([';', ',']).any(|parameter| matches!(parameter.trim(), r#"rel="next""# | "rel=next"));
        next.then(|| address.to_owned())
    })
}

/// The cursor in such an address.
pub(super) fn cursor_of(link: &str) -> Result<String, Error> {
    let url = Url::parse(link).map_err(|_| Error::Garbage("the link to the next page is no address"))?;
    let cursor = url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned());
    let cursor = cursor.filter(|cursor| (1..=CURSOR_CHARS_MAX).contains(&cursor.len()));
    cursor.ok_or(Error::Garbage("the link to the next page has no cursor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Vec<Attempt> {
        serde_json::from_str(json).expect("deliveries")
    }

    #[test]
    fn an_event_failed_when_none_of_its_deliveries_came_through() {
        let failed = failed(told(
            r#"[{"id":16,"guid":"a","delivered_at":"2026-01-02T00:00:06Z","redelivery":true,"status":"OK","status_code":200},
                {"id":15,"guid":"b","delivered_at":"2026-01-02T00:00:05Z","redelivery":true,"status":"timed out","status_code":0},
                {"id":14,"guid":"c","delivered_at":"2026-01-02T00:00:04Z","redelivery":true,"status":"x","status_code":503},
                {"id":13,"guid":"c","delivered_at":"2026-01-02T00:00:03Z","redelivery":false,"status":"OK","status_code":204},
                {"id":12,"guid":"d","delivered_at":"2026-01-02T00:00:02.5Z","redelivery":false,"status":"x","status_code":null},
                {"id":11,"guid":"b","delivered_at":"2026-01-02T00:00:01Z","redelivery":false,"status":"x","status_code":301},
                {"id":10,"guid":"a","delivered_at":"2026-01-02T00:00:00Z","redelivery":false,"status":"x","status_code":500}]"#,
        ));
        let short: Vec<_> = failed.iter().map(|event| (event.guid.as_str(), event.id, event.redeliveries)).collect();
        assert_eq!(short, [("b", 15, 1), ("d", 12, 0)]);
        assert_eq!(failed[0].delivered_at.to_rfc3339(), "2026-01-02T00:00:05+00:00");
    }

    #[test]
    fn the_next_page_is_found_by_its_cursor() {
        let next = |header: &str| next_link(&HeaderValue::from_str(header).expect("a header")).map(|link| cursor_of(&link));
        let here = "https://api.github.com/repositories/1/hooks/2/deliveries";
        let both = format!(r#"<{here}?a=1,2&cursor=v0_9>; rel="prev", <{here}?per_page=100&cursor=v1_%2B5>; rel="next""#);
        assert_eq!(next(&both), Some(Ok("v1_+5".to_owned())));
        assert_eq!(next(&format!(r#"<{here}?cursor=1>; rel="first""#)), None);
        assert_eq!(next(""), None);
        assert!(matches!(next(r#"<https://example.com/?page=2>; rel="next""#), Some(Err(Error::Garbage(_)))));
        assert!(matches!(next(r#"</deliveries?cursor=1>; rel="next""#), Some(Err(Error::Garbage(_)))));
    }
}

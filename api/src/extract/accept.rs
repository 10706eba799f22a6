//! What the client would like to get (RFC 9110, 12.5.1).

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use domain::Error;

use crate::describe::{Describe, Operation};

/// The media types a client accepts, for routes that have a choice.
#[derive(Debug, Clone)]
pub struct Accepts(Vec<Range>);

/// A media range with its weight. Parameters other than the weight say nothing here.
#[derive(Debug, Clone)]
struct Range {
    kind: String,
    subtype: String,
    weight: f32,
}

impl Accepts {
    fn of<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        Self(headers.flat_map(|value| value.split(',')).filter_map(Range::parse).collect())
    }

    /// Which of these it likes best; among equals the one it names most exactly, then the first. Nothing when it wants none of them.
    pub fn best<T: Copy>(&self, offered: &[(&str, T)]) -> Option<T> {
        if self.0.is_empty() {
            return offered.first().map(|(_, offer)| *offer);
        }
        let liked = offered.iter().filter_map(|(name, offer)| Some((self.liking(name)?, *offer)));
        let best = liked.fold(None, |best: Option<((f32, u8), T)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        });
        best.map(|(_, offer)| offer)
    }

    /// The weight of a media type and how exactly it is named: of the ranges that it is in, the most exact one counts.
    fn liking(&self, name: &str) -> Option<(f32, u8)> {
        let exactness = |range: &Range| range.exactness(name).map(|exactness| (exactness, range.weight));
        let (exactness, weight) = self.0.iter().filter_map(exactness).max_by(|one, other| one.0.cmp(&other.0))?;
        (weight > 0.0).then_some((weight, exactness))
    }
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let weight = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let weight = weight.map_or(Some(1.0), |(_, weight)| weight.trim().parse().ok().filter(|weight| (0.0..=1.0).contains(weight)));
        Some(Self { kind: kind.to_owned(), subtype: subtype.to_owned(), weight: weight.unwrap_or(0.0) })
    }

    /// How exactly it names a media type that is in it.
    fn exactness(&self, name: &str) -> Option<u8> {
        let (kind, subtype) = name.split_once('/')?;
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("*", "*") => Some(0),
            (ours, "*") if ours.eq_ignore_ascii_case(kind) => Some(1),
            (ours, rest) if ours.eq_ignore_ascii_case(kind) && rest.eq_ignore_ascii_case(subtype) => Some(2),
            _ => None,
        }
    }
}

impl FromRequest for Accepts {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()))))
    }
}

impl Describe for Accepts {
    fn describe(_: &mut Operation<'_>) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn best(accept: &str) -> Option<char> {
        let offered = [("application/x-ndjson", 'n'), ("application/ndjson", 'n'), ("text/csv", 'c')];
        Accepts::of(Some(accept).into_iter().filter(|text| !text.is_empty())).best(&offered)
    }

    #[test]
    fn the_best_of_what_is_offered_is_chosen() {
        for (accept, chosen) in [
            ("", Some('n')),
            ("*/*", Some('n')),
            ("application/*", Some('n')),
            ("text/*", Some('c')),
            ("Text/CSV; header=present; charset=utf-8", Some('c')),
            ("application/ndjson", Some('n')),
            ("text/html, text/csv;q=0.1", Some('c')),
            ("application/x-ndjson;q=0.5, text/csv", Some('c')),
            ("text/csv;q=0.5, application/x-ndjson;Q = 0.6", Some('n')),
            ("text/csv, */*", Some('c')),
            ("*/*, text/csv;q=0.9", Some('n')),
            ("application/*;q=0, */*;q=0.1", Some('c')),
            ("application/x-ndjson, text/csv", Some('n')),
            ("application/json", None),
            ("text/csv;q=0", None),
            ("text/csv;q=0.000", None),
            ("text/csv;q=nonsense", None),
            ("text/csv;q=NaN", None),
            ("*/csv", None),
        ] {
            assert_eq!(best(accept), chosen, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(accept in "[a-z*/;=, q.0-9]{0,60}") {
            let _ = best(&accept);
        }
    }
}

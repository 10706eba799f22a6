//! A tolerant look into JSON: what is not asked for is skipped, however deep, large or odd it is.
//!
//! A typed struct would refuse a real event for a doubled key, a number beyond `f64`, a lone surrogate or 128 nested arrays in some
//! field that nobody asked for. Refused events are sent again for days, so none of that is a reason.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::envelope::storable;

/// A place in a JSON text, or nothing. Asking nothing gives nothing, so that a path needs no check at each step.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Json<'a>(Option<&'a str>);

impl<'a> Json<'a> {
    /// The whole text; `None` when it is not JSON in UTF-8.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(body).ok()?;
        let whole: &RawValue = serde_json::from_str(text).ok()?;
        Some(Self(Some(whole.get())))
    }

    /// The fields of an object, each with the last of its values when it is there more than once.
    pub(crate) fn fields<const N: usize>(self, names: [&str; N]) -> [Self; N] {
        let found = self.0.and_then(|json| serde_json::Deserializer::from_str(json).deserialize_map(Pick(names)).ok());
        found.unwrap_or([None; N]).map(|value| Self(value.map(RawValue::get)))
    }

    /// One field of an object.
    pub(crate) fn at(self, name: &str) -> Self {
        let [field] = self.fields([name]);
        field
    }

    /// The first element of an array; anything else is itself.
    pub(crate) fn first(self) -> Self {
        let elements = self.0.and_then(|json| serde_json::from_str::<Vec<&RawValue>>(json).ok());
        elements.map_or(self, |elements| Self(elements.first().map(|first| first.get())))
    }

    /// The one of the two that is there and not null.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.0.is_none_or(|json| json == "null") { other } else { self }
    }

    /// A text that can be stored.
    pub(crate) fn text(self) -> Option<String> {
        storable(&serde_json::from_str::<String>(self.0?).ok()?)
    }

    /// An id: a text, a whole number, or the `id` of an object that stands in its place.
    pub(crate) fn id(self) -> Option<String> {
        self.scalar().or_else(|| self.at("id").scalar())
    }

    fn scalar(self) -> Option<String> {
        self.text().or_else(|| self.whole_number().map(|number| number.to_string()))
    }

    /// A flag.
    pub(crate) fn flag(self) -> Option<bool> {
        serde_json::from_str(self.0?).ok()
    }

    /// A time: unix seconds, or a text by RFC 3339.
    pub(crate) fn time(self) -> Option<DateTime<Utc>> {
        match self.whole_number() {
            Some(seconds) => DateTime::from_timestamp(seconds, 0),
            None => DateTime::parse_from_rfc3339(&self.text()?).ok().map(|time| time.to_utc()),
        }
    }

    fn whole_number(self) -> Option<i64> {
        serde_json::from_str(self.0?).ok()
    }
}

/// Keeps the named fields of an object and skips the others.
struct Pick<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Pick<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut found = [None; N];
        while let Some(place) = map.next_key_seed(Name(&self.0))? {
            match place.and_then(|place| found.get_mut(place)) {
                Some(slot) => *slot = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// Finds a key among the names asked for.
struct Name<'n>(&'n [&'n str]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json<'_> {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_not_asked_for_may_be_anything() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let odd = format!(r#"{{"a": {deep}, "b": 1e400, "c": "\ud800", "d": "\u0000", "i\u0064": "x", "a": {{}}}}"#);
        assert_eq!(json(&odd).at("id").text().as_deref(), Some("x"));
        assert_eq!(json(&odd).at("c").text(), None);
        assert_eq!(json(&odd).at("d").text(), None);
        assert_eq!(json(&odd).at("b").id(), None);
    }

    #[test]
    fn the_last_of_doubled_keys_counts() {
        assert_eq!(json(r#"{"id":"a","id":"b"}"#).at("id").text().as_deref(), Some("b"));
    }

    #[test]
    fn nothing_has_no_fields() {
        for text in ["null", "1", "[]", r#""text""#, r#"{"a":null}"#] {
            assert_eq!(json(text).at("a").at("b").id(), None, "{text}");
        }
    }

    #[test]
    fn an_id_may_be_expanded_or_a_number() {
        assert_eq!(json(r#"{"id":"cus_1"}"#).id().as_deref(), Some("cus_1"));
        assert_eq!(json("17").id().as_deref(), Some("17"));
        assert_eq!(json(r#"{"id":{"id":"deeper"}}"#).id(), None);
    }

    #[test]
    fn times_come_as_numbers_and_texts() {
        assert_eq!(json("1614265330").time(), json(r#""2021-02-25T15:02:10.000000Z""#).time());
        for wrong in ["9223372036854775807", r#""yesterday""#, "1.5", "null"] {
            assert_eq!(json(wrong).time(), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_json_is_nothing() {
        for wrong in ["", "{", "{}x", "\u{feff}{}", "nul", "{'a':1}"] {
            assert!(Json::parse(wrong.as_bytes()).is_none(), "{wrong:?}");
        }
        assert!(Json::parse(b"\"\xff\"").is_none());
    }
}

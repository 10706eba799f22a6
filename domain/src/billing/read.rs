//! Reads fields of Stripe's objects: what is absent may be absent, what is there must be what it should be.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, sync::LazyLock};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// The longest id or other short text, in bytes; Stripe promises ids of at most 255.
const SHORT_MAX: usize = 255;
/// The longest prose or address, in bytes.
const LONG_MAX: usize = 40_000;
/// The last second of the year 9999.
const SECONDS_MAX: i64 = 253_402_300_799;
/// The largest amount either way, in the smallest unit of a currency: within what JavaScript counts exactly.
const AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// The largest count: what the database's `integer` holds.
const COUNT_MAX: i64 = 2_147_483_647;
/// The most entries of metadata; Stripe allows 50.
const METADATA_MAX: usize = 100;

/// A field that is missing or absurd. It will be so at every further attempt too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// The field; names within it are joined with dots.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.why)
    }
}

impl std::error::Error for Malformed {}

type Result<T> = std::result::Result<T, Malformed>;

/// An object of Stripe's. Fields within fields are named by a path joined with dots.
#[derive(Clone, Copy)]
pub(super) struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    /// The object, if it is one and does not say to be of another kind.
    pub(super) fn of(value: &'a Value, kind: &str) -> Result<Self> {
        let object = Self(value.as_object().ok_or(Malformed { field: "object", why: "not an object" })?);
        match object.get("object") {
            Some(Value::String(said)) if said != kind => Err(Malformed { field: "object", why: "of another kind" }),
            _ => Ok(object),
        }
    }

    /// An object of any kind.
    pub(super) fn any(value: &'a Value, field: &'static str) -> Result<Self> {
        value.as_object().map(Self).ok_or(Malformed { field, why: "not an object" })
    }

    /// What is there; null is nothing.
    fn get(self, path: &str) -> Option<&'a Value> {
        let mut names = path.split('.');
        let first = self.0.get(names.next()?);
        names.fold(first, |value, name| value.and_then(|value| value.get(name))).filter(|value| !value.is_null())
    }

    /// A text that must be there: an id, or another short one.
    pub(super) fn required(self, field: &'static str) -> Result<String> {
        self.short(field)?.ok_or(Malformed { field, why: "missing" })
    }

    /// A short text; an empty one is none.
    pub(super) fn short(self, field: &'static str) -> Result<Option<String>> {
        self.text(field, SHORT_MAX)
    }

    /// A text of any sensible length; an empty one is none.
    pub(super) fn long(self, field: &'static str) -> Result<Option<String>> {
        self.text(field, LONG_MAX)
    }

    fn text(self, field: &'static str, max: usize) -> Result<Option<String>> {
        self.get(field).map(|value| text(value, field, max)).transpose().map(|text| text.filter(|text| !text.is_empty()))
    }

    /// The id of another object, which may stand there itself.
    pub(super) fn reference(self, field: &'static str) -> Result<Option<String>> {
        let id = self.get(field).map(|value| if value.is_object() { value.get("id").unwrap_or(&Value::Null) } else { value });
        id.map(|id| text(id, field, SHORT_MAX)).transpose().map(|id| id.filter(|id| !id.is_empty()))
    }

    /// A time in seconds since 1970.
    pub(super) fn time(self, field: &'static str) -> Result<Option<DateTime<Utc>>> {
        let seconds = self.number(field, 0..=SECONDS_MAX)?;
        Ok(seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)))
    }

    /// An amount of money in the smallest unit of its currency.
    pub(super) fn amount(self, field: &'static str) -> Result<Option<i64>> {
        self.number(field, -AMOUNT_MAX..=AMOUNT_MAX)
    }

    /// How many of something.
    pub(super) fn count(self, field: &'static str) -> Result<Option<u32>> {
        Ok(self.number(field, 0..=COUNT_MAX)?.and_then(|number| number.try_into().ok()))
    }

    fn number(self, field: &'static str, range: RangeInclusive<i64>) -> Result<Option<i64>> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let number = value.as_i64().ok_or(Malformed { field, why: "not a whole number" })?;
        if range.contains(&number) { Ok(Some(number)) } else { Err(Malformed { field, why: "out of range" }) }
    }

    /// Yes or no; what is absent is the default.
    pub(super) fn flag(self, field: &'static str, default: bool) -> Result<bool> {
        self.optional_flag(field).map(|flag| flag.unwrap_or(default))
    }

    /// Yes or no, if it says.
    pub(super) fn optional_flag(self, field: &'static str) -> Result<Option<bool>> {
        self.get(field).map(|value| value.as_bool().ok_or(Malformed { field, why: "neither true nor false" })).transpose()
    }

    /// The object that stands in this field; one without fields when there is none.
    pub(super) fn within(self, field: &str) -> Self {
        static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        Self(self.get(field).and_then(Value::as_object).unwrap_or(&NOTHING))
    }

    /// A three-letter currency code (ISO 4217), in lower case.
    pub(super) fn currency(self, field: &'static str) -> Result<String> {
        let code = self.required(field)?.to_ascii_lowercase();
        let fits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_lowercase());
        if fits { Ok(code) } else { Err(Malformed { field, why: "not a currency" }) }
    }

    /// A list; absent is empty.
    pub(super) fn list(self, field: &'static str, max: usize) -> Result<&'a [Value]> {
        let Some(value) = self.get(field) else { return Ok(&[]) };
        let list = value.as_array().ok_or(Malformed { field, why: "not a list" })?;
        if list.len() <= max { Ok(list) } else { Err(Malformed { field, why: "too long" }) }
    }

    /// The texts of a map; what is not a text is passed over.
    pub(super) fn texts(self, field: &'static str) -> Result<BTreeMap<String, String>> {
        let Some(value) = self.get(field) else { return Ok(BTreeMap::new()) };
        let map = value.as_object().ok_or(Malformed { field, why: "not an object" })?;
        if map.len() > METADATA_MAX {
            return Err(Malformed { field, why: "too long" });
        }
        let pairs = map.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        pairs.map(|(name, value)| Ok((checked(name, field, SHORT_MAX)?, checked(value, field, LONG_MAX)?))).collect()
    }
}

fn text(value: &Value, field: &'static str, max: usize) -> Result<String> {
    checked(value.as_str().ok_or(Malformed { field, why: "not a text" })?, field, max)
}

/// PostgreSQL cannot store NUL.
fn checked(text: &str, field: &'static str, max: usize) -> Result<String> {
    if text.len() > max {
        Err(Malformed { field, why: "too long" })
    } else if text.contains('\0') {
        Err(Malformed { field, why: "contains NUL" })
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn why<T: fmt::Debug>(result: Result<T>) -> &'static str {
        result.expect_err("refused").why
    }

    #[test]
    fn what_is_absurd_is_refused_by_name() {
        let value = json!({
            "id": "a\0b", "long": "x".repeat(256), "number": 5, "far": 253_402_300_800_i64, "minus": -1, "half": 0.5, "text": "1",
            "much": 1_000_000_000_000_001_i64, "money": "euro", "expanded": { "id": { "id": "x" } }, "bare": {}, "huge": 1e300,
        });
        let object = Object::any(&value, "object").expect("an object");
        assert_eq!(object.required("id"), Err(Malformed { field: "id", why: "contains NUL" }));
        assert_eq!(why(object.required("long")), "too long");
        assert_eq!(why(object.required("number")), "not a text");
        assert_eq!(why(object.required("absent")), "missing");
        assert_eq!(why(object.time("far")), "out of range");
        assert_eq!(why(object.time("minus")), "out of range");
        assert_eq!(why(object.time("half")), "not a whole number");
        assert_eq!(why(object.count("text")), "not a whole number");
        assert_eq!(why(object.count("huge")), "not a whole number");
        assert_eq!(why(object.count("much")), "out of range");
        assert_eq!(why(object.amount("much")), "out of range");
        assert_eq!(why(object.flag("number", false)), "neither true nor false");
        assert_eq!(why(object.currency("money")), "not a currency");
        assert_eq!(why(object.reference("expanded")), "not a text");
        assert_eq!(why(object.reference("bare")), "not a text");
        assert_eq!(why(object.reference("number")), "not a text");
        assert_eq!(why(object.list("number", 1)), "not a list");
        assert_eq!(why(object.texts("number")), "not an object");
        assert_eq!(object.required("id").expect_err("refused").to_string(), "id: contains NUL");
    }

    #[test]
    fn paths_pass_over_what_is_absent_or_null() {
        let value = json!({ "a": { "b": { "c": "x" }, "n": null }, "t": 1_700_000_000, "many": [1, 2] });
        let object = Object::any(&value, "object").expect("an object");
        assert_eq!(object.short("a.b.c"), Ok(Some("x".to_owned())));
        for absent in ["a.n", "a.n.x", "a.b.c.d", "x.y"] {
            assert_eq!(object.short(absent), Ok(None));
        }
        assert_eq!(object.time("t").map(|time| time.map(|time| time.timestamp())), Ok(Some(1_700_000_000)));
        assert_eq!(object.list("many", 2).map(<[Value]>::len), Ok(2));
        assert_eq!(why(object.list("many", 1)), "too long");
    }
}

//! What Stripe answers with, as it wrote it.

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, value::RawValue};

use super::Error;

/// An object of Stripe's: its id, and all of it as JSON, byte for byte.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its id: `cus_…`, `sub_…`.
    pub id: String,
    json: Box<RawValue>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Object {
    /// Its JSON.
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// The same, to look into. What JSON can hold and this cannot (numbers beyond 64 bits lose their digits) Stripe does not send.
    pub fn value(&self) -> Value {
        // It was parsed before, so that this cannot fail.
        serde_json::from_str(self.json()).unwrap_or_default()
    }

    /// Reads an answer that is one object.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(body).map_err(|_| Error::Garbage("it is no object with an id"))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let Named { id } = serde_json::from_str(json.get()).map_err(D::Error::custom)?;
        Ok(Self { id, json })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_kept_as_it_came() {
        let text = r#"{ "object":"customer","id": "cus_1",  "big": 1e400, "x": [1] }"#;
        let object = Object::parse(text.as_bytes()).expect("an object");
        assert_eq!((object.id.as_str(), object.json()), ("cus_1", text));
        for garbage in ["", "<html>", "[]", "{}", r#"{"id":7}"#, r#"{"id":"x"} x"#] {
            assert!(matches!(Object::parse(garbage.as_bytes()), Err(Error::Garbage(_))), "{garbage}");
        }
    }
}

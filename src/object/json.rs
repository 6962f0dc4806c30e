//! JSON text as a raw value that says just what the text says.
//!
//! serde_json's own reading of a `Value` takes a map whose first key is `$serde_json::private::RawValue` for one of its
//! marks, and parses the text below that key anew, with a depth limit of its own, and so on: an annotation of some kilobytes
//! overflows the stack, which ends the process. Here it is a key like any other, and one depth limit holds for the whole text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads a text.
pub fn read(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).map(|Plain(value)| value)
}

/// Reads a field, for `deserialize_with`.
pub fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Plain::deserialize(deserializer).map(|Plain(value)| value)
}

struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Plain, E> {
        Ok(Plain(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Plain, E> {
        Ok(Plain(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Plain, E> {
        Ok(Plain(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Plain, E> {
        Ok(Plain(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Plain, E> {
        Ok(Plain(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Plain, E> {
        Ok(Plain(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Plain, A::Error> {
        let mut items = Vec::new();
        while let Some(Plain(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Plain(items.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Plain, A::Error> {
        let mut entries = Map::new();
        while let Some((key, Plain(value))) = map.next_entry()? {
            entries.insert(key, value);
        }
        Ok(Plain(entries.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_serde_json_reads() {
        let text = r#"{"z":[null,true,-1,18446744073709551615,1.5,1e300,"\u00e4\n",{}],"a":{"b":1,"b":2},"":[]}"#;
        let value: Value = serde_json::from_str(text).expect("JSON");
        let plain = read(text).expect("JSON");
        assert_eq!(plain, value);
        assert_eq!(plain.to_string(), value.to_string(), "in the same order");
        for text in ["", "{", "[1,]", "{} {}", "1e400", "\"\\ud800\""] {
            let error = serde_json::from_str::<Value>(text).expect_err("no JSON");
            let plain = read(text).expect_err("no JSON");
            assert_eq!(plain.to_string(), error.to_string(), "{text}");
        }
    }

    #[test]
    fn a_mark_of_serde_json_is_a_key() {
        for mark in ["RawValue", "Number"] {
            let text = format!(r#"{{"$serde_json::private::{mark}":"[1]"}}"#);
            let value = read(&text).expect("JSON");
            assert_eq!(value.to_string(), text);
        }
    }
}

//! The leaves of the reading model: text, lists and maps that borrow, and that read `null` as empty, as Go does.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Text, borrowed from the request unless it holds escapes. `null` reads as empty.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(Leaf)? {
            Scalar::Text(text) => Ok(text),
            Scalar::Number(number) => Err(de::Error::invalid_type(
                de::Unexpected::Signed(number),
                &"a string",
            )),
        }
    }
}

/// A number, or text: a port, a count or percentage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scalar<'a> {
    /// A number.
    Number(i64),
    /// A name or percentage.
    Text(Text<'a>),
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Leaf)
    }
}

struct Leaf;

impl<'de> Visitor<'de> for Leaf {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Text(Cow::Owned(text.to_owned()))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        i64::try_from(number).map(Scalar::Number).map_err(|_| {
            de::Error::invalid_value(de::Unexpected::Unsigned(number), &"a smaller number")
        })
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Text::default()))
    }
}

/// A list. `null` reads as empty, and so does a `null` item.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'v, T> IntoIterator for &'v List<T> {
    type Item = &'v T;
    type IntoIter = std::slice::Iter<'v, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(64));
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(List(items))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(List::default())
            }
        }

        deserializer.deserialize_any(Items(PhantomData))
    }
}

/// Labels, sorted by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels<'a>(Vec<(Text<'a>, Text<'a>)>);

impl<'a> Labels<'a> {
    /// The value of a label.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Text<'a>> {
        self.0
            .binary_search_by(|(known, _)| (**known).cmp(key))
            .ok()
            .map(|index| &self.0[index].1)
    }

    /// Every label, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Entries::read(deserializer).map(|entries| Self(entries.texts))
    }
}

/// Annotations, sorted by key. kubectl's copy of the manifest stays unread until somebody asks for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations<'a> {
    texts: Labels<'a>,
    /// `kubectl.kubernetes.io/last-applied-configuration`, as JSON text in JSON text.
    pub last_applied: Option<Raw<'a>>,
}

/// The annotation that keeps the whole manifest of a client-side `kubectl apply`.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl<'a> Annotations<'a> {
    /// The value of an annotation other than [`LAST_APPLIED`].
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Text<'a>> {
        self.texts.get(key)
    }

    /// Every annotation but [`LAST_APPLIED`], by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter()
    }

    /// How much the annotations weigh against the API server's limit: bytes of keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let last_applied = self
            .last_applied
            .map_or(0, |raw| LAST_APPLIED.len() + raw.text().len());
        self.iter()
            .map(|(key, value)| key.len() + value.len())
            .sum::<usize>()
            + last_applied
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Annotations<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Entries::read(deserializer).map(|entries| Self {
            texts: Labels(entries.texts),
            last_applied: entries.last_applied,
        })
    }
}

struct Entries<'a> {
    texts: Vec<(Text<'a>, Text<'a>)>,
    last_applied: Option<Raw<'a>>,
}

impl<'a> Entries<'a> {
    fn read<'de: 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = deserializer.deserialize_any(EntriesVisitor(PhantomData))?;
        entries.texts.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(entries)
    }
}

struct EntriesVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for EntriesVisitor<'a> {
    type Value = Entries<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Entries {
            texts: Vec::with_capacity(map.size_hint().unwrap_or(8)),
            last_applied: None,
        };
        while let Some(key) = map.next_key::<Text<'a>>()? {
            if &*key == LAST_APPLIED {
                entries.last_applied = map.next_value()?;
            } else {
                entries.texts.push((key, map.next_value()?));
            }
        }
        Ok(entries)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Entries {
            texts: Vec::new(),
            last_applied: None,
        })
    }
}

/// JSON text that nobody has read yet.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(&'a RawValue);

impl<'a> Raw<'a> {
    /// The text.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.0.get()
    }
}

impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(Self)
    }
}

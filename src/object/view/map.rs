//! Labels and annotations of the reading model, and JSON that stays unread until somebody asks.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Text;

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
    /// The value of an annotation other than kubectl's copy of the manifest.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Text<'a>> {
        self.texts.get(key)
    }

    /// Whether an annotation has just this value.
    #[must_use]
    pub fn says(&self, key: &str, value: &str) -> bool {
        self.get(key).is_some_and(|found| *found == value)
    }

    /// Every annotation but kubectl's copy of the manifest, by key.
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
        // Of a key given twice the last one counts, as in Go.
        entries.texts.reverse();
        entries.texts.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.texts.dedup_by(|(one, _), (other, _)| one == other);
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

/// JSON text of something that is compared only by those who read it: any two are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept<'a>(Option<Raw<'a>>);

impl<'a> Kept<'a> {
    /// The text; empty where there is none.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.0.map_or("", Raw::text)
    }
}

impl PartialEq for Kept<'_> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Kept<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Raw::deserialize(deserializer).map(|raw| Self(Some(raw)))
    }
}

/// Whether something is there, whatever it holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Presence(bool);

impl Presence {
    /// Whether it is.
    #[must_use]
    pub fn is_there(self) -> bool {
        self.0
    }
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
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

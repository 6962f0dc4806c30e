//! An edit as data.

use serde::Serialize;
use serde_json::Value;

use super::Path;

/// An edit of one object, as a value; [`super::Draft::apply`] carries it out.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Puts a value at a place, making the objects above it where they are missing.
    Set {
        /// Where.
        at: Path,
        /// What.
        value: Value,
    },
    /// Adds an item to the end of a list, making the list where it is missing.
    Append {
        /// The list.
        list: Path,
        /// The item.
        value: Value,
    },
    /// Takes a value away.
    Remove {
        /// Where.
        at: Path,
    },
}

impl Change {
    /// Puts `value` at `at`.
    ///
    /// # Panics
    /// Where `value` has a map with keys that are not strings, which no Kubernetes type has.
    #[must_use]
    pub fn set(at: Path, value: impl Serialize) -> Self {
        Self::Set {
            at,
            value: json(value),
        }
    }

    /// Adds `value` to the end of `list`.
    ///
    /// # Panics
    /// As [`Change::set`].
    #[must_use]
    pub fn append(list: Path, value: impl Serialize) -> Self {
        Self::Append {
            list,
            value: json(value),
        }
    }

    /// The text that it writes, where that is what it writes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Set { value, .. } => value.as_str(),
            Self::Append { .. } | Self::Remove { .. } => None,
        }
    }

    /// The place that the edit touches: the value's, or the list's.
    #[must_use]
    pub fn at(&self) -> &Path {
        match self {
            Self::Set { at, .. } | Self::Remove { at } => at,
            Self::Append { list, .. } => list,
        }
    }
}

fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("Kubernetes types have string keys only, so they serialize")
}

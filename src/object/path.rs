//! One place in an object: a pointer for patches, a name for people.

use std::borrow::Cow;
use std::fmt;

use json_patch::jsonptr::{PointerBuf, Token};

/// One place in an object.
///
/// A step into a list carries the item's index and its name: [`Path::pointer`] prints the index, [`fmt::Display`] the
/// name (`spec.template.spec.containers[web].readinessProbe`), so that a message survives a reordering.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Path(Vec<Segment>);

/// One step of a [`Path`].
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Segment {
    /// A key of an object.
    Key(Cow<'static, str>),
    /// An item of a list.
    Item {
        /// Its position, from 0.
        index: usize,
        /// Its name, where it has one that no other item of the list has.
        name: Option<String>,
    },
}

impl Path {
    /// The place reached by these keys from the top of the object.
    #[must_use]
    pub fn of(keys: &[&'static str]) -> Self {
        Self(
            keys.iter()
                .map(|key| Segment::Key(Cow::Borrowed(key)))
                .collect(),
        )
    }

    /// The same place, one key deeper.
    #[must_use]
    pub fn key(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.0.push(Segment::Key(key.into()));
        self
    }

    /// The same place, one list item deeper; `name` only where it is the item's own in that list.
    #[must_use]
    pub fn item(mut self, index: usize, name: Option<String>) -> Self {
        self.0.push(Segment::Item { index, name });
        self
    }

    /// The steps from the top of the object.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The place as an RFC 6901 JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> PointerBuf {
        PointerBuf::from_tokens(self.0.iter().map(Segment::token))
    }

    /// Whether `self` is `outer` or lies below it.
    #[must_use]
    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }
}

impl Segment {
    /// The step as one token of a JSON pointer.
    pub(super) fn token(&self) -> Token<'_> {
        match self {
            Self::Key(key) => Token::new(key.as_ref()),
            Self::Item { index, .. } => Token::from(*index),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if key.contains(['.', '/']) => write!(f, "[{key}]")?,
                Segment::Key(key) if depth == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Item {
                    name: Some(name), ..
                } => write!(f, "[{name}]")?,
                Segment::Item { index, name: None } => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> Path {
        Path::of(&["spec", "template", "spec", "containers"])
            .item(1, Some("web".into()))
            .key("readinessProbe")
    }

    #[test]
    fn pointers_carry_indexes_and_people_see_names() {
        assert_eq!(
            probe().pointer().as_str(),
            "/spec/template/spec/containers/1/readinessProbe"
        );
        assert_eq!(
            probe().to_string(),
            "spec.template.spec.containers[web].readinessProbe"
        );
    }

    #[test]
    fn a_nameless_item_shows_its_index() {
        assert_eq!(
            Path::of(&["spec", "volumeClaimTemplates"])
                .item(0, None)
                .to_string(),
            "spec.volumeClaimTemplates[0]"
        );
    }

    #[test]
    fn keys_with_dots_and_slashes_are_bracketed_and_escaped() {
        let at = Path::of(&["metadata", "annotations"]).key("steadfast.dev/inject");
        assert_eq!(at.to_string(), "metadata.annotations[steadfast.dev/inject]");
        assert_eq!(
            at.pointer().as_str(),
            "/metadata/annotations/steadfast.dev~1inject"
        );
    }

    #[test]
    fn a_place_lies_within_its_parents_only() {
        assert!(probe().is_within(&Path::of(&["spec", "template"])));
        assert!(!Path::of(&["spec"]).is_within(&probe()));
    }
}

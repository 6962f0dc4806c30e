//! Who wrote a field: the user, or the API server that filled in a default.
//!
//! Both read the same in the object, and nearly everywhere that is right. Where it matters, `metadata.managedFields` and
//! kubectl's last-applied annotation tell, for the clients that leave such a trace. Neither is a security input.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::view::ObjectMeta;
use super::{Path, Segment, json};

/// Who wrote a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Author {
    /// The user.
    User,
    /// Nobody: the user left it out, and the API server filled it in.
    Server,
    /// It cannot be told; to be treated as the user's.
    Unknown,
}

/// What an object tells of who wrote it; read when it is first asked, and once.
pub struct Ownership<'m> {
    metadata: &'m ObjectMeta<'m>,
    managers: OnceCell<Vec<Manager<'m>>>,
    /// What kubectl applied last; none where it cannot be read.
    manifest: OnceCell<Option<Value>>,
}

/// What kubectl's client-side apply calls itself.
const KUBECTL_APPLY: &str = "kubectl-client-side-apply";

#[derive(Deserialize)]
struct Manager<'m> {
    #[serde(borrow, default)]
    manager: Cow<'m, str>,
    #[serde(borrow, default)]
    operation: Cow<'m, str>,
    #[serde(borrow, default, rename = "fieldsV1")]
    fields: Option<&'m RawValue>,
}

impl<'m> Ownership<'m> {
    /// Of the object with this metadata.
    #[must_use]
    pub fn of(metadata: &'m ObjectMeta<'m>) -> Self {
        Self {
            metadata,
            managers: OnceCell::new(),
            manifest: OnceCell::new(),
        }
    }

    /// Who wrote the field at `keys`, on CREATE.
    ///
    /// A server-side apply owns just what the user wrote. A client-side apply leaves the manifest in an annotation; the
    /// annotation alone could be a copy of another object's, so its manager must have written this one. Every other client
    /// owns the defaults too, and nothing can be told.
    #[must_use]
    pub fn author(&self, keys: &[&'static str]) -> Author {
        let (managers, at) = (self.managers(), Path::of(keys));
        if managers.is_empty() {
            return Author::Unknown;
        }
        if managers.iter().all(Manager::applies) {
            let owned = managers.iter().any(|manager| manager.owns(&at));
            return if owned { Author::User } else { Author::Server };
        }
        if managers
            .iter()
            .all(|manager| manager.manager == KUBECTL_APPLY)
        {
            self.last_applied(&at)
        } else {
            Author::Unknown
        }
    }

    /// Whether it is shown that whoever wrote the field at `beside` left out the one at `at`, on UPDATE.
    ///
    /// That nobody owns a field shows it only of a server-side apply: every other client owns what it changed, and a value
    /// that was there already is not changed by writing it once more. kubectl's annotation tells what was written all the
    /// same.
    #[must_use]
    pub fn is_left_out(&self, at: &Path, beside: &Path) -> bool {
        let managers = self.managers();
        if managers.iter().any(|manager| manager.owns(at)) {
            return false;
        }
        let mut authors = managers.iter().filter(|manager| manager.owns(beside));
        authors.any(|author| {
            author.applies()
                || author.manager == KUBECTL_APPLY
                    && self.last_applied(beside) == Author::User
                    && self.last_applied(at) == Author::Server
        })
    }

    /// Whether anybody applies the object server-side.
    #[must_use]
    pub fn is_applied_server_side(&self) -> bool {
        self.managers().iter().any(Manager::applies)
    }

    /// Whether it is shown that the user wrote the field at `at`, or something in it: a server-side apply owns it, or
    /// kubectl's manifest has it.
    #[must_use]
    pub fn is_written(&self, at: &Path) -> bool {
        let mut managers = self.managers().iter();
        let by_kubectl = || {
            let mut managers = self.managers().iter();
            managers.any(|manager| manager.manager == KUBECTL_APPLY)
        };
        managers.any(|manager| manager.applies() && manager.owns(at))
            || by_kubectl() && self.last_applied(at) == Author::User
    }

    /// Whether any manager owns the field at `at`: it was written by a user, or filled in for a client that says nothing about
    /// what it wrote. Where nothing is known of managers it is taken for owned.
    #[must_use]
    pub fn is_owned(&self, at: &Path) -> bool {
        let managers = self.managers();
        managers.is_empty() || managers.iter().any(|manager| manager.owns(at))
    }

    /// The managers; none where nothing is known of them.
    fn managers(&self) -> &[Manager<'m>] {
        self.managers.get_or_init(|| {
            let managers = self
                .metadata
                .managed_fields
                .map(|raw| serde_json::from_str(raw.text()));
            managers.and_then(Result::ok).flatten().unwrap_or_default()
        })
    }

    /// Who wrote the field by the manifest that kubectl applied last.
    fn last_applied(&self, at: &Path) -> Author {
        let manifest = self.manifest.get_or_init(|| {
            let raw = self.metadata.annotations.last_applied?;
            let text = serde_json::from_str::<String>(raw.text()).ok()?;
            json::read(&text).ok()
        });
        match manifest
            .as_ref()
            .map(|manifest| find(manifest, at.segments()))
        {
            None => Author::Unknown,
            Some(None | Some(Value::Null)) => Author::Server,
            Some(Some(_)) => Author::User,
        }
    }
}

impl Manager<'_> {
    fn applies(&self) -> bool {
        self.operation == "Apply"
    }

    /// Whether it owns the field or anything in it.
    fn owns(&self, at: &Path) -> bool {
        let reach = |fields: &RawValue| {
            Reach(at.segments()).deserialize(&mut serde_json::Deserializer::from_str(fields.get()))
        };
        self.fields
            .is_some_and(|fields| reach(fields).unwrap_or_default())
    }
}

/// Walks down a `fieldsV1` set, and tells whether it names the field or anything in it. A list's item is named by its key,
/// such as `k:{"name":"web"}`. Nothing beside the way is kept.
struct Reach<'p>(&'p [Segment]);

impl<'de> DeserializeSeed<'de> for Reach<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        match self.0 {
            [] => IgnoredAny::deserialize(deserializer).map(|_| true),
            _ => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Reach<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a set of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let Some((first, rest)) = self.0.split_first() else {
            return Ok(true);
        };
        let wanted = match first {
            Segment::Key(key) => Some(format!("f:{key}")),
            Segment::Item { name, .. } => name
                .as_ref()
                .map(|name| format!("k:{}", serde_json::json!({ "name": name }))),
        };
        let mut reaches = false;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if Some(&*key) == wanted.as_deref() {
                reaches = map.next_value_seed(Reach(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(reaches)
    }
}

/// The value in a manifest, its list items found by name.
fn find<'v>(here: &'v Value, segments: &[Segment]) -> Option<&'v Value> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(here);
    };
    let below = match first {
        Segment::Key(key) => here.get(key.as_ref())?,
        Segment::Item { name, .. } => {
            let mut items = here.as_array()?.iter();
            items.find(|item| item["name"].as_str() == name.as_deref())?
        }
    };
    find(below, rest)
}

#[cfg(test)]
mod tests;

//! The record: the annotation that says which leaves of an object are ours.
//!
//! It is deterministic (no time, no id), so that running on our own output changes nothing, and it never decides whether
//! an object is allowed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ownership::Ownership;
use super::probe::handler;
use super::view::StatefulSet;
use super::{Change, Path, Segment, json};

/// The annotation's key. It stands on the set, never on the pod template, where it would start a rollout.
pub const ANNOTATION: &str = "steadfast.dev/injected";

/// The API server's limit for all annotations of an object together, keys and values
/// (kubernetes/apimachinery `pkg/api/validation/objectmeta.go`, `TotalAnnotationSizeLimitB`).
pub const ANNOTATIONS_LIMIT: usize = 256 << 10;

/// The only version that this program writes. Records of other versions are left as they are.
const VERSION: u32 = 1;

/// What was injected into one object.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: u32,
    /// The leaves that were written, sorted by rule and place; also those that were given up.
    pub injected: Vec<Entry>,
}

/// One value that was written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The rule whose fix it was.
    pub rule: String,
    /// The container, by name, where the value is a container's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The workload of the catalogue that the value was for, where it was for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// The place, with names instead of indexes: an index may move, a name may not.
    pub path: String,
    /// The value; of a list, the items that were appended are one entry each.
    #[serde(deserialize_with = "json::plain")]
    pub value: Value,
    /// Whether it was given up. Such a probe is not put back; it is remembered since a rollback may bring it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lapsed: bool,
}

impl Entry {
    /// The entry of one edit; `None` where it wrote nothing. The finding's container counts where the edit was made in it.
    #[must_use]
    pub fn of(rule: &str, container: Option<&str>, change: &Change) -> Option<Self> {
        let (at, path, value) = match change {
            Change::Set { at, value } => (at, at.to_string(), value),
            // The item is found again by its name.
            Change::Append { list, value } => {
                (list, format!("{list}[{}]", item_name(value)?), value)
            }
            Change::Remove { .. } => return None,
        };
        let is_in = |container: &&str| {
            at.segments().iter().any(|segment| match segment {
                Segment::Item { name, .. } => name.as_deref() == Some(*container),
                Segment::Key(_) => false,
            })
        };
        let value = value.clone();
        Some(Self {
            rule: rule.to_owned(),
            container: container.filter(is_in).map(str::to_owned),
            workload: None,
            path,
            value,
            lapsed: false,
        })
    }

    /// The same, for a workload of the catalogue.
    #[must_use]
    pub fn of_workload(mut self, workload: Option<String>) -> Self {
        self.workload = workload;
        self
    }

    /// How it asks, where it is a probe.
    #[must_use]
    pub fn handler(&self) -> Option<&'static str> {
        handler(&self.value)
    }

    /// The entry as it stands in a value: with what was recorded or, where nobody owns that, with the numbers that another
    /// admission policy gave it. What the API server added does not count.
    fn standing_in(&self, value: &Value, is_nobody_s: impl Fn() -> bool) -> Option<Self> {
        if contains(value, &self.value) {
            return Some(self.clone());
        }
        let handler = self.handler().filter(|_| is_nobody_s())?;
        let mut standing = self.clone();
        for (field, recorded) in standing.value.as_object_mut()? {
            if field != handler {
                *recorded = value[field].clone();
            }
        }
        contains(value, &standing.value).then_some(standing)
    }

    /// The entry as it stands in an object.
    #[must_use]
    pub fn standing_in_object(&self, object: &Value, owners: &Ownership<'_>) -> Option<Self> {
        let places = self.places_in(object).into_iter();
        let mut standing =
            places.filter_map(|(at, value)| self.standing_in(value?, || !owners.is_owned(&at)));
        standing.next()
    }

    /// The entry with `value`, where that is the recorded one but for its port.
    #[must_use]
    pub fn on_its_port(&self, value: &Value) -> Option<Self> {
        let handler = self.handler()?;
        let mut ours = self.value.clone();
        if !ours[handler]["port"].is_null() {
            ours[handler]["port"] = value[handler]["port"].clone();
        }
        contains(value, &ours).then(|| Self {
            value: ours,
            lapsed: false,
            ..self.clone()
        })
    }

    /// Takes the value out of an object wherever it still is what was recorded, or that but for the port of a probe.
    pub fn take_out_of(&self, object: &mut Value) {
        let is_held = |value: &Value| {
            contains(value, &self.value) || self.is_probe() && self.on_its_port(value).is_some()
        };
        let places = self.places_in(object).into_iter();
        let held = places.filter(|(_, value)| value.is_some_and(is_held));
        let held: Vec<_> = held.map(|(at, _)| at.pointer()).collect();
        // From the end, since what is taken out of a list moves what stands behind it.
        for place in held.into_iter().rev() {
            place.delete(object);
        }
    }

    /// Whether it is a probe: the one thing of ours that may change over a set's life.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.path.starts_with("spec.template.") && self.path.ends_with("Probe")
    }

    /// The startup probe without which this may not be, where it is a liveness probe.
    #[must_use]
    pub fn guarded_by(&self) -> Option<Self> {
        let container = self.path.strip_suffix(".livenessProbe")?;
        Some(Self {
            path: format!("{container}.startupProbe"),
            ..self.clone()
        })
    }

    /// The same, given up.
    #[must_use]
    pub fn lapse(&self) -> Self {
        Self {
            lapsed: true,
            ..self.clone()
        }
    }

    /// The name of the claim template that the entry is about, if it is about one.
    #[must_use]
    pub fn claim(&self) -> Option<&str> {
        self.path.strip_prefix(CLAIMS)?.strip_suffix(']')
    }

    /// Whether the object still has the value; what the API server added to it does not count.
    #[must_use]
    pub fn holds_in(&self, object: &Value) -> bool {
        let found = self.places_in(object);
        found
            .iter()
            .any(|(_, value)| value.is_some_and(|value| contains(value, &self.value)))
    }

    /// Where the value stands in the object, or would: everything above it must be there. Without a container's name a number
    /// may be a position or a name, so there may be several.
    #[must_use]
    pub fn places_in<'v>(&self, object: &'v Value) -> Vec<(Path, Option<&'v Value>)> {
        let mut places = Vec::new();
        let by_name = self.container.is_some();
        find(object, &self.path, by_name, Path::default(), &mut places);
        places
    }
}

/// Where claim templates stand.
const CLAIMS: &str = "spec.volumeClaimTemplates[";

fn item_name(item: &Value) -> Option<&str> {
    let own = item.get("name");
    own.or_else(|| item.get("metadata")?.get("name"))?.as_str()
}

/// Finds the places written with names, such as `spec.template.spec.containers[web].readinessProbe`. Where the container has no
/// name, a number may be a position; and a name may have dots in it.
fn find<'v>(
    here: &'v Value,
    path: &str,
    by_name: bool,
    at: Path,
    found: &mut Vec<(Path, Option<&'v Value>)>,
) {
    if path.is_empty() {
        found.push((at, Some(here).filter(|value| !value.is_null())));
        return;
    }
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (key, rest) = path.split_at(end);
    let at = at.key(key.to_owned());
    let Some(below) = here.get(key) else {
        if rest.is_empty() {
            found.push((at, None));
        }
        return;
    };
    let Some(item) = rest.strip_prefix('[') else {
        return find(below, rest.trim_start_matches('.'), by_name, at, found);
    };
    let end = (item.strip_suffix(']').unwrap_or(item), "");
    let (name, rest) = item.split_once("].").unwrap_or(end);
    for (index, item) in below.as_array().into_iter().flatten().enumerate() {
        let is_it = item_name(item) == Some(name) || !by_name && index.to_string() == name;
        if is_it {
            let at = at.clone().item(index, Some(name.to_owned()));
            find(item, rest, by_name, at, found);
        }
    }
}

/// Whether `actual` has everything that `part` has.
#[must_use]
pub fn contains(actual: &Value, part: &Value) -> bool {
    match (actual, part) {
        (Value::Object(actual), Value::Object(part)) => part.iter().all(|(key, value)| {
            actual
                .get(key)
                .is_some_and(|actual| contains(actual, value))
        }),
        (Value::Array(actual), Value::Array(part)) => {
            actual.len() == part.len()
                && actual
                    .iter()
                    .zip(part)
                    .all(|(actual, part)| contains(actual, part))
        }
        (actual, part) => actual == part,
    }
}

/// What an object carries under [`ANNOTATION`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Carried {
    /// No record.
    None,
    /// A record that can be read.
    Record(Record),
    /// Something else, such as a record of a newer version: to be left as it is.
    Foreign,
}

impl Record {
    /// A record of these entries.
    #[must_use]
    pub fn new(mut injected: Vec<Entry>) -> Self {
        injected.sort_by(|one, other| (&one.rule, &one.path).cmp(&(&other.rule, &other.path)));
        Self {
            version: VERSION,
            injected,
        }
    }

    /// The names of the claim templates that were injected.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.injected.iter().filter_map(Entry::claim)
    }

    /// Reads the annotation's text. A longer one than can be stored is not ours, and nobody's time is spent on it.
    #[must_use]
    pub fn read(text: Option<&str>) -> Carried {
        let Some(text) = text else {
            return Carried::None;
        };
        let record = (text.len() <= ANNOTATIONS_LIMIT).then(|| serde_json::from_str::<Self>(text));
        match record {
            Some(Ok(record)) if record.version == VERSION => Carried::Record(record),
            _ => Carried::Foreign,
        }
    }

    /// The record on a set, if it has one that can be read.
    #[must_use]
    pub fn on(set: &StatefulSet<'_>) -> Option<Self> {
        match Self::read(Self::text_on(set)) {
            Carried::Record(record) => Some(record),
            Carried::None | Carried::Foreign => None,
        }
    }

    /// The annotation's text as it stands on a set.
    #[must_use]
    pub fn text_on<'v>(set: &'v StatefulSet<'_>) -> Option<&'v str> {
        set.metadata.annotations.get(ANNOTATION).map(|text| &**text)
    }

    /// The edit that makes the annotation say this, where it says something else. An empty record is none.
    #[must_use]
    pub fn change(&self, found: Option<&str>) -> Option<Change> {
        if self.injected.is_empty() {
            return found.map(|_| Change::Remove { at: Self::path() });
        }
        let text = self.text();
        (found != Some(&*text)).then(|| Change::set(Self::path(), text))
    }

    /// The annotation's text: compact JSON.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a record holds JSON")
    }

    /// The annotation's place.
    #[must_use]
    pub fn path() -> Path {
        Path::of(&["metadata", "annotations", ANNOTATION])
    }
}

#[cfg(test)]
mod tests;

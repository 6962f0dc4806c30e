//! The object while it is edited: raw JSON, and the log of what was done to it.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, Patch, PatchOperation, RemoveOperation};
use serde_json::{Map, Value};

use super::{Change, Path, Segment};

/// Reads the whole object as raw JSON; called at most once, with the first change.
pub type ReadRaw<'a> = dyn Fn() -> Result<Value, serde_json::Error> + 'a;

/// An object under edit. [`Draft::apply`] is the only writer, and what it wrote is logged as RFC 6902, so the patch and
/// the edited object cannot disagree. The raw JSON comes into being with the first change.
pub struct Draft<'a> {
    read: &'a ReadRaw<'a>,
    raw: Option<Value>,
    log: Vec<PatchOperation>,
}

/// Why a change could not be carried out. The object is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The object is text that reads as a view but not as a tree, such as one nested deeper than 128 levels.
    #[error("the object cannot be edited: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The place's parent is neither absent nor something that can hold it.
    #[error("{0} is not there to be written: its parent has another type")]
    NoSuchPlace(Path),
}

impl<'a> Draft<'a> {
    /// A draft of the object that `read` reads.
    #[must_use]
    pub fn new(read: &'a ReadRaw<'a>) -> Self {
        Self {
            read,
            raw: None,
            log: Vec::new(),
        }
    }

    /// Carries out one change and logs it; on an error nothing has changed.
    pub fn apply(&mut self, change: &Change) -> Result<(), ApplyError> {
        let raw = raw(self.read, &mut self.raw)?;
        let operation =
            operation(raw, change).ok_or_else(|| ApplyError::NoSuchPlace(change.at().clone()))?;
        json_patch::patch(raw, std::slice::from_ref(&operation))
            .map_err(|_| ApplyError::NoSuchPlace(change.at().clone()))?;
        self.log.push(operation);
        Ok(())
    }

    /// The object as it is now.
    pub fn object(&mut self) -> Result<&Value, ApplyError> {
        raw(self.read, &mut self.raw).map(|raw| &*raw)
    }

    /// The log as a patch, and the edited object where anything was done.
    #[must_use]
    pub fn finish(self) -> (Patch, Option<Value>) {
        let edited = self.raw.filter(|_| !self.log.is_empty());
        (Patch(self.log), edited)
    }
}

/// The raw JSON, read where it is not there yet.
fn raw<'r>(read: &ReadRaw<'_>, raw: &'r mut Option<Value>) -> Result<&'r mut Value, ApplyError> {
    match raw {
        Some(raw) => Ok(raw),
        none => Ok(none.insert(read()?)),
    }
}

/// The one operation that carries out `change`.
///
/// A patch that assumes a parent fails as a whole, so the nearest parent that is missing (or null, which Kubernetes reads
/// as missing) is added together with everything below it. `add` on a key that exists replaces it (RFC 6902, 4.1).
fn operation(raw: &Value, change: &Change) -> Option<PatchOperation> {
    let (at, value, list) = match change {
        Change::Remove { at } => {
            return Some(PatchOperation::Remove(RemoveOperation {
                path: at.pointer(),
            }));
        }
        Change::Set { at, value } => (at, value.clone(), false),
        Change::Append { list, value } => (list, value.clone(), true),
    };
    let mut here = raw;
    let mut pointer = PointerBuf::new();
    for (depth, segment) in at.segments().iter().enumerate() {
        if depth > 0 && here.is_null() {
            return nest(
                &at.segments()[depth..],
                if list {
                    Value::Array(vec![value])
                } else {
                    value
                },
            )
            .map(|value| add(pointer, value));
        }
        let below = match (here, segment) {
            (Value::Object(map), Segment::Key(key)) => {
                map.get(key.as_ref()).unwrap_or(&Value::Null)
            }
            (Value::Array(items), Segment::Item { index, .. }) => items.get(*index)?,
            _ => return None,
        };
        pointer.push_back(segment.token());
        here = below;
    }
    match (list, here) {
        (false, _) => Some(add(pointer, value)),
        (true, Value::Null) => Some(add(pointer, Value::Array(vec![value]))),
        (true, Value::Array(_)) => {
            pointer.push_back("-");
            Some(add(pointer, value))
        }
        (true, _) => None,
    }
}

/// `value` wrapped in the objects that `segments` name; a list item cannot be conjured up.
fn nest(segments: &[Segment], value: Value) -> Option<Value> {
    segments
        .iter()
        .rev()
        .try_fold(value, |value, segment| match segment {
            Segment::Key(key) => Some(Value::Object(Map::from_iter([(key.to_string(), value)]))),
            Segment::Item { .. } => None,
        })
}

fn add(path: PointerBuf, value: Value) -> PatchOperation {
    PatchOperation::Add(AddOperation { path, value })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after(before: &Value, changes: &[Change]) -> (Value, Value) {
        let read = || Ok(before.clone());
        let mut draft = Draft::new(&read);
        for change in changes {
            draft.apply(change).expect("the change fits");
        }
        let (patch, raw) = draft.finish();
        let mut patched = before.clone();
        json_patch::patch(&mut patched, &patch).expect("the log applies to what it was made from");
        assert_eq!(Some(&patched), raw.as_ref(), "the log and the object agree");
        (
            patched,
            serde_json::to_value(patch).expect("a patch is JSON"),
        )
    }

    #[test]
    fn missing_parents_come_with_one_operation() {
        let at = Path::of(&["metadata", "annotations"]).key("a/b");
        let (object, patch) = after(&json!({"metadata": {}}), &[Change::set(at, "x")]);
        assert_eq!(object, json!({"metadata": {"annotations": {"a/b": "x"}}}));
        assert_eq!(
            patch,
            json!([{"op": "add", "path": "/metadata/annotations", "value": {"a/b": "x"}}])
        );
    }

    #[test]
    fn null_reads_as_missing() {
        let list = Path::of(&["spec", "volumeClaimTemplates"]);
        let (object, _) = after(
            &json!({"spec": {"volumeClaimTemplates": null}}),
            &[Change::append(list.clone(), 1), Change::append(list, 2)],
        );
        assert_eq!(object, json!({"spec": {"volumeClaimTemplates": [1, 2]}}));
        let (object, _) = after(
            &json!({"spec": null}),
            &[Change::set(Path::of(&["spec", "serviceName"]), "web")],
        );
        assert_eq!(object, json!({"spec": {"serviceName": "web"}}));
    }

    #[test]
    fn neighbours_stay() {
        let at = Path::of(&["c"]).item(1, None).key("probe");
        let (object, _) = after(&json!({"c": [{"x": 1}, {"y": 2}]}), &[Change::set(at, 3)]);
        assert_eq!(object, json!({"c": [{"x": 1}, {"y": 2, "probe": 3}]}));
    }

    #[test]
    fn what_is_there_can_be_removed() {
        let at = Path::of(&["metadata", "annotations"]).key("a/b");
        let (object, _) = after(
            &json!({"metadata": {"annotations": {"a/b": "x", "c": "d"}}}),
            &[Change::Remove { at }],
        );
        assert_eq!(object, json!({"metadata": {"annotations": {"c": "d"}}}));
    }

    #[test]
    fn a_place_of_another_type_is_an_error_and_changes_nothing() {
        let read = || Ok(json!({"spec": 3, "c": []}));
        let mut draft = Draft::new(&read);
        for at in [
            Path::of(&["spec", "serviceName"]),
            Path::of(&["c"]).item(0, None).key("x"),
        ] {
            draft
                .apply(&Change::set(at.clone(), 1))
                .expect_err("there is no such place");
            draft
                .apply(&Change::Remove { at })
                .expect_err("there is nothing to remove");
        }
        assert!(draft.finish().0.is_empty());
    }
}

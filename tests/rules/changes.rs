//! What differs between two objects, told without the program's own patch.

use serde_json::Value;

/// One difference.
#[derive(Debug)]
pub(crate) enum Difference {
    /// The value is new: it was absent or null.
    Added(String, Value),
    /// Another value was here.
    Changed(String),
    /// A value was here.
    Removed(String),
}

/// Every difference. Lists are compared by position, so only what stands at a list's end counts as added.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(before, after, String::new(), &mut found);
    found
}

fn compare(before: &Value, after: &Value, at: String, found: &mut Vec<Difference>) {
    let step = |key: &str| step(&at, key);
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Null, after) => found.push(Difference::Added(at, after.clone())),
        (Value::Object(before), Value::Object(after)) => {
            let gone = before.keys().filter(|key| !after.contains_key(*key));
            found.extend(gone.map(|key| Difference::Removed(step(key))));
            for (key, value) in after {
                compare(
                    before.get(key).unwrap_or(&Value::Null),
                    value,
                    step(key),
                    found,
                );
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            found.extend(
                (after.len()..before.len())
                    .map(|index| Difference::Removed(step(&index.to_string()))),
            );
            for (index, value) in after.iter().enumerate() {
                compare(
                    before.get(index).unwrap_or(&Value::Null),
                    value,
                    step(&index.to_string()),
                    found,
                );
            }
        }
        _ => found.push(Difference::Changed(at)),
    }
}

/// Whether everything in `value`, which was added at `pointer`, lies within one of these places.
pub(crate) fn lies_within(pointer: &str, value: &Value, places: &[String]) -> bool {
    if places.iter().any(|place| is_within(pointer, place)) {
        return true;
    }
    // Parents that had to be made hold nothing else.
    let below = |key: &str, value: &Value| lies_within(&step(pointer, key), value, places);
    places.iter().any(|place| is_within(place, pointer))
        && match value {
            Value::Object(map) => map.iter().all(|(key, value)| below(key, value)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .all(|(index, value)| below(&index.to_string(), value)),
            _ => false,
        }
}

/// The pointer to what lies in `pointer` under `key`.
fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Whether `inner` is `outer` or below it.
pub(crate) fn is_within(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[test]
fn every_kind_of_difference_is_seen() {
    let before = serde_json::json!({"a": 1, "b": [1, 2], "c": {"d": null}, "gone": 1});
    let after = serde_json::json!({"a": 2, "b": [1, 2, 3], "c": {"d": {"e": 1}}});
    let seen = format!("{:?}", differences(&before, &after));
    assert_eq!(
        seen,
        r#"[Removed("/gone"), Changed("/a"), Added("/b/2", Number(3)), Added("/c/d", Object {"e": Number(1)})]"#
    );
    let inserted = differences(&serde_json::json!([1, 2]), &serde_json::json!([0, 1, 2]));
    assert!(
        matches!(inserted[0], Difference::Changed(_)),
        "an item put in front is no addition"
    );
}

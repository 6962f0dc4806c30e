//! The reading model reads in a text what the raw value of it holds.

use serde_json::Value;
use steadfast::object::json;
use steadfast::object::view::StatefulSet;

use super::once::gives_every_key_once;

/// Kept as text by the view, which is then compared by the letter.
const RAW: [&str; 2] = [
    "managedFields",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/// Holds the law.
pub fn hold(text: &str) {
    let view = StatefulSet::parse(text);
    if let Err(error) = &view {
        let pointer = error.pointer();
        assert!(!error.to_string().is_empty() && (pointer.is_empty() || pointer.starts_with('/')));
    }
    let Ok(mut value) = json::read(text) else {
        return;
    };
    if !gives_every_key_once(text) {
        return;
    }
    let written = value.to_string();
    let again = StatefulSet::parse(&written);
    assert_eq!(
        view.as_ref().map_err(|error| &error.at).err(),
        again.as_ref().map_err(|error| &error.at).err(),
        "{text}\nis {written}"
    );
    // Spaces and escapes of what is kept as text are not those of the first text.
    if without(&mut value, &RAW) {
        let written = value.to_string();
        let spaced = format!("{value:#}");
        let view = |text| StatefulSet::parse(text).ok();
        assert_eq!(view(&written), view(&spaced), "{written}");
    } else {
        assert_eq!(view.ok(), again.ok(), "{text}\nis {written}");
    }
}

/// Takes keys out, wherever they are; whether there were any.
fn without(value: &mut Value, keys: &[&str]) -> bool {
    let mut found = false;
    match value {
        Value::Object(map) => {
            let before = map.len();
            map.retain(|key, _| !keys.contains(&&**key));
            found = map.len() < before;
            for below in map.values_mut() {
                found |= without(below, keys);
            }
        }
        Value::Array(items) => {
            for below in items {
                found |= without(below, keys);
            }
        }
        _ => {}
    }
    found
}

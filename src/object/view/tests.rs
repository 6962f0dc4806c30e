//! The view is held against k8s-openapi: its schema, its types, and what the API server really sent.

// What is left out, a test says on the terminal.
#![allow(clippy::print_stdout)]

mod fixtures;
mod hostile;
mod schema;

use serde_json::Value;

use super::StatefulSet;

/// What a test needs of a view: its equality, without the text that it came from.
fn same(one: &Value, other: &Value) -> Result<(), String> {
    let (one, other) = (one.to_string(), other.to_string());
    let view = |text| StatefulSet::parse(text).map_err(|error| error.to_string());
    let (one, other) = (view(&one)?, view(&other)?);
    if one == other {
        return Ok(());
    }
    Err(format!("{one:#?}\nis not\n{other:#?}"))
}

/// Takes out what the view keeps as text, which is compared by the letter.
fn without_raw(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.shift_remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    object
}

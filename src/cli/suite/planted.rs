//! Keys that nobody knows, planted to see that they survive.

use anyhow::Result;
use json_patch::{AddOperation, PatchOperation};
use serde_json::Value;

use super::asked::{Ask, Ran, applied, text};
use super::request::Request;
use crate::admission::Phase;
use crate::object::record::contains;

/// What a patch may take away or replace with all that is in it: one-of structs, and the probes that were injected.
const WHOLE: [&str; 9] = [
    "updateStrategy",
    "rollingUpdate",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "exec",
    "grpc",
    "httpGet",
    "tcpSocket",
];

/// A key that no version of the API has.
pub(super) const PLANTED: &str = "planted-by-steadfast-test";

/// How the patch treats the same request with a key planted in every object of it, where that is wrong.
pub(super) fn lost(request: &Request, ran: &Ran, ask: &Ask<'_>) -> Result<Option<String>> {
    let (mut object, mut old) = (request.object().clone(), request.old_object().clone());
    plant(&mut object);
    plant(&mut old);
    let mut review = request.about(object.clone()).review;
    review["request"]["oldObject"] = old;
    let patch = ask(Phase::Mutate, &Request::new(review).text)?.patch;
    // What is restored from the old object brings its keys along.
    let mut bare = serde_json::to_value(&patch)?;
    uproot(&mut bare);
    if bare != serde_json::to_value(&ran.verdict.patch)? {
        return Ok(Some(format!(
            "with a key planted in every object the patch is another: {}",
            text(&patch)
        )));
    }
    for operation in &patch.0 {
        let at = operation.path();
        let last = at.as_str().rsplit('/').next().unwrap_or_default();
        let target = object.pointer(at.as_str());
        let holds = target.is_some_and(|target| target.is_object() || target.is_array());
        if holds && !WHOLE.contains(&last) && !keeps(operation, target) {
            return Ok(Some(format!(
                "{at} is replaced as a whole, and all that is in it"
            )));
        }
    }
    let mut bare = match applied(&object, &patch) {
        Ok(patched) => patched,
        Err(error) => return Ok(Some(format!("with planted keys the patch fails: {error}"))),
    };
    uproot(&mut bare);
    Ok((Some(&bare) != ran.patched.as_ref().ok())
        .then(|| "with a key planted in every object the patched set is another".to_owned()))
}

/// Whether a list is written that has all items of the one in its place, in their order.
fn keeps(operation: &PatchOperation, was: Option<&Value>) -> bool {
    let (PatchOperation::Add(AddOperation { value: is, .. }), Some(was)) = (operation, was) else {
        return false;
    };
    let (Value::Array(is), Value::Array(was)) = (is, was) else {
        return false;
    };
    let mut is = is.iter();
    was.iter().all(|was| is.any(|is| contains(is, was)))
}

fn plant(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(plant);
            map.insert(PLANTED.to_owned(), "kept".into());
        }
        Value::Array(items) => items.iter_mut().for_each(plant),
        _ => {}
    }
}

fn uproot(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove(PLANTED);
            map.values_mut().for_each(uproot);
        }
        Value::Array(items) => items.iter_mut().for_each(uproot),
        _ => {}
    }
}

//! What makes an answer lawful.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use steadfast::admission::{Answer, Phase};

/// The pointer to the annotation that says what was injected.
pub(crate) const RECORD: &str = "/metadata/annotations/steadfast.dev~1injected";

pub(crate) const PHASES: [Phase; 2] = [Phase::Mutate, Phase::Validate];

/// What is unlawful about an answer to `question`, if anything.
pub(crate) fn lawful(phase: Phase, question: &Value, answer: &Answer) -> Result<(), String> {
    let body: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("the answer is no JSON: {error}"))?;
    let (request, response) = (&question["request"], &body["response"]);
    let must = |holds: bool, law: &str| {
        if holds {
            Ok(())
        } else {
            Err(format!("{law}: {body}"))
        }
    };
    must(
        body["apiVersion"] == "admission.k8s.io/v1" && body["kind"] == "AdmissionReview",
        "it is a review of v1",
    )?;
    must(
        response["uid"] == request["uid"] && response["uid"] == answer.uid,
        "the uid is repeated",
    )?;
    must(
        response["allowed"] == answer.allowed,
        "the answer says what its body says",
    )?;
    must(
        answer.patched == response.get("patch").is_some(),
        "so it does of the patch",
    )?;
    must(
        response.get("patch").is_some() == (response["patchType"] == "JSONPatch"),
        "patch and type come together",
    )?;
    if answer.allowed {
        must(
            response.get("status").is_none(),
            "who is allowed has no status",
        )?;
    } else {
        let status = &response["status"];
        must(
            status["code"] == 403 && status["reason"] == "Forbidden",
            "a denial is 403 Forbidden",
        )?;
        must(
            status["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "a denial has a message",
        )?;
        must(phase == Phase::Validate, "only validate denies")?;
    }
    if let Some(patch) = response.get("patch") {
        must(phase == Phase::Mutate, "only mutate patches")?;
        let patched = applies(patch, &request["object"])?;
        match request["operation"].as_str() {
            Some("CREATE") => {}
            Some("UPDATE") => restores(&request["object"], &request["oldObject"], &patched)?,
            _ => return Err("only what is made or changed is patched".to_owned()),
        }
    }
    warnings(&response["warnings"])?;
    audit_annotations(&response["auditAnnotations"])
}

/// Whether a patched UPDATE has, outside metadata, only what the request or the old object has. A probe that was injected
/// may be derived anew.
fn restores(new: &Value, old: &Value, patched: &Value) -> Result<(), String> {
    let spec = |object: &Value| object.get("spec").cloned().unwrap_or_default();
    let empty = Value::Object(Map::new());
    let or_empty = |value: Value| {
        if value.is_null() {
            empty.clone()
        } else {
            value
        }
    };
    let recorded = old.pointer(RECORD).is_some();
    if is_from(
        &or_empty(spec(patched)),
        &or_empty(spec(new)),
        &spec(old),
        recorded,
    ) {
        Ok(())
    } else {
        Err("an UPDATE only restores".to_owned())
    }
}

fn is_from(patched: &Value, new: &Value, old: &Value, recorded: bool) -> bool {
    if patched == new || patched == old {
        return true;
    }
    match (patched, new) {
        (Value::Object(patched), Value::Object(new)) => patched.iter().all(|(key, value)| {
            let below = |map: Option<&Value>| map.cloned().unwrap_or_default();
            let (new, old) = (below(new.get(key)), below(old.get(key)));
            (recorded && key.ends_with("Probe")) || is_from(value, &new, &old, recorded)
        }),
        (Value::Array(patched), Value::Array(new)) if patched.len() == new.len() => {
            let mut items = patched.iter().zip(new).enumerate();
            items.all(|(index, (value, new))| {
                is_from(value, new, old.get(index).unwrap_or(&Value::Null), recorded)
            })
        }
        (Value::Array(patched), Value::Array(new)) => {
            let old = old.as_array().map_or(&[][..], Vec::as_slice);
            patched
                .iter()
                .all(|value| new.contains(value) || old.contains(value))
        }
        _ => false,
    }
}

/// The patch of an answer, as it is on the wire.
pub(crate) fn decoded(patch: &Value) -> Result<json_patch::Patch, String> {
    let bytes = STANDARD
        .decode(patch.as_str().unwrap_or_default())
        .map_err(|error| format!("base64: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("RFC 6902: {error}"))
}

/// Whether the patch decodes, applies, and changes something.
fn applies(patch: &Value, object: &Value) -> Result<Value, String> {
    let patch = decoded(patch)?;
    let mut patched = object.clone();
    json_patch::patch(&mut patched, &patch).map_err(|error| format!("{patch}: {error}"))?;
    if patched == *object {
        Err(format!("{patch} changes nothing"))
    } else {
        Ok(patched)
    }
}

/// The API server's budget, of which two answers share 4096 characters.
fn warnings(warnings: &Value) -> Result<(), String> {
    let warnings = warnings.as_array().into_iter().flatten();
    let warnings: Vec<_> = warnings
        .map(|text| text.as_str().unwrap_or_default())
        .collect();
    let printable = |text: &&str| {
        // A manifest is one word, and of use only whole.
        let limit = match text.matches(' ').count() {
            0 | 1 => 480,
            _ => 250,
        };
        !text.is_empty()
            && text.len() <= limit
            && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
    };
    if let Some(bad) = warnings.iter().find(|text| !printable(text)) {
        return Err(format!("a warning is too long or not printable: {bad:?}"));
    }
    let total: usize = warnings.iter().map(|text| text.len()).sum();
    if total < 2000 {
        Ok(())
    } else {
        Err(format!("the warnings have {total} characters"))
    }
}

/// The API server prefixes each key with the webhook's name and wants the rest to be a qualified name.
fn audit_annotations(annotations: &Value) -> Result<(), String> {
    let legal = |key: &str| {
        let mut bytes = key.bytes();
        bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
            && key.len() <= 63
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    for (key, value) in annotations.as_object().into_iter().flatten() {
        if !legal(key) || !value.is_string() {
            return Err(format!(
                "the API server refuses the audit annotation {key:?}: {value}"
            ));
        }
    }
    Ok(())
}

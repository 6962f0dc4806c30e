//! What makes an answer lawful, held against every review.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use steadfast::admission::{Answer, Phase, handle};
use steadfast::cluster::Unseen;
use steadfast::policy::PolicySet;
use steadfast::rule::ClusterView;

use crate::common::{altered, policy};
use crate::reviews::{all, bare_cluster, own};

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

/// Whether a patched UPDATE has, outside metadata, only what the request or the old object has.
fn restores(new: &Value, old: &Value, patched: &Value) -> Result<(), String> {
    fn is_from(patched: &Value, new: &Value, old: &Value) -> bool {
        patched == new
            || patched == old
            || match (patched, new) {
                (Value::Object(patched), Value::Object(new)) => {
                    patched.iter().all(|(key, value)| {
                        is_from(
                            value,
                            new.get(key).unwrap_or(&Value::Null),
                            old.get(key).unwrap_or(&Value::Null),
                        )
                    })
                }
                (Value::Array(patched), Value::Array(new)) if patched.len() == new.len() => {
                    let old = |index: usize| old.get(index).unwrap_or(&Value::Null);
                    patched
                        .iter()
                        .zip(new)
                        .enumerate()
                        .all(|(index, (value, new))| is_from(value, new, old(index)))
                }
                _ => false,
            }
    }
    let spec = |object: &Value| object.get("spec").cloned().unwrap_or_default();
    let empty = Value::Object(Map::new());
    let asked = if spec(new).is_null() {
        empty
    } else {
        spec(new)
    };
    if is_from(&spec(patched), &asked, &spec(old)) {
        Ok(())
    } else {
        Err("an UPDATE only restores".to_owned())
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
        !text.is_empty()
            && text.len() <= 250
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

fn answer(
    phase: Phase,
    policies: &PolicySet,
    cluster: &dyn ClusterView,
    question: &Value,
) -> Answer {
    handle(phase, policies, cluster, question.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{error}: {question}"))
}

#[test]
fn every_answer_is_lawful() {
    let (known, strict) = (bare_cluster(), policy(&json!({"profile": "strict"})));
    let (mut denied, mut patched) = (0, 0);
    for (name, question) in all() {
        for phase in PHASES {
            for policies in [&PolicySet::built_in(), &strict, &altered()] {
                for cluster in [&known as &dyn ClusterView, &Unseen] {
                    let answer = answer(phase, policies, cluster, &question);
                    lawful(phase, &question, &answer)
                        .unwrap_or_else(|law| panic!("{name}, {}: {law}", phase.as_str()));
                    denied += usize::from(!answer.allowed);
                    patched += usize::from(answer.patched);
                }
            }
        }
    }
    assert!(
        denied >= 6 && patched >= 12,
        "{denied} denied, {patched} patched: the laws were held against nothing"
    );
}

#[test]
fn the_same_bytes_get_the_same_bytes() {
    let (known, built_in) = (bare_cluster(), PolicySet::built_in());
    for (name, question) in all() {
        for phase in PHASES {
            let answers = [(); 2].map(|()| answer(phase, &built_in, &known, &question).body);
            assert_eq!(answers[0], answers[1], "{name}, {}", phase.as_str());
        }
    }
}

#[test]
fn a_dry_run_gets_the_same_answer() {
    let (known, built_in) = (bare_cluster(), PolicySet::built_in());
    for (name, question) in own() {
        let mut dry = question.clone();
        dry["request"]["dryRun"] = json!(true);
        for phase in PHASES {
            assert_eq!(
                answer(phase, &built_in, &known, &dry).body,
                answer(phase, &built_in, &known, &question).body,
                "{name}"
            );
        }
    }
}

#[test]
fn the_order_of_the_keys_does_not_matter() {
    let (known, built_in) = (bare_cluster(), PolicySet::built_in());
    for (name, question) in own() {
        let mut turned = question.clone();
        // The uid comes last, the objects before what they are.
        reverse(&mut turned);
        reverse(&mut turned["request"]);
        for phase in PHASES {
            assert_eq!(
                answer(phase, &built_in, &known, &turned).body,
                answer(phase, &built_in, &known, &question).body,
                "{name}"
            );
        }
    }
}

#[test]
fn a_denial_says_everything_at_once() {
    let question = crate::reviews::create(crate::reviews::DENIED);
    let answer = answer(Phase::Validate, &PolicySet::built_in(), &Unseen, &question);
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let message = body["response"]["status"]["message"]
        .as_str()
        .expect("a message");
    for words in [
        "default/db",
        "zero-grace-period",
        "\"tls-certs\"",
        "\"conf\"",
        "allow.steadfast.dev/dangling-volume-mount",
    ] {
        assert!(message.contains(words), "{words} is not in: {message}");
    }
    assert!(
        message.find("zero-grace-period") < message.find("dangling-volume-mount"),
        "in the order of the rules: {message}"
    );
    assert!(
        body["response"]["warnings"]
            .to_string()
            .contains("did you mean zero-grace-period?"),
        "{body}"
    );
}

#[test]
fn what_does_not_fit_into_the_warnings_is_counted() {
    let (_, question) = own()
        .into_iter()
        .find(|(name, _)| name == "create crowded")
        .expect("it is there");
    let answer = answer(Phase::Validate, &PolicySet::built_in(), &Unseen, &question);
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let warnings = body["response"]["warnings"].as_array().expect("warnings");
    let last = warnings.last().and_then(Value::as_str).expect("a warning");
    let counted: usize = last
        .trim_start_matches('+')
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect(last);
    // 60 readiness findings and one of the Service are shown at baseline; a long one goes on in a second warning.
    let shown = |warning: &&Value| {
        let text = warning.as_str().unwrap_or_default();
        text.contains("has no readiness probe") || text.contains("serviceName is empty")
    };
    assert_eq!(
        warnings.iter().filter(shown).count() + counted,
        61,
        "{last}"
    );
}

/// Turns the order of a map's keys.
fn reverse(map: &mut Value) {
    let map = map.as_object_mut().expect("a map");
    *map = std::mem::take(map).into_iter().rev().collect();
}

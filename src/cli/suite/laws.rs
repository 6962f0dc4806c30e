//! What holds for every test, unasked.

use anyhow::Result;

use super::asked::{Ask, Ran, text};
use super::format::PhaseName;
use super::planted;
use super::request::Request;
use crate::admission::Phase;

/// A law that was broken.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) law: &'static str,
    /// How it was.
    pub(super) found: String,
}

const APPLIES: &str = "the patch applies";
const ONCE: &str = "mutating twice changes nothing";
const IMMUTABLE: &str = "no immutable field is touched on UPDATE, but to restore it";
const SURVIVES: &str = "unknown keys survive";
const SILENT: &str = "validate never patches";

/// What the API server lets nobody change, in `spec`.
const FIELDS: [&str; 4] = [
    "serviceName",
    "volumeClaimTemplates",
    "selector",
    "podManagementPolicy",
];

/// The laws that were broken when `ask` answered `request` with `ran`.
pub(super) fn broken(
    request: &Request,
    ran: &Ran,
    phase: Option<PhaseName>,
    ask: &Ask<'_>,
) -> Result<Vec<Broken>> {
    let mut broken = Vec::new();
    let mut add = |law, found| broken.push(Broken { law, found });
    if !ran.patch_of_validate.is_empty() {
        add(
            SILENT,
            format!("it answered {}", text(&ran.patch_of_validate)),
        );
    }
    if phase == Some(PhaseName::Validate) || request.object().is_null() {
        return Ok(broken);
    }
    let patched = match &ran.patched {
        Ok(patched) => patched,
        Err(error) => {
            add(APPLIES, format!("{error}: {}", text(&ran.verdict.patch)));
            return Ok(broken);
        }
    };
    let again = ask(Phase::Mutate, &request.about(patched.clone()).text)?.patch;
    if !again.is_empty() {
        add(
            ONCE,
            format!("the second time it answered {}", text(&again)),
        );
    }
    for field in FIELDS.iter().filter(|_| request.is_update()) {
        let [before, after, old] =
            [request.object(), patched, request.old_object()].map(|object| &object["spec"][field]);
        if after != before && after != old {
            add(
                IMMUTABLE,
                format!("spec.{field} became {after}; stored is {old}"),
            );
        }
    }
    if let Some(found) = planted::lost(request, ran, ask)? {
        add(SURVIVES, found);
    }
    Ok(broken)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::suite::asked::{Answer, applied};
    use crate::cli::suite::planted::PLANTED;
    use json_patch::Patch;

    fn patch(operations: Value) -> Patch {
        serde_json::from_value(operations).expect("a patch")
    }

    fn update(object: &Value, old: &Value) -> Request {
        Request::new(
            json!({"request": {"operation": "UPDATE", "object": object, "oldObject": old}}),
        )
    }

    /// The laws that a webhook breaks which answers with `first`, and with `next` to its own output.
    fn laws(request: &Request, first: &Value, next: &Value) -> Vec<&'static str> {
        let answer = |operations: &Value| Answer {
            patch: patch(operations.clone()),
            ..Answer::default()
        };
        let ran = Ran {
            verdict: answer(first),
            patched: applied(request.object(), &patch(first.clone())),
            ..Ran::default()
        };
        let done = ran.patched.clone().unwrap_or_default().to_string();
        let ask = |_, text: &str| Ok(answer(if text.contains(&done) { next } else { first }));
        let broken = broken(request, &ran, None, &ask).expect("it runs");
        broken.into_iter().map(|broken| broken.law).collect()
    }

    #[test]
    fn a_good_webhook_breaks_none() {
        let request = update(
            &json!({"spec": {"replicas": 1, "selector": {"a": "b"}}}),
            &json!({"spec": {"replicas": 1, "serviceName": "web"}}),
        );
        let first = json!([{"op": "add", "path": "/spec/serviceName", "value": "web"}]);
        assert_eq!(laws(&request, &first, &json!([])), [""; 0]);
    }

    #[test]
    fn every_bad_webhook_is_caught() {
        let request = update(
            &json!({"spec": {"replicas": 1, "template": {"spec": {"a": 1}}}}),
            &json!({"spec": {"replicas": 1}}),
        );
        let none = json!([]);
        let add = |path: &str, value: Value| json!([{"op": "add", "path": path, "value": value}]);
        for (first, next, law) in [
            (add("/spec/none/deeper", json!(1)), &none, APPLIES),
            (
                add("/spec/replicas", json!(2)),
                &add("/spec/replicas", json!(3)),
                ONCE,
            ),
            (add("/spec/serviceName", json!("new")), &none, IMMUTABLE),
            (
                json!([{"op": "remove", "path": "/spec/template"}]),
                &none,
                SURVIVES,
            ),
            (
                add("/spec/template", json!({"spec": {"a": 1}, "b": 2})),
                &none,
                SURVIVES,
            ),
        ] {
            assert_eq!(laws(&request, &first, next), [law], "{first}");
        }
    }

    #[test]
    fn a_patch_that_hangs_on_unknown_keys_is_caught() {
        let request = update(&json!({"spec": {"replicas": 1}}), &Value::Null);
        let ran = Ran {
            patched: Ok(request.object().clone()),
            ..Ran::default()
        };
        let ask = |_, text: &str| {
            let operations = if text.contains(PLANTED) {
                json!([{"op": "add", "path": "/spec/x", "value": 1}])
            } else {
                json!([])
            };
            Ok(Answer {
                patch: patch(operations),
                ..Answer::default()
            })
        };
        let broken = broken(&request, &ran, None, &ask).expect("it runs");
        assert_eq!(broken[0].law, SURVIVES);
    }

    #[test]
    fn validate_is_silent() {
        let request = update(&json!({}), &Value::Null);
        let ran = Ran {
            patched: Ok(json!({})),
            patch_of_validate: patch(json!([{"op": "add", "path": "/a", "value": 1}])),
            ..Ran::default()
        };
        let ask = |_, _: &str| Ok(Answer::default());
        let broken = broken(&request, &ran, None, &ask).expect("it runs");
        assert_eq!(broken[0].law, SILENT);
    }
}

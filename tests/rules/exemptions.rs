//! How a set is left alone: by its own word, by its owner, and by waivers with a reason.

use json_patch::PatchOperation;
use serde_json::{Value, json};
use steadfast::engine::{self, Outcome, Verdict};
use steadfast::policy::PolicySet;
use steadfast::rules::find;

use crate::common::fixtures::{Shown, examples};
use crate::common::{
    RECORD, alone, annotate, cluster, document, documents, findings, judge, storage_classes,
};
use crate::trials::{everywhere, injects};

#[test]
fn a_set_that_declines_gets_nothing() {
    everywhere(|trial| {
        let mut object = trial.object().clone();
        annotate(&mut object, "steadfast.dev/inject", "false");
        let verdict = trial.admit(&object);
        // A record that is no longer true is taken off all the same.
        let tidies = |operation: &PatchOperation| {
            matches!(operation, PatchOperation::Remove(_)) && operation.path().as_str() == RECORD
        };
        let added = !verdict.patch.iter().all(tidies);
        assert!(!added && !injects(&verdict), "{trial}: {}", verdict.patch);
        annotate(&mut object, "steadfast.dev/inject", "true");
        assert!(
            findings(&verdict).len() >= findings(&trial.admit(&object)).len(),
            "{trial}: a finding is gone"
        );
    });
}

#[test]
fn an_operator_s_set_is_only_warned() {
    everywhere(|trial| {
        let mut object = trial.object().clone();
        let owner = json!({"apiVersion": "example.com/v1", "kind": "Database", "name": "db", "uid": "1", "controller": true});
        object["metadata"]["ownerReferences"] = json!([owner]);
        let verdict = trial.admit(&object);
        assert!(
            verdict.patch.is_empty() && !injects(&verdict),
            "{trial}: {}",
            verdict.patch
        );
        assert!(verdict.allowed(), "{trial}: {:?}", findings(&verdict));
    });
}

#[test]
fn an_owner_that_does_not_control_changes_nothing() {
    everywhere(|trial| {
        let mut object = trial.object().clone();
        if object["metadata"].get("ownerReferences").is_some() {
            return;
        }
        object["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "1"}]);
        assert_eq!(
            findings(&trial.admit(&object)),
            findings(&trial.admit(trial.object())),
            "{trial}"
        );
    });
}

/// A rule alone at level `deny`, and the set of its example.
struct Waivable {
    policy: PolicySet,
    object: Value,
    shown: Shown,
}

impl Waivable {
    fn all() -> impl Iterator<Item = Self> {
        examples().map(|shown| {
            let params = shown
                .example
                .params
                .as_ref()
                .map_or_else(|| json!({}), |text| document(&shown.name, text));
            Self {
                policy: alone(shown.rule, "deny", &params),
                object: document(&shown.name, &shown.example.before),
                shown,
            }
        })
    }

    fn admit(&self, object: &Value) -> Verdict {
        // What an example names is all there is.
        let beside = self.shown.example.cluster.as_ref().map_or_else(
            || storage_classes().to_vec(),
            |text| documents(&self.shown.name, text),
        );
        let old = self.shown.example.old.as_ref();
        let old = old.map(|text| document(&self.shown.name, text));
        judge(
            engine::admit,
            object,
            old.as_ref(),
            &self.policy,
            &cluster(&beside),
        )
    }

    /// The set with a waiver of this value, in its own annotations or in its template's.
    fn waived(&self, value: &str, on_template: bool) -> Value {
        let mut object = self.object.clone();
        let holder = if on_template {
            &mut object["spec"]["template"]
        } else {
            &mut object
        };
        annotate(
            holder,
            &format!("allow.steadfast.dev/{}", self.shown.rule),
            value,
        );
        object
    }
}

/// The outcomes of the findings on a container; of those on none, with `None`.
fn outcomes(verdict: &Verdict, container: Option<&str>) -> Vec<Outcome> {
    let about = verdict
        .judged
        .iter()
        .filter(|judged| judged.finding.container.as_deref() == container);
    about.map(|judged| judged.outcome).collect()
}

#[test]
fn a_waiver_with_a_reason_stops_fix_and_denial() {
    // Against the API server no annotation helps.
    let ours = |case: &Waivable| {
        let plain = case.admit(&case.object);
        plain.judged.iter().all(|judged| !judged.refused_anyway)
    };
    for case in Waivable::all().filter(ours) {
        let plain = case.admit(&case.object);
        assert!(
            plain
                .judged
                .iter()
                .all(|judged| judged.outcome >= Outcome::Injected),
            "{}: {:?}",
            case.shown.name,
            findings(&plain)
        );
        for on_template in [false, true] {
            let verdict = case.admit(&case.waived("we know what we do", on_template));
            let name = &case.shown.name;
            assert!(
                !injects(&verdict) && verdict.allowed(),
                "{name}: {:?}",
                findings(&verdict)
            );
            assert!(
                verdict
                    .judged
                    .iter()
                    .all(|judged| judged.outcome == Outcome::Waived),
                "{name}: {:?}",
                findings(&verdict)
            );
            assert!(
                !verdict.judged.is_empty(),
                "{name}: a waived finding is still a finding"
            );
        }
    }
}

#[test]
fn a_waiver_without_a_reason_stops_nothing() {
    for case in Waivable::all().filter(|case| case.shown.rule != "ineffective-annotation") {
        let plain = case.admit(&case.object);
        for value in ["", " ", "[]", "[db]", "[web,db] "] {
            let verdict = case.admit(&case.waived(value, false));
            assert_eq!(
                findings(&verdict),
                findings(&plain),
                "{}: {value:?}",
                case.shown.name
            );
        }
    }
}

#[test]
fn a_waiver_for_a_container_is_for_that_one_only() {
    let mut tried = 0;
    let is_about_containers =
        |case: &Waivable| find(case.shown.rule).is_some_and(|entry| entry.meta.per_container);
    // What an update displaces is named by the record, so a twin of it has no defect.
    let sets = Waivable::all()
        .filter(is_about_containers)
        .filter(|case| case.shown.example.old.is_none());
    for mut case in sets {
        let name = case.shown.name.clone();
        let claims = case.object["spec"]["volumeClaimTemplates"].clone();
        let is_claim = |volume: &Value| {
            let mut claims = claims.as_array().into_iter().flatten();
            claims.any(|claim| claim["metadata"]["name"] == *volume)
        };
        let Some(containers) = case
            .object
            .pointer_mut("/spec/template/spec/containers")
            .and_then(Value::as_array_mut)
        else {
            continue;
        };
        let (mut twin, own) = (
            containers[0].clone(),
            containers[0]["name"].as_str().expect(&name).to_owned(),
        );
        // The twin has the same defect, and if that is a mount of nothing, another.
        twin["name"] = json!("twin");
        let mounts = twin["volumeMounts"].as_array_mut().into_iter().flatten();
        for mount in mounts.filter(|mount| !is_claim(&mount["name"])) {
            mount["name"] = json!("journal");
        }
        containers.push(twin);
        let verdict = case.admit(&case.waived(&format!("[{own}] as it should be"), false));
        assert_eq!(
            outcomes(&verdict, Some(&own)),
            [Outcome::Waived],
            "{name}: {own}"
        );
        let twins = outcomes(&verdict, Some("twin"));
        assert!(
            matches!(twins[..], [Outcome::Injected | Outcome::Denied]),
            "{name}: twin: {twins:?}"
        );
        tried += 1;
    }
    assert!(tried >= 4, "only {tried} examples are about a container");
}

#[test]
fn a_waiver_for_a_container_is_not_for_what_concerns_none() {
    let mut tried = 0;
    for case in Waivable::all().filter(|case| case.shown.rule != "ineffective-annotation") {
        let plain = case.admit(&case.object);
        if plain
            .judged
            .iter()
            .any(|judged| judged.finding.container.is_some())
        {
            continue;
        }
        let verdict = case.admit(&case.waived("[web] it is web's", false));
        assert_eq!(findings(&verdict), findings(&plain), "{}", case.shown.name);
        tried += 1;
    }
    assert!(tried >= 4, "only {tried} examples are about no container");
}

//! What holds for whatever the rules do to any set.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use steadfast::engine::{Outcome, Verdict, mutate, validate};
use steadfast::object::Change;
use steadfast::policy::PolicySet;

use crate::changes::{Difference, differences, is_within, lies_within};
use crate::common::{RECORD, altered, findings, judge, outcome};
use crate::trials::{everywhere, injects};

#[test]
fn the_patch_makes_after_of_before() {
    everywhere(|trial| {
        let verdict = trial.admit(trial.object());
        let mut patched = trial.object().clone();
        json_patch::patch(&mut patched, &verdict.patch)
            .unwrap_or_else(|error| panic!("{trial}: {error}"));
        assert_eq!(
            patched,
            outcome(trial.object(), &verdict),
            "{trial}: the patch (left) and the patched object"
        );
        assert_eq!(
            injects(&verdict),
            patched != *trial.object(),
            "{trial}: it says what it does"
        );
        // A record in a manifest is said; one that cannot be kept up stops all injection, which is said, too.
        let carries_newer = trial.object()["metadata"]["name"] == "newer-record";
        let carries_one = trial.object().pointer(RECORD).is_some();
        assert!(
            verdict.notes.is_empty() || carries_one,
            "{trial}: {:?}",
            verdict.notes
        );
        assert!(
            !carries_newer || verdict.notes.len() == 2,
            "{trial}: {:?}",
            verdict.notes
        );
        assert!(
            !carries_newer || verdict.patch.is_empty(),
            "{trial}: a newer record is left as it is"
        );
    });
}

#[test]
fn a_second_time_changes_nothing() {
    everywhere(|trial| {
        let once = outcome(trial.object(), &trial.admit(trial.object()));
        let twice = judge(mutate, &once, None, trial.policy, trial.cluster);
        assert!(
            twice.patch.is_empty() && twice.patched.is_none(),
            "{trial}: the second time: {}",
            twice.patch
        );
        assert!(
            !injects(&twice),
            "{trial}: the fixed set has a finding with a fix: {:?}",
            findings(&twice)
        );
    });
}

#[test]
fn another_policy_does_not_touch_what_one_injected() {
    let policies = [PolicySet::built_in(), altered()];
    everywhere(|trial| {
        let first = trial.admit(trial.object());
        let once = outcome(trial.object(), &first);
        for policy in &policies {
            let second = judge(mutate, &once, None, policy, trial.cluster);
            for place in places(&first, &once)
                .iter()
                .filter(|place| *place != RECORD)
            {
                let touches = |path: &str| is_within(path, place) || is_within(place, path);
                let kept = !second
                    .patch
                    .iter()
                    .any(|operation| touches(operation.path().as_str()));
                assert!(
                    kept,
                    "{trial}: {place} was injected, and then: {}",
                    second.patch
                );
            }
        }
    });
}

#[test]
fn a_fix_makes_no_new_finding() {
    everywhere(|trial| {
        let left = |object: &Value| -> BTreeSet<_> {
            let judged = judge(validate, object, None, trial.policy, trial.cluster)
                .judged
                .into_iter();
            judged
                .map(|judged| {
                    (
                        judged.rule,
                        judged.finding.container,
                        judged.finding.subject,
                    )
                })
                .collect()
        };
        let (before, after) = (
            left(trial.object()),
            left(&outcome(trial.object(), &trial.admit(trial.object()))),
        );
        let new: Vec<_> = after.difference(&before).collect();
        assert!(
            new.is_empty(),
            "{trial}: the repaired set has new findings: {new:?}"
        );
    });
}

#[test]
fn what_nobody_knows_survives_everywhere() {
    everywhere(|trial| {
        let mut planted = trial.object().clone();
        plant(&mut planted);
        let plain = outcome(trial.object(), &trial.admit(trial.object()));
        let mut after = outcome(&planted, &trial.admit(&planted));
        for difference in differences(&planted, &after) {
            let kept = match &difference {
                Difference::Added(..) => true,
                Difference::Changed(at) | Difference::Removed(at) => {
                    is_within(at, RECORD) || was_filled_in(&planted, &difference)
                }
            };
            assert!(kept, "{trial}: {difference:?}");
        }
        weed(&mut after);
        assert_eq!(
            after, plain,
            "{trial}: with unknown keys planted (left) and without"
        );
    });
}

#[test]
fn nothing_is_touched_but_what_the_fixes_and_the_record_name() {
    everywhere(|trial| {
        let verdict = trial.admit(trial.object());
        let after = outcome(trial.object(), &verdict);
        let places = places(&verdict, &after);
        for difference in differences(trial.object(), &after) {
            match &difference {
                Difference::Added(at, value) => assert!(
                    lies_within(at, value, &places),
                    "{trial}: {at}: {value} is none of {places:?}"
                ),
                Difference::Changed(at) | Difference::Removed(at) if is_within(at, RECORD) => {}
                Difference::Changed(_) | Difference::Removed(_) => {
                    assert!(
                        was_filled_in(trial.object(), &difference),
                        "{trial}: {difference:?}"
                    );
                }
            }
        }
    });
}

#[test]
fn only_additions_are_made() {
    everywhere(|trial| {
        for operation in trial.admit(trial.object()).patch.iter() {
            let path = operation.path().as_str();
            match operation {
                json_patch::PatchOperation::Add(_) => {}
                json_patch::PatchOperation::Remove(_) => {
                    assert_eq!(path, RECORD, "{trial}: {operation}");
                }
                other => panic!("{trial}: {other}"),
            }
        }
    });
}

#[test]
fn the_same_question_gets_the_same_answer() {
    everywhere(|trial| {
        let (one, other) = (trial.admit(trial.object()), trial.admit(trial.object()));
        assert_eq!(format!("{one:?}"), format!("{other:?}"), "{trial}");
        assert_eq!(
            one.patched.map(|value| value.to_string()),
            other.patched.map(|value| value.to_string()),
            "{trial}"
        );
    });
}

/// Where the fixes and the record write: of an appended item, its place in `after`.
fn places(verdict: &Verdict, after: &Value) -> Vec<String> {
    let injected = verdict
        .judged
        .iter()
        .filter(|judged| judged.outcome == Outcome::Injected);
    let changes = injected
        .filter_map(|judged| judged.finding.fix.as_ref())
        .flat_map(|fix| &fix.changes);
    let mut places = vec![RECORD.to_owned()];
    for change in changes {
        let pointer = change.at().pointer().to_string();
        places.push(match change {
            Change::Append { value, .. } => {
                let list = after
                    .pointer(&pointer)
                    .and_then(Value::as_array)
                    .expect("the list");
                let index = list
                    .iter()
                    .position(|item| item == value)
                    .expect("the item");
                format!("{pointer}/{index}")
            }
            _ => pointer,
        });
    }
    places
}

/// Whether what is gone was the API server's: an empty serviceName, or its update strategy, replaced as a whole.
fn was_filled_in(before: &Value, difference: &Difference) -> bool {
    let (Difference::Added(at, _) | Difference::Changed(at) | Difference::Removed(at)) = difference;
    let (spec, strategy) = (&before["spec"], &before["spec"]["updateStrategy"]);
    (at == "/spec/serviceName" && spec["serviceName"] == "")
        || (is_within(at, "/spec/updateStrategy")
            && strategy["type"] == "RollingUpdate"
            && strategy["rollingUpdate"]["partition"] == 0)
}

const UNKNOWN: &str = "fromTheFuture.example/field";

/// Puts a field that nobody knows into every object; into maps of strings, a string.
fn plant(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(plant),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match (key.as_str(), &mut *value) {
                    (
                        "labels" | "annotations" | "matchLabels" | "nodeSelector",
                        Value::Object(strings),
                    ) => {
                        strings.insert(UNKNOWN.to_owned(), json!("kept"));
                    }
                    _ => plant(value),
                }
            }
            map.insert(
                UNKNOWN.to_owned(),
                json!({"deep": [1, null, {"name": ""}], "": "~/"}),
            );
        }
        _ => {}
    }
}

/// Takes out what [`plant`] put in.
fn weed(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(weed),
        Value::Object(map) => {
            map.shift_remove(UNKNOWN);
            map.values_mut().for_each(weed);
        }
        _ => {}
    }
}

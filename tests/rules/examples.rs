//! Every example in the head of a rule is true.

use serde_json::{Value, json};
use steadfast::cluster::{Manifests, Unseen};
use steadfast::engine::{self, Judged, Outcome, Verdict};
use steadfast::policy::PolicySet;
use steadfast::rule::ClusterView;

use crate::common::fixtures::{Shown, examples};
use crate::common::{Call, RECORD, alone, cluster, document, documents, judge, outcome};

/// An example, ready to be judged by its rule alone.
struct Case {
    old: Option<Value>,
    before: Value,
    after: Value,
    policy: PolicySet,
    cluster: Option<Manifests>,
}

impl Case {
    fn of(shown: &Shown) -> Self {
        let Shown {
            rule,
            name,
            example,
        } = shown;
        let params = example
            .params
            .as_ref()
            .map_or_else(|| json!({}), |text| document(name, text));
        Self {
            old: example.old.as_ref().map(|text| document(name, text)),
            before: document(name, &example.before),
            after: document(name, &example.after),
            policy: alone(rule, "warn", &params),
            cluster: example
                .cluster
                .as_ref()
                .map(|text| cluster(&documents(name, text))),
        }
    }

    fn admit(&self, object: &Value) -> Verdict {
        self.judge(engine::admit, object)
    }

    fn judge(&self, call: Call, object: &Value) -> Verdict {
        let known = self
            .cluster
            .as_ref()
            .map(|manifests| manifests as &dyn ClusterView);
        judge(
            call,
            object,
            self.old.as_ref(),
            &self.policy,
            known.unwrap_or(&Unseen),
        )
    }
}

#[test]
fn the_rule_finds_something_before() {
    for shown in examples() {
        let case = Case::of(&shown);
        let verdict = case.admit(&case.before);
        assert!(
            !verdict.judged.is_empty(),
            "{}: {} finds nothing in before",
            shown.name,
            shown.rule
        );
        assert!(
            verdict
                .judged
                .iter()
                .all(|judged| judged.rule == shown.rule),
            "{}: the rule was to be alone",
            shown.name
        );
    }
}

#[test]
fn the_fix_makes_after_of_before() {
    let mut fixed = 0;
    for shown in examples() {
        let case = Case::of(&shown);
        let judged = case.admit(&case.before).judged;
        let mut repairs = judged.iter().filter_map(|one| one.finding.fix.as_ref());
        let Some(fix) = repairs.next() else {
            continue;
        };
        let repaired = outcome(&case.before, &case.judge(engine::repair, &case.before));
        assert_eq!(
            repaired, case.after,
            "{}: in the manifest {} makes another after (left)",
            shown.name, shown.rule
        );
        if fix.in_manifest_only {
            continue;
        }
        let after = without_record(
            outcome(&case.before, &case.admit(&case.before)),
            &case.before,
        );
        assert_eq!(
            after, case.after,
            "{}: {} makes another after (left)",
            shown.name, shown.rule
        );
        fixed += 1;
    }
    assert!(fixed >= 7, "only {fixed} examples have a fix");
}

#[test]
fn nothing_is_left_after() {
    for shown in examples() {
        let case = Case::of(&shown);
        let left = case.admit(&case.after).judged;
        let left: Vec<_> = left
            .iter()
            .filter(|judged| judged.outcome != Outcome::Waived)
            .map(Judged::sentence)
            .collect();
        assert_eq!(
            left, [""; 0],
            "{}: {} finds something in after",
            shown.name, shown.rule
        );
    }
}

#[test]
fn a_rule_that_speaks_of_a_fix_has_one_and_says_what_it_did() {
    for shown in examples() {
        let case = Case::of(&shown);
        for judged in case.admit(&case.before).judged {
            let (finding, name) = (&judged.finding, &shown.name);
            let words = [&finding.message, &finding.why, &finding.remedy];
            assert!(
                words.iter().all(|text| !text.trim().is_empty()),
                "{name}: a finding says what, why and what to do: {finding:?}"
            );
            if let Some(fix) = &finding.fix {
                assert!(
                    !fix.done.is_empty() && !fix.changes.is_empty(),
                    "{name}: a fix does something and says so: {fix:?}"
                );
                assert_eq!(
                    judged.outcome == Outcome::Injected,
                    !fix.in_manifest_only,
                    "{name}: the fix is carried out, in a cluster or in the manifest"
                );
            }
        }
    }
}

/// The object without the record, and without what had to be made to hold it.
fn without_record(mut object: Value, before: &Value) -> Value {
    let mut pointer = RECORD;
    while before.pointer(pointer).is_none()
        && object
            .pointer(pointer)
            .is_some_and(|value| pointer == RECORD || value == &json!({}))
    {
        let (parent, key) = pointer.rsplit_once('/').expect("below the top");
        let map = object
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .expect("a map");
        map.shift_remove(&key.replace("~1", "/"));
        pointer = parent;
    }
    object
}

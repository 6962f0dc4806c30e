//! The laws of an update: it is never refused, nothing is added to it, and it gets back what it dropped.

use serde_json::{Value, json};
use steadfast::engine::{mutate, validate};

use crate::common::{RECORD, findings, judge, outcome};
use crate::trials::{everywhere, injects};

#[test]
fn an_update_introduces_nothing() {
    everywhere(|trial| {
        let bare = json!({"metadata": trial.object()["metadata"], "spec": {}});
        for old in [trial.object(), &bare] {
            let verdict = judge(
                mutate,
                trial.object(),
                Some(old),
                trial.policy,
                trial.cluster,
            );
            // A record that is not true, or that the old object does not have, is none.
            let tidies =
                |operation: &json_patch::PatchOperation| operation.path().as_str() == RECORD;
            assert!(
                verdict.patch.iter().all(tidies),
                "{trial}: {}",
                verdict.patch
            );
            assert!(
                !injects(&verdict) && verdict.allowed(),
                "{trial}: {:?}",
                findings(&verdict)
            );
        }
    });
}

#[test]
fn the_author_s_manifest_put_over_its_repaired_self_gives_back_the_repaired_one() {
    everywhere(|trial| {
        let repaired = outcome(trial.object(), &trial.admit(trial.object()));
        let verdict = judge(
            mutate,
            trial.object(),
            Some(&repaired),
            trial.policy,
            trial.cluster,
        );
        let put = outcome(trial.object(), &verdict);
        // A set that the API server refuses cannot be put over anything.
        if !has_own_names(trial.object()) {
            return;
        }
        let spec = |object: &Value| {
            let mut spec = object.get("spec").cloned().unwrap_or_else(|| json!({}));
            // Mutable, and for the author to say: a PUT without a strategy asks for the API server's default.
            spec.as_object_mut()
                .and_then(|spec| spec.remove("updateStrategy"));
            spec
        };
        assert_eq!(
            spec(&put),
            spec(&repaired),
            "{trial}: what is stored after the PUT, and before"
        );
        let again = judge(mutate, &put, Some(&repaired), trial.policy, trial.cluster);
        assert!(
            again.patch.is_empty(),
            "{trial}: a second time: {}",
            again.patch
        );
        assert!(
            !injects(&verdict) && verdict.allowed(),
            "{trial}: {:?}",
            findings(&verdict)
        );
    });
}

/// Whether each container has a name of its own.
fn has_own_names(object: &Value) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    let containers = object["spec"]["template"]["spec"]["containers"].as_array();
    containers.into_iter().flatten().all(|container| {
        container["name"]
            .as_str()
            .is_some_and(|name| !name.is_empty() && seen.insert(name))
    })
}

#[test]
fn what_is_being_deleted_passes_untouched() {
    everywhere(|trial| {
        let mut old = trial.object().clone();
        old["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
        for call in [mutate, validate] {
            let verdict = judge(
                call,
                trial.object(),
                Some(&old),
                trial.policy,
                trial.cluster,
            );
            assert!(
                verdict.judged.is_empty() && verdict.patch.is_empty(),
                "{trial}: {:?}",
                findings(&verdict)
            );
        }
    });
}

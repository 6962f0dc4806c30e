//! What holds for a repaired manifest, and for the text that it is written in.

use similar::{ChangeTag, TextDiff};
use steadfast::admission;
use steadfast::cluster::DEFAULT_NAMESPACE;
use steadfast::engine::{admit, repair};
use steadfast::object::yaml::{self, Edit};
use steadfast::policy::PolicySet;

use crate::common::fixtures::{examples, files};
use crate::common::{RECORD, cluster, judge, outcome, storage_classes};
use crate::trials::{everywhere, injects};

#[test]
fn a_repaired_manifest_has_nothing_to_repair_and_no_record() {
    everywhere(|trial| {
        let call = |call, object| judge(call, object, None, trial.policy, trial.cluster);
        let once = outcome(trial.object(), &call(repair, trial.object()));
        let twice = call(repair, &once);
        assert!(twice.patch.is_empty(), "{trial}: {}", twice.patch);
        assert_eq!(once.pointer(RECORD), None, "{trial}");
        let in_cluster = call(admit, &once);
        assert!(!injects(&in_cluster), "{trial}: {}", in_cluster.patch);
    });
}

#[test]
fn a_stored_set_takes_what_its_repaired_manifest_says() {
    everywhere(|trial| {
        let call = |call, object, old| judge(call, object, Some(old), trial.policy, trial.cluster);
        let once = outcome(
            trial.object(),
            &call(repair, trial.object(), trial.object()),
        );
        for field in ["serviceName", "volumeClaimTemplates", "selector"] {
            assert_eq!(
                once["spec"][field],
                trial.object()["spec"][field],
                "{trial}: {field} can never change"
            );
        }
    });
}

/// Texts as people write them: the examples, the lab, and what lies beside the repository.
fn texts() -> Vec<(String, String)> {
    let folders = ["tests/lab", "tests/common", "../shared/corpus"];
    let mut texts: Vec<_> = folders
        .iter()
        .flat_map(|folder| files(folder, "yaml"))
        .collect();
    texts.extend(examples().map(|shown| (shown.name, shown.example.before)));
    // A last line without an end gets one when something comes below it.
    for (_, text) in texts.iter_mut().filter(|(_, text)| !text.ends_with('\n')) {
        text.push('\n');
    }
    texts
}

/// A text with all its sets repaired, one after the other.
fn repaired(name: &str, text: &str, policies: &PolicySet) -> Option<String> {
    let documents = yaml::read(name, text).ok()?;
    let (values, classes) = (documents.iter().map(|one| &one.value), storage_classes());
    let cluster = cluster(values.clone().chain(&classes));
    let mut edited = text.to_owned();
    let is_set = |value: &serde_json::Value| {
        // An example says only what matters of it.
        value["kind"] == "StatefulSet" || value["kind"].is_null()
    };
    for (document, value) in values.enumerate().filter(|(_, value)| is_set(value)) {
        let verdict =
            admission::at_hand(repair, policies, &cluster, DEFAULT_NAMESPACE, value, None).ok()?;
        let edit = Edit {
            document,
            pointer: String::new(),
            patch: verdict.patch,
        };
        edited =
            yaml::edit(name, &edited, &[edit]).unwrap_or_else(|error| panic!("{name} {error}"));
    }
    Some(edited)
}

#[test]
fn what_is_not_touched_in_a_text_stays_as_it_is_written() {
    let policies = PolicySet::built_in();
    let mut longer = 0;
    for (name, text) in texts() {
        let Some(edited) = repaired(&name, &text, &policies) else {
            continue;
        };
        longer += usize::from(edited.len() > text.len());
        let diff = TextDiff::from_lines(&text, &edited);
        let gone = diff
            .iter_all_changes()
            .filter(|line| line.tag() == ChangeTag::Delete);
        for line in gone.map(|change| change.value()) {
            // Only a line that is itself a collection, or says that there is nothing, may be written anew.
            let says_nothing = [": null", ": ~", ":", ": \"\"", ": ''"];
            let is_replaced = line.contains(['{', '['])
                || says_nothing
                    .iter()
                    .any(|end| line.trim_end().ends_with(end));
            assert!(is_replaced, "{name}: {line:?} is gone\n{edited}");
            assert!(
                !line.contains('#'),
                "{name}: {line:?} is gone with its comment"
            );
        }
        let again = repaired(&name, &edited, &policies);
        assert_eq!(again.as_deref(), Some(&*edited), "{name}: the second time");
    }
    assert!(longer > 20, "only {longer} texts were repaired");
}

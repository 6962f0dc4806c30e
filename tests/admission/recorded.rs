//! The reviews that a real API server sent, each held against its row in `recorded.yaml`: what is patched, what the set is
//! then, and what is said of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use steadfast::admission::{Answer, Phase, handle};
use steadfast::engine::Judged;
use steadfast::object::record::{Carried, Entry, Record};
use steadfast::policy::PolicySet;

use crate::common::fixtures::reviews;
use crate::common::lawful::{decoded, lawful};
use crate::common::{RECORD, document};
use crate::reviews::bare_cluster;

/// What must come of a recording. What is left out is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Row {
    /// The operations of `/mutate`, in order: `add /pointer`.
    patched: Vec<String>,
    /// What it says: outcome, rule and container.
    said: Vec<String>,
    /// What `/validate` says of what came out.
    left: Vec<String>,
    /// Where the spec that comes out of an UPDATE differs from the stored one, by pointer; null where it has nothing.
    spec: BTreeMap<String, Value>,
}

/// The rows, by recording.
fn rows() -> BTreeMap<String, Row> {
    let table = document("recorded.yaml", include_str!("recorded.yaml"));
    serde_json::from_value(table).unwrap_or_else(|error| panic!("recorded.yaml: {error}"))
}

/// The recordings by name, their records in our format; none where they are not there.
fn recordings() -> BTreeMap<String, Value> {
    let name = |path: String| {
        let file = path.rsplit('/').next().unwrap_or_default();
        file.trim_end_matches(".json").to_owned()
    };
    let recordings = reviews().into_iter();
    recordings
        .map(|(path, question)| (name(path), translated(question)))
        .collect()
}

/// The same review with our record in place of the recorder's, which was a prototype of another format.
fn translated(mut question: Value) -> Value {
    let request = &question["request"];
    let stored = if request["oldObject"].is_null() {
        "object"
    } else {
        "oldObject"
    };
    let Some(record) = record_of(&request[stored]) else {
        return question;
    };
    for side in ["object", "oldObject"] {
        let there = format!("/request/{side}{RECORD}");
        if let Some(text) = question.pointer_mut(&there) {
            *text = Value::from(record.text());
        }
    }
    question
}

/// What the prototype's record names, with the values that stand in the set.
fn record_of(set: &Value) -> Option<Record> {
    let text = set.pointer(RECORD)?.as_str()?;
    let named: Value = serde_json::from_str(text).expect("the prototype wrote JSON");
    let entry = |rule: &str, container: Option<&str>, path: String| {
        let mut entry = Entry {
            workload: None,
            rule: rule.to_owned(),
            container: container.map(str::to_owned),
            path,
            value: Value::Null,
            lapsed: false,
        };
        let value = entry.places_in(set).first().and_then(|(_, value)| *value);
        entry.value = value.expect("what was injected is there").clone();
        entry
    };
    let mut entries = Vec::new();
    for (place, _) in named["probes"].as_object().into_iter().flatten() {
        let (container, probe) = place.split_once('/').expect("container/probe");
        let rule = match probe {
            "readinessProbe" => "missing-readiness-probe",
            _ => "missing-liveness-probe",
        };
        let path = format!("spec.template.spec.containers[{container}].{probe}");
        entries.push(entry(rule, Some(container), path));
    }
    let claims = named["volumeClaimTemplates"].as_array();
    for claim in claims.into_iter().flatten() {
        let claim = claim.as_str().expect("a name");
        let path = format!("spec.volumeClaimTemplates[{claim}]");
        entries.push(entry("dangling-volume-mount", None, path));
    }
    if named.get("serviceName").is_some() {
        let path = "spec.serviceName".to_owned();
        entries.push(entry("missing-service-name", None, path));
    }
    Some(Record::new(entries))
}

/// A lawful answer under the built-in policy.
fn ask(name: &str, phase: Phase, question: &Value) -> Answer {
    let body = question.to_string();
    let answer = handle(
        phase,
        &PolicySet::built_in(),
        &bare_cluster(),
        body.as_bytes(),
    )
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    lawful(phase, question, &answer)
        .unwrap_or_else(|law| panic!("{name}, {}: {law}", phase.as_str()));
    answer
}

/// Patches the question's object as the answer says, and returns the operations, such as `add /spec/serviceName`.
fn patch(question: &mut Value, answer: &Answer) -> Vec<String> {
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let Some(text) = body["response"].get("patch") else {
        return Vec::new();
    };
    let patch = decoded(text).expect("a lawful patch");
    json_patch::patch(&mut question["request"]["object"], &patch).expect("a lawful patch");
    let operations = serde_json::to_value(&patch).expect("JSON");
    let text =
        |operation: &Value, key: &str| operation[key].as_str().unwrap_or_default().to_owned();
    let operations = operations.as_array().expect("a list").iter();
    operations
        .map(|operation| format!("{} {}", text(operation, "op"), text(operation, "path")))
        .collect()
}

/// Each finding in a few words: outcome, rule and container. That the Services of the recorded sets are not there is no news: the
/// cluster that they are judged in has none.
fn words(judged: &[Judged]) -> Vec<String> {
    let words = |judged: &Judged| {
        let container = judged.finding.container.as_deref().unwrap_or_default();
        let words = format!("{} {} {container}", judged.outcome.as_str(), judged.rule);
        words.trim_end().to_owned()
    };
    let news = judged.iter();
    let news = news.filter(|judged| judged.rule != "missing-governing-service");
    news.map(words).collect()
}

/// The stored spec with what the row says is different.
fn changed(stored: &Value, spec: &BTreeMap<String, Value>) -> Value {
    let mut stored = stored.clone();
    for (pointer, value) in spec {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent = stored.pointer_mut(parent).and_then(Value::as_object_mut);
        let parent = parent.unwrap_or_else(|| panic!("{pointer} has no parent"));
        if value.is_null() {
            parent.remove(key);
        } else {
            parent.insert(key.to_owned(), value.clone());
        }
    }
    stored
}

/// The entries of a set's record.
fn recorded(set: &Value) -> Vec<Entry> {
    match Record::read(set.pointer(RECORD).and_then(Value::as_str)) {
        Carried::Record(record) => record.injected,
        _ => Vec::new(),
    }
}

#[test]
fn every_recording_is_answered_as_its_row_says() {
    let rows = rows();
    for (name, mut question) in recordings() {
        let Some(row) = rows.get(&name) else { continue };
        // A recording of the second call is asked about in that alone.
        if !name.starts_with("validate-") {
            let answer = ask(&name, Phase::Mutate, &question);
            let operations = patch(&mut question, &answer);
            assert_eq!(operations, row.patched, "{name}: what /mutate patches");
            assert_eq!(words(&answer.judged), row.said, "{name}: what /mutate says");
            let again = ask(&name, Phase::Mutate, &question);
            assert!(!again.patched, "{name}: mutating twice patches once more");
        }
        let answer = ask(&name, Phase::Validate, &question);
        assert_eq!(
            words(&answer.judged),
            row.left,
            "{name}: what /validate says"
        );
        let denied = row.left.iter().any(|words| words.starts_with("denied"));
        assert_eq!(answer.allowed, !denied, "{name}");
        let (after, stored) = (
            &question["request"]["object"],
            &question["request"]["oldObject"],
        );
        if after.is_null() || stored.is_null() {
            continue;
        }
        assert_eq!(
            after["spec"],
            changed(&stored["spec"], &row.spec),
            "{name}: the spec"
        );
        let upheld = |entry: Entry| match (entry.holds_in(after), entry.is_probe()) {
            (true, _) => Some(entry),
            (false, true) => Some(entry.lapse()),
            (false, false) => None,
        };
        let upheld: Vec<_> = recorded(stored).into_iter().filter_map(upheld).collect();
        assert_eq!(recorded(after), upheld, "{name}: the record");
    }
}

#[test]
fn every_recording_has_a_row_and_every_row_a_recording() {
    let (rows, recordings) = (rows(), recordings());
    // Where there are none, that was said.
    if recordings.is_empty() {
        return;
    }
    let unknown = |name: &&String| !rows.contains_key(*name);
    let gone = |name: &&String| !recordings.contains_key(*name);
    let rowless: Vec<_> = recordings.keys().filter(unknown).collect();
    let orphans: Vec<_> = rows.keys().filter(gone).collect();
    assert!(rowless.is_empty(), "recordings without a row: {rowless:?}");
    assert!(orphans.is_empty(), "rows without a recording: {orphans:?}");
}

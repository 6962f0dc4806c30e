//! What the fuzzer starts from: small texts of every kind, made from the rules' examples, the lab and the suites.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use steadfast::rules::RULES;

use crate::common::fixtures::{examples, files};
use crate::common::{document, documents};

/// A larger one makes every run slow and finds nothing that a small one does not.
const LARGEST: usize = 12 << 10;

/// Reviews: of the suites, of the lab, and one for each example of a rule.
pub(crate) fn reviews() -> Vec<Vec<u8>> {
    let mut seeds = below("json");
    for shown in examples() {
        let (name, example) = (&shown.name, &shown.example);
        let old = example.old.as_ref().map(|text| document(name, text));
        for text in [&example.before, &example.after] {
            let object = document(name, text);
            let operation = if old.is_some() { "UPDATE" } else { "CREATE" };
            let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
                "uid": "u-1", "operation": operation, "namespace": "default", "name": object["metadata"]["name"],
                "resource": {"group": "apps", "version": "v1", "resource": "statefulsets"},
                "object": object, "oldObject": old,
            }});
            seeds.push(review.to_string());
        }
    }
    small(seeds)
}

/// Sets as JSON.
pub(crate) fn objects() -> Vec<Vec<u8>> {
    let mut objects: Vec<Value> = Vec::new();
    for shown in examples() {
        for text in [&shown.example.before, &shown.example.after] {
            objects.push(document(&shown.name, text));
        }
    }
    for folder in ["tests/lab", "tests/common"] {
        for (name, text) in files(folder, "yaml") {
            objects.extend(documents(&name, &text));
        }
    }
    for text in below("json") {
        let review: Value = serde_json::from_str(&text).unwrap_or_default();
        objects.push(review["request"]["object"].clone());
    }
    small(objects.iter().map(Value::to_string))
}

/// Policies: one for each rule at its defaults, and those of the suites.
pub(crate) fn policies() -> Vec<Vec<u8>> {
    let head = "apiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: a}\n";
    let mut seeds = vec![
        format!("{head}spec: {{}}\n"),
        format!(
            "{head}spec:\n  profile: strict\n  priority: 3\n---\n{}",
            head.replace(": a}", ": b}")
        ),
        format!("{head}spec: {{profile: strickt}}\n"),
        format!("{head}spec: {{rules: {{zero-grace: {{level: wran}}}}}}\n"),
        format!("{head}spec: {{rules: {{zero-grace-period: {{level: off, fix: preview}}}}}}\n"),
        format!(
            "{head}spec: {{rules: {{missing-liveness-probe: {{params: {{killAfterSeconds: 5}}}}}}}}\n"
        ),
    ];
    for entry in RULES {
        let (id, params) = (entry.meta.id, (entry.defaults)());
        seeds.push(format!(
            "{head}spec:\n  rules:\n    {id}: {{level: deny, fix: preview, params: {params}}}\n"
        ));
    }
    let suites = below("yaml").into_iter();
    seeds.extend(suites.filter(|text| text.contains("StatefulSetPolicy")));
    small(seeds)
}

/// Manifests: of the lab and the suites, and every text of every example.
pub(crate) fn manifests() -> Vec<Vec<u8>> {
    let mut seeds = below("yaml");
    seeds.extend(
        files("tests/common", "yaml")
            .into_iter()
            .map(|(_, text)| text),
    );
    for shown in examples() {
        let example = shown.example;
        seeds.extend([example.before, example.after]);
        seeds.extend(
            [example.old, example.cluster, example.params]
                .into_iter()
                .flatten(),
        );
    }
    seeds.push("a: &x {b: yes, c: 0644, d: ~}\ne: {<<: *x, f: |-\n  text\n}\n--- [1, 1.5, .inf, 1e3, 0x1f, !!str 3]\n".to_owned());
    seeds.push(
        r#"{"kind": "List", "items": [{"kind": "StatefulSet", "apiVersion": "apps/v1"}]}"#
            .to_owned(),
    );
    small(seeds)
}

/// Every file with this ending in the lab and the suites.
fn below(ending: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut paths) = (
        vec![root.join("tests/lab"), root.join("tests/suites")],
        Vec::new(),
    );
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of this repository") {
            let path = entry.expect("a folder that can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|own| own == ending) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let texts = paths
        .into_iter()
        .map(|path| fs::read_to_string(path).expect("text"));
    texts.collect()
}

fn small(seeds: impl IntoIterator<Item = String>) -> Vec<Vec<u8>> {
    let seeds = seeds.into_iter().filter(|seed| seed.len() <= LARGEST);
    seeds.map(String::into_bytes).collect()
}

//! The view over real objects: every set of `tests/lab`, and those beside the repository where they are there.

use std::fs;
use std::path::PathBuf;

use k8s_openapi::api::apps::v1;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::super::StatefulSet;
use super::{same, without_raw};
use crate::object::yaml;

/// Every file of a folder with this ending; none, and a line that says so, where there is no such folder.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("{} is not there: not tested", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a folder that can be read").path())
        .collect();
    paths.sort();
    let wanted = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|own| own == ending));
    wanted
        .map(|path| {
            (
                path.display().to_string(),
                fs::read_to_string(&path).expect("text"),
            )
        })
        .collect()
}

fn is_set(object: &Value) -> bool {
    object["kind"] == "StatefulSet"
}

/// Every `StatefulSet` there is, with the name of its file, but for the few that the API's own types refuse.
fn sets() -> Vec<(String, Value)> {
    let mut sets = Vec::new();
    for (file, text) in files("tests/lab", "yaml")
        .into_iter()
        .chain(files("../shared/corpus", "yaml"))
    {
        let documents = yaml::read(&file, &text).expect("YAML");
        sets.extend(
            documents
                .into_iter()
                .map(|document| (file.clone(), document.value)),
        );
    }
    for (file, review) in reviews() {
        let request = &review["request"];
        sets.extend(
            ["object", "oldObject"].map(|key| (format!("{file} {key}"), request[key].clone())),
        );
    }
    sets.retain(|(file, object)| is_set(object) && is_readable(file, object));
    assert!(sets.len() >= 7, "the lab alone has seven");
    sets
}

fn is_readable(file: &str, object: &Value) -> bool {
    let refused = v1::StatefulSet::deserialize(object).err();
    if let Some(error) = &refused {
        println!("{file}: the API's own types refuse it ({error}): not tested");
    }
    refused.is_none()
}

fn reviews() -> Vec<(String, Value)> {
    let files = files("../shared/reviews", "json").into_iter();
    files
        .map(|(file, text)| (file, serde_json::from_str(&text).expect("JSON")))
        .collect()
}

#[test]
fn every_set_reads_alike_through_the_api_s_types() {
    for (file, set) in sets() {
        let set = without_raw(set);
        let typed = v1::StatefulSet::deserialize(&set).expect("readable");
        let typed = serde_json::to_value(typed).expect("JSON");
        same(&set, &typed).unwrap_or_else(|why| panic!("{file}: {why}"));
    }
}

#[test]
fn escapes_change_nothing() {
    for (file, set) in sets() {
        let set = without_raw(set);
        let (plain, escaped) = (set.to_string(), escaped(&set));
        let (plain, escaped) = (StatefulSet::parse(&plain), StatefulSet::parse(&escaped));
        assert_eq!(plain.expect(&file), escaped.expect(&file), "{file}");
    }
}

/// JSON text with every letter of every string and key escaped.
fn escaped(value: &Value) -> String {
    let string = |text: &str| {
        let units: Vec<_> = text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        format!("\"{}\"", units.concat())
    };
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(escaped).collect::<Vec<_>>().join(",")
        ),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{}:{}", string(key), escaped(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        leaf => leaf.to_string(),
    }
}

#[test]
fn unknown_fields_are_passed_over_at_every_level() {
    for (file, set) in sets() {
        let set = without_raw(set);
        let mut planted = set.clone();
        plant(&mut planted);
        same(&set, &planted).unwrap_or_else(|why| panic!("{file}: {why}"));
    }
}

/// Puts a field that nobody knows into every object that is no map of strings.
fn plant(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(plant),
        Value::Object(map) => {
            let fields = map.iter_mut().filter(|(key, _)| {
                !matches!(key.as_str(), "labels" | "annotations" | "matchLabels")
            });
            fields.for_each(|(_, value)| plant(value));
            map.insert(
                "fromTheFuture".to_owned(),
                json!({"deep": [1, null, {"name": "x"}]}),
            );
        }
        _ => {}
    }
}

/// What the user wrote beside what the API server made of it, where kubectl left the manifest in the object.
fn pairs() -> Vec<(String, Value, Value)> {
    let own = (
        "own pair".to_owned(),
        json!({"metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]}}}}),
        json!({"metadata": {"name": "web", "uid": "1"}, "spec": {
            "replicas": 1, "podManagementPolicy": "OrderedReady", "serviceName": "", "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}},
            "template": {"metadata": {"creationTimestamp": null}, "spec": {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
                "containers": [{"name": "web", "imagePullPolicy": "Always", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}},
        }}),
    );
    let creates = reviews()
        .into_iter()
        .filter(|(_, review)| review["request"]["operation"] == "CREATE");
    // After an injection the object has more than the user wrote.
    let plain = creates.filter(|(file, _)| !file.contains("after-injection"));
    let real = plain.filter_map(|(file, review)| {
        let object = review["request"]["object"].clone();
        let written = object
            .pointer("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration")?;
        let written = serde_json::from_str(written.as_str()?).expect("kubectl writes JSON");
        Some((file, written, object))
    });
    std::iter::once(own).chain(real).collect()
}

#[test]
fn what_the_api_server_filled_in_reads_like_what_was_left_out() {
    for (file, written, filled) in pairs() {
        let (written, filled) = (
            without_raw(written).to_string(),
            without_raw(filled).to_string(),
        );
        let mut written = StatefulSet::parse(&written).expect(&file);
        let mut filled = StatefulSet::parse(&filled).expect(&file);
        assert_eq!(
            written.spec.update_strategy(),
            filled.spec.update_strategy(),
            "{file}"
        );
        // Who stated it is the one thing that may differ.
        (
            written.spec.stated_update_strategy,
            filled.spec.stated_update_strategy,
        ) = (None, None);
        assert_eq!(written, filled, "{file}");
    }
}

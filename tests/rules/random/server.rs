//! What the API server does to a set before and after a webhook sees it: fills in defaults, and refuses what is not valid.
//! As much of it as random sets meet (kubernetes/kubernetes `pkg/apis/apps/v1/defaults.go`, `pkg/apis/core/v1/defaults.go`,
//! `pkg/apis/apps/validation/validation.go`).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use steadfast::object::probe::HANDLERS;

use super::manifest::PROBES;

/// Fields that can never change.
pub(super) const IMMUTABLE: &[&str] = &[
    "serviceName",
    "selector",
    "podManagementPolicy",
    "volumeClaimTemplates",
];

/// The lists of containers.
const LISTS: &[&str] = &["containers", "initContainers"];

/// Every container.
pub(super) fn containers(set: &Value) -> impl Iterator<Item = &Value> {
    let pod = &set["spec"]["template"]["spec"];
    LISTS.iter().flat_map(move |list| items(&pod[*list]))
}

/// The items of a list; none where it is not there.
pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn fill(object: &mut Value, key: &str, default: Value) {
    if object[key].is_null() {
        object[key] = default;
    }
}

fn each(list: &mut Value, change: impl FnMut(&mut Value)) {
    list.as_array_mut().into_iter().flatten().for_each(change);
}

/// The set with what the API server fills in.
pub(super) fn served(mut set: Value) -> Value {
    let spec = &mut set["spec"];
    fill(spec, "replicas", json!(1));
    fill(spec, "podManagementPolicy", json!("OrderedReady"));
    fill(spec, "updateStrategy", json!({}));
    let strategy = &mut spec["updateStrategy"];
    fill(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        fill(strategy, "rollingUpdate", json!({}));
        fill(&mut strategy["rollingUpdate"], "partition", json!(0));
    }
    if let Some(claims) = spec.get_mut("volumeClaimTemplates") {
        each(claims, |claim| {
            fill(&mut claim["spec"], "volumeMode", json!("Filesystem"));
            fill(claim, "status", json!({"phase": "Pending"}));
        });
    }
    for list in LISTS {
        if let Some(containers) = spec["template"]["spec"].get_mut(*list) {
            each(containers, fill_container);
        }
    }
    set
}

fn fill_container(container: &mut Value) {
    if let Some(ports) = container.get_mut("ports") {
        each(ports, |port| fill(port, "protocol", json!("TCP")));
    }
    let numbers = [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ];
    let probes = PROBES.iter();
    for kind in probes {
        let Some(probe) = container.get_mut(*kind).filter(|probe| probe.is_object()) else {
            continue;
        };
        for (key, number) in numbers {
            fill(probe, key, json!(number));
        }
        if let Some(grpc) = probe.get_mut("grpc") {
            fill(grpc, "service", json!(""));
        }
        if let Some(http) = probe.get_mut("httpGet") {
            fill(http, "scheme", json!("HTTP"));
        }
    }
}

/// Why the API server refuses the set, if it does.
pub(super) fn refusal(set: &Value, old: Option<&Value>) -> Option<String> {
    let mut names = BTreeSet::new();
    for container in containers(set) {
        let name = container["name"].as_str().unwrap_or_default();
        if !names.insert(name) {
            return Some(format!("two containers are called {name}"));
        }
        if let Some(wrong) = wrong_in(container) {
            return Some(format!("container {name}: {wrong}"));
        }
    }
    let strategy = &set["spec"]["updateStrategy"];
    if strategy["type"] != "RollingUpdate" && !strategy["rollingUpdate"].is_null() {
        return Some("rollingUpdate stands beside another strategy".to_owned());
    }
    let is_other = |field: &&&str| {
        old.is_some_and(|old| stated(&old["spec"][**field]) != stated(&set["spec"][**field]))
    };
    let field = IMMUTABLE.iter().find(is_other)?;
    Some(format!("{field} is immutable"))
}

/// The value of a field; null where it is empty, which the API server reads as left out.
pub(super) fn stated(value: &Value) -> &Value {
    match value {
        Value::String(text) if text.is_empty() => &Value::Null,
        Value::Array(items) if items.is_empty() => &Value::Null,
        value => value,
    }
}

fn wrong_in(container: &Value) -> Option<String> {
    for kind in PROBES {
        let probe = &container[*kind];
        let handlers = HANDLERS.iter().filter(|own| !probe[**own].is_null());
        if !probe.is_null() && handlers.count() != 1 {
            return Some(format!("{kind} {probe}"));
        }
    }
    let twice = |list: &str, key: &str| {
        let mut seen = BTreeSet::new();
        let mut texts = items(&container[list]).filter_map(|item| item[key].as_str());
        texts
            .find(|text| !seen.insert(text.to_owned()))
            .map(|text| format!("{list} has {text} twice"))
    };
    twice("volumeMounts", "mountPath").or_else(|| twice("ports", "name"))
}

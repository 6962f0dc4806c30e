//! How a set comes to be: as its author wrote it, or with a record that came along.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::edit::{Edit, RECORD};

/// How the set comes to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Made {
    /// As the author wrote it.
    Plain,
    /// As a copy of a set to which data was given: a claim template, its mount and an environment variable, on record.
    WithData,
    /// As such a copy with an injected probe, too, of which the port was forgotten.
    WithStaleProbe,
    /// With a record of a newer version.
    WithNewerRecord,
}

/// A way to be made.
pub(super) fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        8 => Just(Made::Plain),
        2 => Just(Made::WithData),
        2 => Just(Made::WithStaleProbe),
        1 => Just(Made::WithNewerRecord),
    ]
}

fn record(entries: &[Value]) -> Value {
    json!({"version": 1, "injected": entries})
}

impl Made {
    /// What is made of the author's manifest.
    pub(super) fn of(self, author: &Value) -> Value {
        let mut set = author.clone();
        let record = match self {
            Self::Plain => return set,
            Self::WithNewerRecord => json!({"version": 9, "injected": []}),
            Self::WithData => record(&with_data(&mut set)),
            Self::WithStaleProbe => {
                let mut entries = with_data(&mut set);
                entries.push(with_stale_probe(&mut set));
                record(&entries)
            }
        };
        Edit::Field(RECORD.to_vec(), Some(record.to_string().into())).apply(&mut set);
        set
    }
}

/// Gives the first container a claim, and returns the entries of it.
fn with_data(set: &mut Value) -> Vec<Value> {
    let claim = json!({"metadata": {"name": "state"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}});
    let mount = json!({"name": "state", "mountPath": "/state"});
    let env = json!({"name": "STATE", "value": "/state/x"});
    let mut put = |at: &str, value: &Value| {
        let (above, list) = at.rsplit_once('/').expect("a list stands in something");
        let list = &mut set.pointer_mut(above).expect("a set has it")[list];
        let mut items = list.as_array().cloned().unwrap_or_default();
        items.push(value.clone());
        *list = items.into();
    };
    put("/spec/volumeClaimTemplates", &claim);
    put("/spec/template/spec/containers/0/volumeMounts", &mount);
    put("/spec/template/spec/containers/0/env", &env);
    let name = set["spec"]["template"]["spec"]["containers"][0]["name"]
        .as_str()
        .unwrap_or_default();
    let entry = |path: &str, value| {
        json!({"rule": "volatile-data", "container": name, "value": value,
        "path": format!("spec.template.spec.containers[{name}].{path}")})
    };
    vec![
        entry("env[STATE]", env),
        entry("volumeMounts[state]", mount),
        json!({"rule": "volatile-data", "path": "spec.volumeClaimTemplates[state]", "value": claim}),
    ]
}

/// Gives the first container a probe that asks a port it has not, and returns the entry of it.
fn with_stale_probe(set: &mut Value) -> Value {
    let probe = json!({"tcpSocket": {"port": "gone"}, "periodSeconds": 10, "timeoutSeconds": 5,
        "successThreshold": 1, "failureThreshold": 3});
    let container = &mut set["spec"]["template"]["spec"]["containers"][0];
    // A variable twice, which the API server takes.
    if let Some(env) = container["env"].as_array_mut() {
        env.extend(env.clone());
    }
    container["readinessProbe"] = probe.clone();
    // Somebody's own, since the record does not name it.
    container["readinessProbe"]["initialDelaySeconds"] = json!(3);
    let name = container["name"].as_str().unwrap_or_default();
    let path = format!("spec.template.spec.containers[{name}].readinessProbe");
    json!({"rule": "missing-readiness-probe", "container": name, "path": path, "value": probe})
}

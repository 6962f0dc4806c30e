//! What the API server fills in changes no finding: a rule speaks of what the user wrote.

use serde_json::{Map, Value, json};
use steadfast::engine::validate;

use crate::common::fixtures::reviews;
use crate::common::{cluster, findings, judge, policy};
use crate::trials::everywhere;

#[test]
fn defaults_change_no_finding() {
    everywhere(|trial| {
        let mut filled = trial.object().clone();
        fill_in(&mut filled);
        assert_eq!(
            told(trial.admit(&filled)),
            told(trial.admit(trial.object())),
            "{trial}: defaulted (left) and as written"
        );
    });
}

#[test]
fn what_the_api_server_filled_in_changes_no_finding() {
    let strict = policy(&json!({"profile": "strict"}));
    let creates = reviews()
        .into_iter()
        .filter(|(_, review)| review["request"]["operation"] == "CREATE");
    for (name, review) in creates {
        let object = &review["request"]["object"];
        let annotation = object
            .pointer("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration");
        let Some(written) = annotation
            .and_then(Value::as_str)
            .filter(|_| !name.contains("after-injection"))
        else {
            continue;
        };
        let written: Value = serde_json::from_str(written).expect("kubectl writes JSON");
        let told = |object| told(judge(validate, object, None, &strict, &cluster([])));
        assert_eq!(
            told(object),
            told(&written),
            "{name}: defaulted (left) and as written"
        );
    }
}

/// The findings, but for the one rule that asks who wrote a field.
fn told(mut verdict: steadfast::engine::Verdict) -> Vec<String> {
    verdict
        .judged
        .retain(|judged| judged.rule != "implicit-update-strategy");
    findings(&verdict)
}

/// Fills in what the API server would (kubernetes/kubernetes `pkg/apis/apps/v1/defaults.go`, `pkg/apis/core/v1/defaults.go`).
fn fill_in(set: &mut Value) {
    let spec = &mut set["spec"];
    default(
        spec,
        &json!({"replicas": 1, "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10, "serviceName": "",
        "updateStrategy": {"type": "RollingUpdate"},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}}),
    );
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        default(&mut spec["updateStrategy"], &json!({"rollingUpdate": {}}));
        default(
            &mut spec["updateStrategy"]["rollingUpdate"],
            &json!({"partition": 0, "maxUnavailable": 1}),
        );
    }
    for claim in items(&mut spec["volumeClaimTemplates"]) {
        default(
            claim,
            &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {}, "status": {"phase": "Pending"}}),
        );
        default(&mut claim["spec"], &json!({"volumeMode": "Filesystem"}));
    }
    let pod = &mut spec["template"]["spec"];
    default(
        pod,
        &json!({"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "securityContext": {}, "schedulerName": "default-scheduler"}),
    );
    for list in ["containers", "initContainers"] {
        for container in items(&mut pod[list]) {
            fill_in_container(container);
        }
    }
    for volume in items(&mut pod["volumes"]) {
        if volume.as_object().is_some_and(|volume| volume.len() == 1) {
            default(volume, &json!({"emptyDir": {}}));
        }
    }
}

fn fill_in_container(container: &mut Value) {
    default(
        container,
        &json!({"imagePullPolicy": "IfNotPresent", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}),
    );
    for port in items(&mut container["ports"]) {
        default(port, &json!({"protocol": "TCP"}));
    }
    for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
        if container[probe].is_object() {
            default(
                &mut container[probe],
                &json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}),
            );
        }
    }
}

/// Puts each of these values where there is none.
fn default(object: &mut Value, values: &Value) {
    if object.is_null() {
        *object = Value::Object(Map::new());
    }
    let (Some(object), Some(values)) = (object.as_object_mut(), values.as_object()) else {
        return;
    };
    for (key, value) in values {
        let own = object.entry(key).or_insert(Value::Null);
        if own.is_null() {
            *own = value.clone();
        }
    }
}

/// The items of a list; none where there is no list.
fn items(list: &mut Value) -> impl Iterator<Item = &mut Value> {
    list.as_array_mut().into_iter().flatten()
}

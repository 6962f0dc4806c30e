//! The sets that are asked about, as webhooks see them: with the API server's defaults, and with who wrote what.

use serde_json::{Map, Value, json};

use super::manifest::{Shape, manifest};

/// The set as webhooks see it when it is made: with the API server's defaults, and with who wrote what.
pub(super) fn created(shape: Shape) -> Value {
    let author = manifest(shape);
    let mut set = defaulted(&author);
    let (manager, operation) = if shape.rich {
        let annotations = &mut set["metadata"]["annotations"];
        annotations["kubectl.kubernetes.io/last-applied-configuration"] =
            json!(format!("{author}\n"));
        ("kubectl-client-side-apply", "Update")
    } else {
        ("helm", "Apply")
    };
    // Who applies on the server owns what the author wrote; who updates, the defaults too.
    let owned = if shape.rich { &set } else { &author };
    let mut metadata = owned["metadata"].clone();
    for key in ["name", "namespace"] {
        metadata.as_object_mut().expect("a map").shift_remove(key);
    }
    let fields = json!({"f:metadata": fields("", &metadata), "f:spec": fields("", &owned["spec"])});
    set["metadata"]["managedFields"] = json!([{
        "manager": manager, "operation": operation, "apiVersion": "apps/v1", "time": "2026-10-05T09:30:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }]);
    set["status"] = json!({"replicas": 0, "availableReplicas": 0});
    set
}

/// Adds what the API server adds.
fn defaulted(author: &Value) -> Value {
    let mut set = author.clone();
    let spec = &mut set["spec"];
    let pod = &mut spec["template"]["spec"];
    for list in ["containers", "initContainers"] {
        for container in pod
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            for port in container
                .get_mut("ports")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                fill(port, &json!({"protocol": "TCP"}));
            }
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                if let Some(probe) = container.get_mut(probe) {
                    fill(&mut probe["httpGet"], &json!({"scheme": "HTTP"}));
                    fill(
                        probe,
                        &json!({"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}),
                    );
                }
            }
            fill(
                container,
                &json!({"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                "imagePullPolicy": "IfNotPresent"}),
            );
        }
    }
    fill(
        pod,
        &json!({"restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "securityContext": {}, "schedulerName": "default-scheduler"}),
    );
    for claim in spec
        .get_mut("volumeClaimTemplates")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        fill(
            claim,
            &json!({"kind": "PersistentVolumeClaim", "apiVersion": "v1", "status": {"phase": "Pending"}}),
        );
        fill(&mut claim["spec"], &json!({"volumeMode": "Filesystem"}));
    }
    fill(
        spec,
        &json!({"serviceName": "", "podManagementPolicy": "OrderedReady", "updateStrategy": {"type": "RollingUpdate"},
        "revisionHistoryLimit": 10, "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}}),
    );
    fill(
        &mut spec["updateStrategy"],
        &json!({"rollingUpdate": {"partition": 0, "maxUnavailable": 1}}),
    );
    set
}

/// Adds the fields that are not there.
fn fill(object: &mut Value, with: &Value) {
    let object = object.as_object_mut().expect("a map");
    for (key, value) in with.as_object().expect("a map") {
        object.entry(key).or_insert_with(|| value.clone());
    }
}

/// What is owned as a whole, whatever is in it.
const WHOLE: &[&str] = &[
    "drop",
    "labelSelector",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "selector",
    "tolerations",
    "volumeClaimTemplates",
];

/// What somebody owns who wrote this value under this key.
fn fields(key: &str, value: &Value) -> Value {
    let of_its_own = |item: &Value| match key {
        "ports" => json!({"containerPort": item["containerPort"], "protocol": "TCP"}),
        "volumeMounts" => json!({"mountPath": item["mountPath"]}),
        "topologySpreadConstraints" => {
            json!({"topologyKey": item["topologyKey"], "whenUnsatisfiable": item["whenUnsatisfiable"]})
        }
        _ => json!({"name": item["name"]}),
    };
    let mut owned = Map::new();
    match value {
        _ if WHOLE.contains(&key) => {}
        Value::Object(map) => {
            if !matches!(key, "" | "template" | "spec" | "metadata") {
                owned.insert(".".to_owned(), json!({}));
            }
            owned.extend(
                map.iter()
                    .map(|(key, value)| (format!("f:{key}"), fields(key, value))),
            );
        }
        Value::Array(list) => {
            owned.insert(".".to_owned(), json!({}));
            owned.extend(
                list.iter()
                    .map(|item| (format!("k:{}", of_its_own(item)), fields("item", item))),
            );
        }
        _ => {}
    }
    Value::Object(owned)
}

/// The set as it is stored once it runs.
pub(super) fn stored(created: &Value) -> Value {
    let mut set = created.clone();
    fill(
        &mut set["metadata"],
        &json!({"uid": "7d0c9a5e-30c4-4c3b-8f1e-6f6b7c0d9e21", "resourceVersion": "4711",
        "generation": 1, "creationTimestamp": "2026-10-05T09:30:00Z"}),
    );
    set["status"] = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "updatedReplicas": 2,
        "currentRevision": "ledger-6c7d8f9b5", "updateRevision": "ledger-6c7d8f9b5", "collisionCount": 0, "availableReplicas": 2});
    let controller = json!({
        "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-10-05T09:30:40Z",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:status": fields("", &set["status"])}, "subresource": "status",
    });
    set["metadata"]["managedFields"]
        .as_array_mut()
        .expect("a list")
        .push(controller);
    set
}

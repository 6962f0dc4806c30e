//! Reviews to ask with: built from a few lines of YAML, and the real ones beside the repository.

use serde_json::{Value, json};

use crate::common::fixtures::reviews;
use crate::common::{document, storage_classes};

/// A set that lacks everything.
pub(crate) const BARE: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web:1, ports: [{name: http, containerPort: 80}]}]}
";

/// A set that is complete.
const COMPLETE: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  serviceName: web
  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        ports: [{name: http, containerPort: 80}]
        readinessProbe: &probe {httpGet: {path: /, port: http}}
        livenessProbe: *probe
        startupProbe: *probe
";

/// A set that is denied, with a defect in each of two containers.
pub(crate) const DENIED: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: default, annotations: {allow.steadfast.dev/zero-grace-perod: misspelt}}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: db, image: db:1, volumeMounts: [{name: tls-certs, mountPath: /etc/tls}]}
      - {name: side, image: side:1, volumeMounts: [{name: conf, mountPath: /etc/side.conf}]}
";

/// A set with more defects than the API server has room to warn of, and with names in many letters.
fn crowded() -> Value {
    let mut set = document("bare", BARE);
    let container = |number: usize| json!({"name": format!("größe-{number}\n\t{}", "x".repeat(90)), "image": "x"});
    set["spec"]["template"]["spec"]["containers"] = (0..60).map(container).collect();
    set
}

/// A review of a `StatefulSet`. The API server sends `object` and `oldObject` as null where there is none.
pub(crate) fn review(operation: &str, object: &Value, old: &Value) -> Value {
    let named = if object.is_null() { old } else { object };
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "apps", "version": "v1", "kind": "StatefulSet"},
            "resource": {"group": "apps", "version": "v1", "resource": "statefulsets"},
            "name": named["metadata"]["name"],
            "namespace": named["metadata"]["namespace"],
            "operation": operation,
            "userInfo": {"username": "admin", "groups": ["system:masters"]},
            "object": object,
            "oldObject": old,
            "dryRun": false,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    })
}

/// A review of the making of the set in this YAML.
pub(crate) fn create(yaml: &str) -> Value {
    review("CREATE", &document("set", yaml), &Value::Null)
}

/// Every review of our own, by name.
pub(crate) fn own() -> Vec<(String, Value)> {
    let [bare, complete, denied] = [BARE, COMPLETE, DENIED].map(|yaml| document("set", yaml));
    let (crowded, none) = (crowded(), Value::Null);
    let mut generated = bare.clone();
    generated["metadata"] = json!({"generateName": "web-", "namespace": "default"});
    let mut dangling = bare.clone();
    dangling["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "data", "mountPath": "/data"}]);
    let mut waived = denied.clone();
    waived["metadata"]["annotations"] = json!({"allow.steadfast.dev/zero-grace-period": "a cache", "allow.steadfast.dev/dangling-volume-mount": "[db] made by hand"});
    let mut leaving = bare.clone();
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    let cases = [
        ("create bare", review("CREATE", &bare, &none)),
        ("create complete", review("CREATE", &complete, &none)),
        ("create denied", review("CREATE", &denied, &none)),
        ("create crowded", review("CREATE", &crowded, &none)),
        ("create generateName", review("CREATE", &generated, &none)),
        ("create dangling", review("CREATE", &dangling, &none)),
        ("create waived", review("CREATE", &waived, &none)),
        ("update same", review("UPDATE", &bare, &bare)),
        ("update repairs", review("UPDATE", &complete, &bare)),
        ("update breaks", review("UPDATE", &denied, &complete)),
        ("update crowded", review("UPDATE", &crowded, &bare)),
        ("update leaving", review("UPDATE", &denied, &leaving)),
        ("delete", review("DELETE", &none, &denied)),
    ];
    cases
        .into_iter()
        .map(|(name, review)| (name.to_owned(), review))
        .collect()
}

/// Every review there is: our own, and the real ones where they are there.
pub(crate) fn all() -> Vec<(String, Value)> {
    own().into_iter().chain(reviews()).collect()
}

/// A cluster with storage classes, of which nothing else is there.
pub(crate) fn bare_cluster() -> steadfast::cluster::Manifests {
    crate::common::cluster(&storage_classes())
}

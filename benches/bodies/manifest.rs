//! The sets that are asked about, as their authors wrote them.

use serde_json::{Value, json};

pub(super) const NAMESPACE: &str = "bank";
pub(super) const NAME: &str = "ledger";

/// What a set is made of.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Whether it is a larger one, with all that a platform team asks for, sent by `kubectl apply`; Helm sent the rest, and
    /// leaves no copy of the manifest.
    pub(super) rich: bool,
    /// Whether its author wrote probes, service name and strategy, and claims where it is rich.
    pub(super) complete: bool,
    containers: &'static [&'static str],
    init_containers: &'static [&'static str],
    /// Environment variables of each container.
    env: usize,
    /// Annotations with configuration in them, and how many words each has.
    annotations: (usize, usize),
}

pub(super) const SMALL: Shape = Shape {
    rich: false,
    complete: true,
    containers: &["ledger"],
    init_containers: &[],
    env: 1,
    annotations: (0, 0),
};

pub(super) const BARE: Shape = Shape {
    complete: false,
    ..SMALL
};

pub(super) const MEDIUM: Shape = Shape {
    rich: true,
    complete: true,
    containers: &["ledger", "exporter"],
    init_containers: &["migrate"],
    env: 6,
    annotations: (3, 24),
};

/// What there is to repair in it is its probes and its service name.
pub(super) const UNFINISHED: Shape = Shape {
    complete: false,
    ..MEDIUM
};

pub(super) const LARGE: Shape = Shape {
    env: 288,
    annotations: (40, 74),
    ..MEDIUM
};

/// The set as its author wrote it.
pub(super) fn manifest(shape: Shape) -> Value {
    let labels = json!({"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": "books"});
    let containers = shape.containers.iter();
    let containers: Vec<_> = containers.map(|name| running(name, shape)).collect();
    let mut pod = json!({"containers": containers});
    if shape.rich {
        let init = shape.init_containers.iter();
        pod["initContainers"] = init.map(|name| container(name, shape)).collect();
        pod["securityContext"] = json!({"runAsNonRoot": true, "runAsUser": 10001, "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"}});
        pod["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}]}});
        pod["topologySpreadConstraints"] = json!([{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": labels}}]);
        pod["tolerations"] = json!([{"key": "dedicated", "operator": "Equal", "value": "storage", "effect": "NoSchedule"}]);
        pod["volumes"] = json!([
            {"name": "settings", "configMap": {"name": "ledger-settings", "defaultMode": 420}},
            {"name": "credentials", "secret": {"secretName": "ledger-credentials", "defaultMode": 256}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}},
        ]);
    }
    let mut spec = json!({"replicas": 2, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod}});
    if shape.complete {
        spec["serviceName"] = json!("ledger-peers");
        spec["updateStrategy"] = json!({"type": "RollingUpdate"});
    }
    if shape.complete && shape.rich {
        spec["volumeClaimTemplates"] = json!([{"metadata": {"name": "entries"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}}]);
    }
    let mut metadata = json!({"name": NAME, "namespace": NAMESPACE, "labels": labels});
    let (count, words) = shape.annotations;
    if count > 0 {
        metadata["annotations"] =
            Value::Object((0..count).map(|number| note(number, words)).collect());
    }
    json!({"kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": metadata, "spec": spec})
}

/// A container that serves.
fn running(name: &str, shape: Shape) -> Value {
    let mut container = container(name, shape);
    let port = format!("{name}-http");
    container["ports"] = json!([{"name": port, "containerPort": 7070 + name.len()}]);
    if shape.complete {
        let probe =
            |path: &str| json!({"httpGet": {"path": path, "port": port}, "periodSeconds": 5});
        container["livenessProbe"] = probe("/health");
        container["readinessProbe"] = probe("/ready");
    }
    if shape.complete && shape.rich {
        container["startupProbe"] = container["livenessProbe"].clone();
        container["startupProbe"]["failureThreshold"] = json!(180);
        let claimed = json!({"name": "entries", "mountPath": "/var/lib/ledger"});
        container["volumeMounts"]
            .as_array_mut()
            .expect("a list")
            .push(claimed);
    }
    container
}

fn container(name: &str, shape: Shape) -> Value {
    let variable = |number: usize| json!({"name": format!("LEDGER_SETTING_{number}"), "value": format!("value-{number}")});
    let env: Vec<_> = (0..shape.env).map(variable).collect();
    let mut container = json!({
        "name": name, "image": format!("registry.example/{name}:3.2.1"), "env": env,
        "resources": {"requests": {"cpu": "100m", "memory": "192Mi"}, "limits": {"memory": "192Mi"}},
    });
    if shape.rich {
        container["securityContext"] = json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]}});
        container["volumeMounts"] = json!([
            {"name": "settings", "mountPath": "/etc/ledger", "readOnly": true},
            {"name": "credentials", "mountPath": "/etc/ledger-credentials", "readOnly": true},
            {"name": "scratch", "mountPath": "/tmp"},
        ]);
    }
    container
}

/// An annotation with configuration in it.
fn note(number: usize, words: usize) -> (String, Value) {
    let words = (0..words).map(|word| format!("setting-{number}-{word}"));
    let text = words.collect::<Vec<_>>().join(" ");
    (format!("config.example/part-{number}"), Value::from(text))
}

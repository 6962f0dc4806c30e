//! What the API server itself does, on which the webhook builds.

use anyhow::{Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::tests;

tests![
    is_the_pinned_release,
    fills_in_the_defaults_of_a_stateful_set
];

fn is_the_pinned_release(cluster: &Cluster) -> Result<()> {
    let wanted = cluster.binaries().kubernetes_version()?;
    let server = cluster.block_on(cluster.client().apiserver_version())?;
    ensure!(
        server.git_version == wanted,
        "it is {}, not {wanted}",
        server.git_version
    );

    let version = cluster.kubectl(&["version", "--output=json"]).succeed()?;
    let version: Value = serde_json::from_str(&version.stdout)?;
    ensure!(
        version["serverVersion"]["gitVersion"] == wanted,
        "kubectl sees {version}"
    );
    Ok(())
}

/// Mutating webhooks run after this, so what a user left out, they see as written.
fn fills_in_the_defaults_of_a_stateful_set(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("defaults")?;
    let minimal = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "bare"},
        "spec": {
            "selector": {"matchLabels": {"app": "bare"}},
            "template": {
                "metadata": {"labels": {"app": "bare"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1.29", "readinessProbe": {"tcpSocket": {"port": 80}}}]},
            },
        },
    });
    let args = ["create", "--dry-run=server", "--output=json", "-f", "-"];
    let answer = namespace
        .kubectl(&args)
        .stdin(minimal.to_string())
        .succeed()?;
    let seen: Value = serde_json::from_str(&answer.stdout)?;

    let pinned = cluster
        .binaries()
        .kubernetes_version()?
        .starts_with("v1.37.");
    let rolling = if pinned {
        json!({"partition": 0, "maxUnavailable": 1})
    } else {
        seen["spec"]["updateStrategy"]["rollingUpdate"].clone()
    };
    for (pointer, wanted) in [
        ("/spec/serviceName", json!("")),
        ("/spec/replicas", json!(1)),
        ("/spec/revisionHistoryLimit", json!(10)),
        ("/spec/podManagementPolicy", json!("OrderedReady")),
        (
            "/spec/updateStrategy",
            json!({"type": "RollingUpdate", "rollingUpdate": rolling}),
        ),
        (
            "/spec/persistentVolumeClaimRetentionPolicy",
            json!({"whenDeleted": "Retain", "whenScaled": "Retain"}),
        ),
        ("/spec/template/spec/restartPolicy", json!("Always")),
        (
            "/spec/template/spec/terminationGracePeriodSeconds",
            json!(30),
        ),
        (
            "/spec/template/spec/containers/0/imagePullPolicy",
            json!("IfNotPresent"),
        ),
        (
            "/spec/template/spec/containers/0/readinessProbe",
            json!({"tcpSocket": {"port": 80}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}),
        ),
    ] {
        ensure!(
            seen.pointer(pointer) == Some(&wanted),
            "{pointer} is not {wanted} in {seen:#}"
        );
    }
    for absent in [
        "/spec/minReadySeconds",
        "/spec/ordinals",
        "/spec/volumeClaimTemplates",
    ] {
        ensure!(
            seen.pointer(absent).is_none(),
            "{absent} is there in {seen:#}"
        );
    }
    let left = cluster.block_on(namespace.api::<StatefulSet>().get_opt("bare"))?;
    ensure!(left.is_none(), "a dry run left the set behind");
    Ok(())
}

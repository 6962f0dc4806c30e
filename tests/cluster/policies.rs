//! A policy file decides, through a real client.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::judged::Judged;
use crate::lab::{PYTHON, Way};
use crate::objects::{ensure_equal, ensure_nothing_stored, record_of, stored, warnings};
use crate::tests;
use crate::webhook::Webhook;

tests![
    a_previewed_fix_is_described_and_not_made,
    a_raised_level_denies,
    parameters_decide_what_is_injected,
];

fn under<'c>(cluster: &'c Cluster, prefix: &str, rules: &Value) -> Result<Judged<'c>> {
    let policy = json!({
        "apiVersion": "steadfast.dev/v1alpha1", "kind": "StatefulSetPolicy",
        "metadata": {"name": prefix}, "spec": {"rules": rules},
    });
    let webhook = Webhook::new().policy(policy.to_string());
    Judged::by(cluster.namespace(prefix)?, webhook)
}

fn a_previewed_fix_is_described_and_not_made(cluster: &Cluster) -> Result<()> {
    let rules = json!({"missing-readiness-probe": {"fix": "preview"}});
    let judged = under(cluster, "preview", &rules)?;
    let output = PYTHON.submit(&judged.namespace, Way::Apply, true)?;
    let set = stored(&judged.namespace, PYTHON.set)?;

    let mut expected = PYTHON.record();
    let entries = expected["injected"].as_array_mut().expect("a list");
    entries.retain(|entry| entry["rule"] != "missing-readiness-probe");
    ensure_equal("record", &record_of(&set)?, &expected)?;
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    ensure!(container.get("readinessProbe").is_none(), "{container:#}");
    ensure!(container.get("livenessProbe").is_some(), "{container:#}");
    let wanted = "missing-readiness-probe: container app-python has no readiness probe; \
                  the fix, on preview, would have added tcpSocket http, every 10 s";
    ensure!(
        warnings(&output).iter().any(|warning| warning == wanted),
        "{output}"
    );
    Ok(())
}

/// Without a port nothing can be injected, so the finding is left.
fn a_raised_level_denies(cluster: &Cluster) -> Result<()> {
    const NO_PORT: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: worker}
spec:
  serviceName: worker
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec: {containers: [{name: worker, image: 'worker:1'}]}
";
    let create = ["create", "-f", "-"];
    let rules = json!({"missing-readiness-probe": {"level": "deny"}});
    let judged = under(cluster, "deny", &rules)?;
    let denied = judged.namespace.kubectl(&create).stdin(NO_PORT).fail()?;
    for part in [
        "Error from server (Forbidden)",
        "1 problem\nmissing-readiness-probe: container worker has no readiness probe\n",
        "  at     spec.template.spec.containers[worker].readinessProbe\n",
    ] {
        ensure!(denied.stderr.contains(part), "not `{part}`: {denied}");
    }
    ensure_nothing_stored(&judged.namespace)?;
    // What can be mended is mended first, and nothing is left to deny.
    PYTHON.submit(&judged.namespace, Way::Create, true)?;

    // The counterproof: the built-in level only warns.
    let built_in = Judged::start(cluster, "warn")?;
    let warned = built_in
        .namespace
        .kubectl(&create)
        .stdin(NO_PORT)
        .succeed()?;
    let said = warnings(&warned);
    ensure!(
        said.iter()
            .any(|line| line.starts_with("missing-readiness-probe: ")),
        "{warned}"
    );
    Ok(())
}

fn parameters_decide_what_is_injected(cluster: &Cluster) -> Result<()> {
    let rules = json!({
        "dangling-volume-mount": {"params": {"storage": "3Gi", "storageClassName": "standard"}},
        "missing-service-name": {"params": {"name": "{name}-peers"}},
        "missing-readiness-probe": {"params": {"periodSeconds": 7}},
        "missing-liveness-probe": {"params": {"killAfterSeconds": 300, "startupBudgetSeconds": 600}},
        "implicit-update-strategy": {"params": {"type": "OnDelete"}},
        "disallowed-update-strategy": {"level": "off"},
    });
    let judged = under(cluster, "params", &rules)?;
    // Whether the strategy was left out is seen of an apply, of either kind, and not of a plain create.
    let rolling =
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}});
    for (way, strategy) in [
        (Way::Apply, json!({"type": "OnDelete"})),
        (Way::ServerSide, json!({"type": "OnDelete"})),
        (Way::Create, rolling),
    ] {
        PYTHON.submit(&judged.namespace, way, true)?;
        let set = stored(&judged.namespace, PYTHON.set)?;
        let spec = &set["spec"];
        let container = &spec["template"]["spec"]["containers"][0];
        let claim = &spec["volumeClaimTemplates"][0]["spec"];
        for (what, actual, wanted) in [
            ("strategy", &spec["updateStrategy"], strategy),
            (
                "serviceName",
                &spec["serviceName"],
                json!("app-python-helm-peers"),
            ),
            (
                "size",
                &claim["resources"]["requests"]["storage"],
                json!("3Gi"),
            ),
            ("class", &claim["storageClassName"], json!("standard")),
            (
                "period",
                &container["readinessProbe"]["periodSeconds"],
                json!(7),
            ),
            (
                "kills",
                &container["livenessProbe"]["failureThreshold"],
                json!(15),
            ),
            (
                "budget",
                &container["startupProbe"]["failureThreshold"],
                json!(60),
            ),
        ] {
            ensure_equal(&format!("{what} by {way:?}"), actual, &wanted)?;
        }
        PYTHON.withdraw(&judged.namespace, way)?;
    }
    Ok(())
}

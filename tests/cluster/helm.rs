//! Charts install here as they would elsewhere: Helm waits for a Deployment, and its pods come up.

use std::fs;

use anyhow::{Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;

use crate::cluster::Cluster;
use crate::tests;

tests![waits_for_an_installed_deployment];

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: app, image: app:1}]}
";

fn waits_for_an_installed_deployment(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("helm")?;
    let chart = cluster.folder().join("chart");
    fs::create_dir_all(chart.join("templates"))?;
    fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: app\nversion: 1.0.0\n",
    )?;
    fs::write(chart.join("values.yaml"), "replicas: 1\n")?;
    fs::write(chart.join("templates/deployment.yaml"), DEPLOYMENT)?;

    let chart = chart.display().to_string();
    namespace
        .helm(&[
            "install",
            "app",
            &chart,
            "--set=replicas=2",
            "--wait",
            "--timeout=60s",
        ])
        .succeed()?;
    let deployment: Deployment = namespace.get("app")?;
    let available = deployment
        .status
        .and_then(|status| status.available_replicas);
    ensure!(
        available == Some(2),
        "helm returned with {available:?} pods available"
    );

    namespace.helm(&["uninstall", "app", "--wait"]).succeed()?;
    let left = cluster.block_on(namespace.api::<Deployment>().get_opt("app"))?;
    ensure!(
        left.is_none(),
        "uninstalled, and the Deployment is still there"
    );
    Ok(())
}

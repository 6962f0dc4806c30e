//! The life of a release of deploy/chart.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::lab::PYTHON;
use crate::namespace::Namespace;
use crate::objects::ensure_equal;
use crate::pki::Authority;
use crate::registration::{CHART, install, only};
use crate::tests;

tests![
    a_request_waits_four_seconds_at_most,
    installing_twice_renders_the_same,
    an_unchanged_upgrade_writes_nothing_to_the_configurations,
    uninstalling_leaves_nothing_behind,
];

/// Everything that the chart can render, for one namespace, with nobody to answer.
fn everything(namespace: &Namespace<'_>) -> Result<Value> {
    let policy = json!({
        "apiVersion": "steadfast.dev/v1alpha1", "kind": "StatefulSetPolicy",
        "metadata": {"name": "strict"}, "spec": {"profile": "strict"},
    });
    Ok(json!({
        "replicas": 2,
        "tls": {"caBundle": BASE64.encode(Authority::new("chart")?.pem()), "secretName": "steadfast-tls"},
        "webhook": {"failurePolicy": "Fail", "namespaceSelector": [only(namespace)]},
        "policies": {"strict.yaml": policy},
    }))
}

/// The API server may ask the first webhook once more, where another webhook's change followed it.
fn a_request_waits_four_seconds_at_most(cluster: &Cluster) -> Result<()> {
    let (home, namespace) = (cluster.namespace("steadfast")?, cluster.namespace("waits")?);
    install(&home, &everything(&namespace)?)?;
    let mut calls = Vec::new();
    for configuration in configurations(&home)?.as_array().into_iter().flatten() {
        for webhook in configuration["webhooks"].as_array().into_iter().flatten() {
            let again = webhook["reinvocationPolicy"] == "IfNeeded";
            let seconds = webhook["timeoutSeconds"].as_u64().context("no timeout")?;
            calls.push((webhook["name"].to_string(), again, seconds));
        }
    }
    home.helm(&["uninstall", home.name()]).succeed()?;
    let longest: u64 = calls
        .iter()
        .map(|(_, again, s)| if *again { 2 * s } else { *s })
        .sum();
    ensure!(calls.len() == 2 && longest == 4, "{longest} s: {calls:?}");
    Ok(())
}

fn installing_twice_renders_the_same(cluster: &Cluster) -> Result<()> {
    let (home, namespace) = (
        cluster.namespace("steadfast")?,
        cluster.namespace("rendered")?,
    );
    let values = everything(&namespace)?;
    let manifest = || -> Result<String> {
        install(&home, &values)?;
        let manifest = home
            .helm(&["get", "manifest", home.name()])
            .succeed()?
            .stdout;
        home.helm(&["uninstall", home.name(), "--wait"]).succeed()?;
        Ok(manifest)
    };
    let (first, second) = (manifest()?, manifest()?);
    ensure!(
        first.contains("kind: PodDisruptionBudget"),
        "not everything: {first}"
    );
    ensure!(first == second, "first\n{first}\nthen\n{second}");
    Ok(())
}

fn an_unchanged_upgrade_writes_nothing_to_the_configurations(cluster: &Cluster) -> Result<()> {
    let (home, namespace) = (
        cluster.namespace("steadfast")?,
        cluster.namespace("upgraded")?,
    );
    let values = everything(&namespace)?;
    install(&home, &values)?;
    let before = configurations(&home)?;
    let upgrade = |values: &Value| {
        let upgrade = home.helm(&["upgrade", home.name(), CHART, "--values", "-"]);
        upgrade.stdin(values.to_string()).succeed()
    };
    upgrade(&values)?;
    ensure_equal("the configurations", &configurations(&home)?, &before)?;

    // The counterproof: another value is seen there.
    let mut values = values;
    values["webhook"]["failurePolicy"] = json!("Ignore");
    upgrade(&values)?;
    ensure!(
        configurations(&home)? != before,
        "the upgrade changed nothing"
    );
    home.helm(&["uninstall", home.name()]).succeed().map(drop)
}

/// Both configurations, each with its resourceVersion.
fn configurations(home: &Namespace<'_>) -> Result<Value> {
    let kinds = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
    let label = format!("--selector=app.kubernetes.io/instance={}", home.name());
    let list = home.kubectl(&[
        "get",
        kinds,
        &label,
        "--output=json",
        "--show-managed-fields",
    ]);
    let list: Value = serde_json::from_str(&list.succeed()?.stdout)?;
    let items = list["items"].clone();
    ensure!(
        items.as_array().is_some_and(|items| items.len() == 2),
        "{list:#}"
    );
    Ok(items)
}

/// Neither in its namespace nor for the whole cluster; and a set that it stood in the way of can be made.
fn uninstalling_leaves_nothing_behind(cluster: &Cluster) -> Result<()> {
    let (home, namespace) = (cluster.namespace("steadfast")?, cluster.namespace("freed")?);
    let (inside, outside) = (in_namespace(&home)?, for_cluster(&home)?);
    ensure!(outside.is_empty(), "there before: {outside:?}");
    install(&home, &everything(&namespace)?)?;
    // Two configurations, a role and its binding.
    ensure!(for_cluster(&home)?.len() == 4, "{:?}", for_cluster(&home)?);
    let create = || {
        namespace
            .kubectl(&["create", "-f", "-"])
            .stdin(PYTHON.complete)
    };
    let dry = || create().args(&["--dry-run=server"]);
    eventually(SOON, "the release is in the way", || dry().fail())?;

    home.helm(&["uninstall", home.name(), "--wait"]).succeed()?;
    ensure!(for_cluster(&home)?.is_empty(), "{:?}", for_cluster(&home)?);
    // Pods and slices go after the objects that they belong to.
    eventually(SOON, "the namespace is as it was before", || {
        let left = in_namespace(&home)?;
        ensure!(left == inside, "{left:?} is not {inside:?}");
        Ok(())
    })?;
    eventually(SOON, "the API server forgets the webhooks", || {
        dry().succeed()
    })?;
    create().succeed().map(drop)
}

/// Every object of the namespace but events, by name.
fn in_namespace(home: &Namespace<'_>) -> Result<Vec<String>> {
    names(home, "--namespaced=true", "")
}

/// Every cluster-scoped object that bears the release's label.
fn for_cluster(home: &Namespace<'_>) -> Result<Vec<String>> {
    let label = format!("--selector=app.kubernetes.io/instance={}", home.name());
    names(home, "--namespaced=false", &label)
}

fn names(home: &Namespace<'_>, scope: &str, selector: &str) -> Result<Vec<String>> {
    let list = ["api-resources", "--verbs=list", "--output=name", scope];
    let kinds = home.kubectl(&list).succeed()?.stdout;
    let kinds: Vec<_> = kinds
        .lines()
        .filter(|kind| !kind.starts_with("events"))
        .collect();
    let mut get = vec!["get", "--output=name", "--ignore-not-found"];
    let kinds = kinds.join(",");
    get.push(&kinds);
    get.extend(Some(selector).filter(|selector| !selector.is_empty()));
    let found = home.kubectl(&get).succeed()?.stdout;
    let mut names: Vec<_> = found.lines().map(str::to_owned).collect();
    names.sort_unstable();
    Ok(names)
}

//! What the server asks the API server, and what it may ask there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use steadfast::cluster::{Fact, Live, Lookup, Outcome, Unseen};
use steadfast::rule::Question;

use crate::access::account;
use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::namespace::Namespace;
use crate::pki::Authority;
use crate::registration::{install, only};
use crate::tests;

tests![
    every_template_of_a_set_is_found,
    the_chart_grants_what_is_looked_up_and_no_more,
];

/// Time enough on any machine.
const AMPLE: Duration = Duration::from_mins(1);

fn set(name: &str, image: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name},
        "spec": {
            "replicas": 1, "serviceName": "web",
            "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]},
            "template": {
                "metadata": {"labels": {"app": "web", "tier": "front"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    })
    .to_string()
}

/// Applies the set and waits until its controller has written the revision.
fn roll_out(namespace: &Namespace<'_>, name: &str, image: &str) -> Result<()> {
    namespace.apply(&set(name, image))?;
    namespace.wait(name, "is known to its controller", |set: &StatefulSet| {
        let observed = set.status.as_ref().and_then(|s| s.observed_generation);
        observed.is_some() && observed == set.metadata.generation
    })?;
    Ok(())
}

/// What came of asking for the set's revisions, and the images in them.
fn images(
    namespace: &Namespace<'_>,
    client: Client,
    set: &str,
) -> Result<(Outcome, BTreeSet<String>)> {
    let live = Live::new(client, vec![Lookup::ControllerRevisions], Arc::new(Unseen));
    let live = live.within(AMPLE);
    let question = Question::ControllerRevisions {
        namespace: namespace.name().to_owned(),
        set: set.to_owned(),
        selector: "app=web,tier".to_owned(),
    };
    let mut asked = namespace.cluster().block_on(live.ask(&[question]));
    let asked = asked.pop().context("nothing was asked")?;
    let found = match asked.fact {
        Ok(Fact::Revisions(_, _, found)) => found.items,
        Ok(other) => anyhow::bail!("it was not asked for {other:?}"),
        Err(_) => Vec::new(),
    };
    let images = found.iter().map(|revision| {
        let image = &revision.data.0["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap_or_default().to_owned()
    });
    Ok((asked.outcome, images.collect()))
}

/// Another set with the same labels stands beside it: the selector finds its revisions too.
fn every_template_of_a_set_is_found(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("revisions")?;
    let found = || images(&namespace, cluster.client(), "web");
    ensure!(found()? == (Outcome::Answered, BTreeSet::new()));
    roll_out(&namespace, "other", "nginx:1")?;
    for image in ["nginx:1.27", "nginx:1.28", "nginx:1.29", "nginx:1.28"] {
        roll_out(&namespace, "web", image)?;
    }
    let all = ["nginx:1.27", "nginx:1.28", "nginx:1.29"].map(str::to_owned);
    let found = found()?;
    ensure!(found == (Outcome::Answered, all.into()), "{found:?}");
    Ok(())
}

pub(crate) fn client(cluster: &Cluster, kubeconfig: &Path) -> Result<Client> {
    cluster.block_on(async {
        let read = Kubeconfig::read_from(kubeconfig)?;
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(read, &options).await?;
        config.proxy_url = None;
        // What was refused is the answer.
        config.default_retry = false;
        Ok(Client::try_from(config)?)
    })
}

/// What an account may do, a line each.
fn rights(cluster: &Cluster, kubeconfig: &Path) -> Result<BTreeSet<String>> {
    let file = format!("--kubeconfig={}", kubeconfig.display());
    let list = ["auth", "can-i", "--list", "--no-headers", &file];
    let rights = cluster.kubectl(&list).succeed()?.stdout;
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(rights.lines().map(words).collect())
}

/// A pod of the release.
fn pod(home: &Namespace<'_>) -> Result<Value> {
    eventually(SOON, "the release has a pod", || {
        let (pods, all) = (home.api::<Pod>(), ListParams::default());
        let pods = home.cluster().block_on(pods.list(&all))?;
        let pod = pods.items.into_iter().next().context("no pod")?;
        Ok(serde_json::to_value(pod.spec)?)
    })
}

/// Whether the API server gave the pod a token, and whether it is told to use it: both or none.
fn uses_token(pod: &Value) -> Result<bool> {
    let volumes = pod["volumes"].as_array().into_iter().flatten();
    let token = volumes
        .filter_map(|volume| volume["name"].as_str())
        .any(|name| name.starts_with("kube-api-access-"));
    let args = pod["containers"][0]["args"]
        .as_array()
        .into_iter()
        .flatten();
    let told = args
        .filter_map(Value::as_str)
        .any(|arg| arg.starts_with("--lookups="));
    ensure!(token == told, "token: {token}, told: {told}: {pod:#}");
    Ok(token)
}

/// Compared with an account to which nobody granted anything.
fn the_chart_grants_what_is_looked_up_and_no_more(cluster: &Cluster) -> Result<()> {
    let (home, namespace) = (
        cluster.namespace("steadfast")?,
        cluster.namespace("granted")?,
    );
    let ca = BASE64.encode(Authority::new("chart")?.pem());
    let values = |lookups: &[&str]| {
        json!({
            "replicas": 1, "lookups": lookups, "tls": {"caBundle": ca, "secretName": "steadfast-tls"},
            "webhook": {"namespaceSelector": [only(&namespace)]},
        })
    };
    roll_out(&namespace, "web", "nginx:1.29")?;
    let all = [
        "services",
        "storageclasses",
        "persistentvolumeclaims",
        "controllerrevisions",
        "poddisruptionbudgets",
    ];
    let namespaces = "namespaces [] [] [get list watch]";
    let revisions = "controllerrevisions.apps [] [] [list]";
    for (lookups, granted, outcome) in [
        (
            &all[..],
            &[
                revisions,
                namespaces,
                "persistentvolumeclaims [] [] [list]",
                "poddisruptionbudgets.policy [] [] [list watch]",
                "services [] [] [get list watch]",
                "storageclasses.storage.k8s.io [] [] [list watch]",
            ][..],
            Outcome::Answered,
        ),
        (&all[3..4], &[revisions, namespaces], Outcome::Answered),
        (&[], &[], Outcome::Refused),
    ] {
        install(&home, &values(lookups))?;
        let (own, other) = (account(&home, home.name())?, account(&home, "default")?);
        let (may, anybody) = (rights(cluster, &own)?, rights(cluster, &other)?);
        let more: Vec<_> = may.difference(&anybody).collect();
        ensure!(more == granted, "{more:?}");
        let found = images(&namespace, client(cluster, &own)?, "web")?;
        ensure!(found.0 == outcome, "{lookups:?}: {found:?}");
        ensure!(
            found.1.len() == lookups.len().min(1),
            "{lookups:?}: {found:?}"
        );
        let spec = pod(&home)?;
        ensure!(uses_token(&spec)? != lookups.is_empty(), "{spec:#}");
        home.helm(&["uninstall", home.name(), "--wait"]).succeed()?;
    }
    Ok(())
}

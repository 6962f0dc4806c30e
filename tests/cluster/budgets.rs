//! Budgets of evictions: what the webhook says of one is what the API server does with it.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::{EvictParams, PostParams};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::granted::{Granted, create, said, set};
use crate::judged::Judged;
use crate::lookups::client;
use crate::namespace::Namespace;
use crate::tests;
use crate::webhook::Webhook;

tests![
    what_is_said_of_a_budget_is_what_it_allows,
    who_is_said_to_stay_is_not_evicted,
];

/// A set with three ready pods, under the eyes of a webhook that looks up budgets and nothing else.
fn three<'c>(cluster: &'c Cluster, granted: &Granted<'_>, prefix: &str) -> Result<Judged<'c>> {
    let webhook = Webhook::new()
        .flag("--lookups=poddisruptionbudgets")
        .kubeconfig(granted.access()?);
    let judged = Judged::by(cluster.namespace(prefix)?, webhook)?;
    let mut set = set("db", "db");
    set["spec"]["replicas"] = json!(3);
    set["spec"]["serviceName"] = json!("db");
    set["spec"]["template"]["metadata"]["labels"]["tier"] = json!("back");
    create(&judged.namespace, &[set])?;
    let ready = |set: &StatefulSet| {
        let status = set.status.as_ref();
        status.is_some_and(|status| status.ready_replicas == Some(3))
    };
    judged.namespace.wait("db", "has three ready pods", ready)?;
    Ok(judged)
}

fn budget(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec})
}

fn replace(namespace: &Namespace<'_>, budget: &Value) -> Result<()> {
    let replace = namespace.kubectl(&["replace", "-f", "-"]);
    replace.stdin(budget.to_string()).succeed()?;
    Ok(())
}

/// Whether the budget lets one of the three pods go, as its controller has it.
fn lets_go(namespace: &Namespace<'_>, name: &str) -> Result<bool> {
    let is_counted = |budget: &PodDisruptionBudget| {
        budget.status.as_ref().is_some_and(|status| {
            status.observed_generation == budget.metadata.generation
                && status.current_healthy == Some(3)
        })
    };
    let budget = namespace.wait(name, "has counted the three pods", is_counted)?;
    let status = budget.status.context("it has just been seen")?;
    Ok(status.disruptions_allowed > Some(0))
}

/// Waits until a write to the set is told this, or no longer.
fn is_told(namespace: &Namespace<'_>, words: &str, told: bool) -> Result<()> {
    let label = [
        "label",
        "statefulset",
        "db",
        "again=yes",
        "--overwrite",
        "--dry-run=server",
    ];
    let what = if told { "is" } else { "is not" };
    eventually(SOON, &format!("{words:?} {what} said"), || {
        let output = namespace.kubectl(&label).succeed()?;
        ensure!(said(&output, words) == told, "{output}");
        Ok(())
    })
}

/// One budget, changed again and again, so that what is said of it changes each time.
fn what_is_said_of_a_budget_is_what_it_allows(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = three(cluster, &granted, "budget")?;
    let namespace = &judged.namespace;
    let app = json!({"matchLabels": {"app": "db"}});
    let expressions = json!({"matchExpressions": [
        {"key": "app", "operator": "In", "values": ["db", "web"]},
        {"key": "app", "operator": "Exists"},
        {"key": "tier", "operator": "NotIn", "values": ["front"]},
        {"key": "zone", "operator": "DoesNotExist"},
    ]});
    let away = json!({"maxUnavailable": 1, "selector": app});
    create(namespace, &[budget("db", &away)])?;
    for (spec, goes) in [
        (json!({"maxUnavailable": 0, "selector": app}), false),
        (away, true),
        (json!({"minAvailable": 3, "selector": app}), false),
        (json!({"minAvailable": 2, "selector": app}), true),
        (json!({"minAvailable": "67%", "selector": app}), false),
        (json!({"minAvailable": "66%", "selector": app}), true),
        (
            json!({"maxUnavailable": "0%", "selector": expressions}),
            false,
        ),
        (
            json!({"maxUnavailable": "1%", "selector": expressions}),
            true,
        ),
        (json!({"selector": app}), false),
        (json!({"minAvailable": 1, "selector": {}}), true),
        (json!({"minAvailable": "100%", "selector": {}}), false),
    ] {
        replace(namespace, &budget("db", &spec))?;
        ensure!(lets_go(namespace, "db")? == goes, "{spec}");
        let words = "PodDisruptionBudget db never lets one of these pods be evicted";
        is_told(namespace, words, !goes).with_context(|| spec.to_string())?;
    }
    Ok(())
}

/// Why the API server would not evict the pod; none where it would.
fn refusal(namespace: &Namespace<'_>, pod: &str) -> Result<Option<String>> {
    let params = EvictParams {
        post_options: PostParams {
            dry_run: true,
            ..PostParams::default()
        },
        ..EvictParams::default()
    };
    let cluster = namespace.cluster();
    let client = client(cluster, cluster.kubeconfig())?;
    let pods: Api<Pod> = Api::namespaced(client, namespace.name());
    match cluster.block_on(pods.evict(pod, &params)) {
        // What is said of several budgets may come as the body of a success.
        Ok(status) => Ok(status.is_failure().then_some(status.message)),
        Err(kube::Error::Api(status)) => Ok(Some(status.message.clone())),
        Err(error) => Err(error).context("the API server does not say"),
    }
}

fn who_is_said_to_stay_is_not_evicted(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = three(cluster, &granted, "evicted")?;
    let namespace = &judged.namespace;
    let refused = |words: &str| -> Result<()> {
        let refusal = refusal(namespace, "db-0")?;
        let is_so = refusal.as_ref().is_some_and(|said| said.contains(words));
        ensure!(is_so, "{words:?} is not in {refusal:?}");
        Ok(())
    };
    let app = json!({"matchLabels": {"app": "db"}});
    create(
        namespace,
        &[budget("db", &json!({"maxUnavailable": 0, "selector": app}))],
    )?;
    ensure!(!lets_go(namespace, "db")?);
    refused("would violate the pod's disruption budget")?;

    let away = json!({"maxUnavailable": 1, "selector": app});
    replace(namespace, &budget("db", &away))?;
    ensure!(lets_go(namespace, "db")?);
    let refusal = refusal(namespace, "db-0")?;
    ensure!(refusal.is_none(), "{refusal:?}");

    create(namespace, &[budget("other", &away)])?;
    refused("more than one PodDisruptionBudget")?;
    is_told(
        namespace,
        "2 PodDisruptionBudgets select these pods: db, other",
        true,
    )
}

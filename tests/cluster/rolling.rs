//! Processes are replaced while the API server calls: no call is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::balancer::Balancer;
use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::judged::with_lab;
use crate::namespace::Namespace;
use crate::registration::{Registration, service_name};
use crate::tests;
use crate::webhook::{Running, Webhook};

tests![no_call_is_lost_while_three_processes_are_replaced];

/// 50 writes a second, to one set after the other.
const PACE: Duration = Duration::from_millis(20);
const SETS: usize = 10;

/// A third of the default, on a machine where nothing else hurries. Too short a one leaves connections idle to the end, and a
/// call that meets the end of its connection is lost.
const SHUTDOWN_DELAY: u16 = 5;

fn set(number: usize) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": format!("web-{number}")},
        "spec": {
            "replicas": 0, "serviceName": "web",
            "selector": {"matchLabels": {"app": "web", "number": number.to_string()}},
            "template": {
                "metadata": {"labels": {"app": "web", "number": number.to_string()}},
                "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    })
    .to_string()
}

/// What came of the writes.
#[derive(Default)]
struct Written {
    succeeded: usize,
    failed: Vec<String>,
}

/// Writes at its pace until it is told to stop.
fn write(namespace: &Namespace<'_>, stop: Arc<AtomicBool>) -> JoinHandle<Written> {
    let sets: Api<StatefulSet> = namespace.api();
    namespace.cluster().spawn(async move {
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut running, mut number) = (JoinSet::new(), 0_usize);
        while !stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            number += 1;
            let (sets, name) = (sets.clone(), format!("web-{}", number % SETS));
            let patch = json!({"metadata": {"annotations": {"number": number.to_string()}}});
            running.spawn(async move {
                let patch = Patch::Merge(patch);
                sets.patch(&name, &PatchParams::default(), &patch).await
            });
        }
        let mut written = Written::default();
        for outcome in running.join_all().await {
            match outcome {
                Ok(_) => written.succeeded += 1,
                Err(error) => written.failed.push(error.to_string()),
            }
        }
        written
    })
}

fn start(cluster: &Cluster, namespace: &Namespace<'_>, name: &str) -> Result<Running> {
    let webhook = Webhook::new().name(name).shutdown_delay(SHUTDOWN_DELAY);
    with_lab(webhook, namespace)?.start(cluster)
}

/// A slow machine must not look like a lost call.
fn be_patient(cluster: &Cluster, release: &str) -> Result<()> {
    let timeout = json!([{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 20}]);
    for kind in [
        "mutatingwebhookconfiguration",
        "validatingwebhookconfiguration",
    ] {
        let patch = [
            "patch",
            kind,
            release,
            "--type=json",
            "--patch",
            &timeout.to_string(),
        ];
        cluster.kubectl(&patch).succeed()?;
    }
    Ok(())
}

fn no_call_is_lost_while_three_processes_are_replaced(cluster: &Cluster) -> Result<()> {
    let (home, namespace) = (
        cluster.namespace("steadfast")?,
        cluster.namespace("rolling")?,
    );
    let name = service_name(&home);
    let mut servers = Vec::new();
    for _ in 0..6 {
        servers.push(start(cluster, &namespace, &name)?);
    }
    let new = servers.split_off(3);
    let authorities: String = servers.iter().chain(&new).map(Running::ca_pem).collect();
    let balancer = Balancer::start(cluster)?;
    for server in &servers {
        balancer.add(server);
    }
    let called: Vec<_> = servers.iter().collect();
    let release = home.name().to_owned();
    let _registration =
        Registration::behind(home, &namespace, balancer.port(), &authorities, &called)?;
    be_patient(cluster, &release)?;
    for number in 0..SETS {
        namespace.apply(&set(number))?;
    }

    let stop = Arc::<AtomicBool>::default();
    let writing = write(&namespace, Arc::clone(&stop));
    let mut logs = Vec::new();
    for (old, new) in servers.into_iter().zip(&new) {
        balancer.add(new);
        eventually(SOON, "each process is called", || {
            ensure!(calls(&old.log()) > 0, "it was not called: {}", old.log());
            Ok(())
        })?;
        let (status, log) = old.stop()?;
        ensure!(status.success(), "it ended with {status}: {log}");
        logs.push(log);
    }
    stop.store(true, Ordering::Relaxed);
    let written = cluster.block_on(writing).context("the writer ends")?;

    ensure!(
        written.failed.is_empty(),
        "{} succeeded, and {:#?} failed; connections that no process took: {:?}",
        written.succeeded,
        written.failed,
        balancer.refused()
    );
    ensure!(written.succeeded > 200, "only {} writes", written.succeeded);
    let late = |log: &String| Some(calls(log.split_once("Stopping: not ready")?.1));
    let late: usize = logs.iter().filter_map(late).sum();
    ensure!(late > 0, "nobody called a process that was about to end");
    Ok(())
}

/// How many calls a process answered.
fn calls(log: &str) -> usize {
    let answered = log.lines().filter(|line| line.contains("Answered"));
    answered.count()
}

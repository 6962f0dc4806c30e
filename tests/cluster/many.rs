//! Many Services, and many sets at once.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::granted::{Granted, asked, create, headless, judged, service_name, set};
use crate::namespace::Namespace;
use crate::registration::Registration;
use crate::tests;
use crate::webhook::Running;

tests![
    twenty_thousand_services_are_watched_in_128_mib,
    a_file_of_many_sets_is_named_to_its_end,
    many_sets_of_two_clients_are_named,
];

const SERVICES: usize = 20_000;

/// How many are made at a time.
const HANDS: usize = 64;

/// A Service as charts make them.
fn service(number: usize) -> Value {
    let instance = format!("payments-{number}");
    let selector = json!({
        "app.kubernetes.io/name": "postgresql", "app.kubernetes.io/instance": instance, "app.kubernetes.io/component": "primary",
    });
    let mut labels = selector.clone();
    labels["app.kubernetes.io/managed-by"] = json!("Helm");
    labels["app.kubernetes.io/version"] = json!("17.2.0");
    labels["helm.sh/chart"] = json!("postgresql-16.4.1");
    json!({
        "metadata": {
            "name": format!("{instance}-postgresql-hl"), "labels": labels,
            "annotations": {"meta.helm.sh/release-name": instance, "meta.helm.sh/release-namespace": "team"},
        },
        "spec": {
            "clusterIP": "None", "selector": selector, "publishNotReadyAddresses": true,
            "ports": [{"name": "tcp-postgresql", "port": 5432, "targetPort": "tcp-postgresql"}],
        },
    })
}

fn make_services(namespace: &Namespace<'_>) -> Result<()> {
    let (services, next): (Api<Service>, _) = (namespace.api(), AtomicUsize::new(0));
    let hand = async || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= SERVICES {
                return Ok(());
            }
            let service = serde_json::from_value(service(number))?;
            services.create(&PostParams::default(), &service).await?;
        }
    };
    let hands = (0..HANDS).map(|_| hand());
    namespace.cluster().block_on(try_join_all(hands))?;
    Ok(())
}

/// The most memory that the server ever had, in KiB; where the system does not tell, none.
fn peak(server: &Running) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid()?)).ok()?;
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// In a cluster of its own: nobody else is to have so many Services about him.
fn twenty_thousand_services_are_watched_in_128_mib(cluster: &Cluster) -> Result<()> {
    // What namespaces need, and nobody who would make an EndpointSlice for each Service.
    let alone = Cluster::with_controllers(cluster.binaries().clone(), "serviceaccount")?;
    let granted = Granted::install(&alone)?;
    let crowd = alone.namespace("crowd")?;
    make_services(&crowd)?;
    let judged = judged(&alone, "front", granted.access()?)?;
    let server = &judged.server;
    eventually(SOON, "all Services are watched", || {
        let log = server.log();
        let watches =
            |line: &&str| line.contains(" Watches ") && line.contains("kind=\"services\"");
        let line = log.lines().find(watches).context("not yet")?;
        let (_, number) = line.split_once("objects=").context("how many")?;
        ensure!(number.parse::<usize>()? >= SERVICES, "{line}");
        Ok(())
    })?;
    create(
        &judged.namespace,
        &[headless("db-hl", "db"), set("db", "db")],
    )?;
    ensure!(service_name(&judged.namespace, "db")? == "db-hl");
    let peak = peak(server);
    println!("{SERVICES} Services: {peak:?} KiB at most");
    ensure!(peak.is_none_or(|peak| peak < 128 << 10), "{peak:?} KiB");
    Ok(())
}

fn names() -> impl Iterator<Item = String> {
    (0..40).map(|number| format!("db-{number}"))
}

/// How many of the sets have no name; another than their own is wrong for ever.
fn unnamed(namespace: &Namespace<'_>) -> Result<u64> {
    let mut unnamed = 0;
    for name in names() {
        match &*service_name(namespace, &name)? {
            "" => unnamed += 1,
            found => ensure!(found == format!("{name}-hl"), "{name}: {found}"),
        }
    }
    Ok(unnamed)
}

/// How many questions of the kind were answered so.
fn came(server: &Running, cluster: &Cluster, outcome: &str) -> Result<u64> {
    let outcome = format!("outcome=\"{outcome}\"");
    let asked = asked(server, cluster)?;
    let of_services = |line: &&String| line.contains("services") && line.contains(&outcome);
    let lines = asked.iter().filter(of_services);
    Ok(lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum())
}

/// One file, as `kubectl apply` works through it: more sets than questions may be asked in a second.
fn a_file_of_many_sets_is_named_to_its_end(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "many", granted.access()?)?;
    let (namespace, server) = (&judged.namespace, &judged.server);
    let pair = |name: String| [headless(&format!("{name}-hl"), &name), set(&name, &name)];
    create(namespace, &names().flat_map(pair).collect::<Vec<_>>())?;
    // On a busy machine an answer may be late, and a turn too late for one.
    let late = came(server, cluster, "late")? + came(server, cluster, "unasked")?;
    let unnamed = unnamed(namespace)?;
    println!("40 sets of one client: {late} late, {unnamed} unnamed");
    ensure!(unnamed <= late, "{unnamed} unnamed, {late} late");
    Ok(())
}

/// Two clients ask for more than there is: then what is watched gives the name.
fn many_sets_of_two_clients_are_named(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "crowd", granted.access()?)?;
    let other = cluster.namespace("crowd")?;
    let also = Registration::by_url(&other, &judged.server)?;
    let services: Vec<_> = names()
        .map(|name| headless(&format!("{name}-hl"), &name))
        .collect();
    create(&judged.namespace, &services)?;
    create(&other, &services)?;
    let sets: Vec<_> = names().map(|name| set(&name, &name)).collect();
    let one = || create(&judged.namespace, &sets);
    let two = || create(&other, &sets);
    thread::scope(|scope| -> Result<()> {
        let beside = scope.spawn(two);
        one()?;
        beside.join().expect("it does not panic")?;
        Ok(())
    })?;
    let unnamed = unnamed(&judged.namespace)? + unnamed(&other)?;
    let (late, unasked) = (
        came(&judged.server, cluster, "late")?,
        came(&judged.server, cluster, "unasked")?,
    );
    println!("80 sets of two clients: {unasked} unasked, {late} late, {unnamed} unnamed");
    ensure!(unnamed <= late, "{unnamed} unnamed, {late} late");
    drop(also);
    Ok(())
}

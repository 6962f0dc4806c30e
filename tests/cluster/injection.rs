//! What a set lacks is injected when it is made, by whatever client, and a complete one is stored as it is.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use serde_json::Value;

use crate::cluster::Cluster;
use crate::invocation::Output;
use crate::judged::{Judged, with_lab};
use crate::lab::{LABS, Lab, PYTHON, WAYS, Way};
use crate::namespace::Namespace;
use crate::objects::{ensure_equal, parse, record_of, stored, warnings};
use crate::registration::{Registration, service_name};
use crate::tests;
use crate::webhook::Webhook;

tests![
    by_url_bare_sets_become_complete_and_complete_ones_stay,
    by_chart_bare_sets_become_complete_and_complete_ones_stay,
    is_called_over_both_versions_of_http,
    pods_of_a_bare_set_come_up_with_their_claims,
];

fn by_url_bare_sets_become_complete_and_complete_ones_stay(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "by-url")?;
    every_lab_in_every_way(&judged.namespace)
}

fn by_chart_bare_sets_become_complete_and_complete_ones_stay(cluster: &Cluster) -> Result<()> {
    let (home, namespace) = (
        cluster.namespace("steadfast")?,
        cluster.namespace("by-chart")?,
    );
    let webhook = Webhook::new().name(service_name(&home));
    let server = with_lab(webhook, &namespace)?.start(cluster)?;
    let _registration = Registration::by_chart(home, &namespace, &server)?;
    every_lab_in_every_way(&namespace)
}

/// A set must be stored as it is where no webhook is, had its owner written all of it: the control.
fn every_lab_in_every_way(namespace: &Namespace<'_>) -> Result<()> {
    let cluster = namespace.cluster();
    for bare in [true, false] {
        let control = cluster.namespace("control")?;
        for lab in &LABS {
            let whole = if bare {
                lab.bare_by_hand()?
            } else {
                parse(lab.complete)?
            };
            let create = control.kubectl(&["create", "-f", "-"]);
            create.stdin(whole.to_string()).succeed()?;
            let control = stored(&control, lab.set)?;
            for way in WAYS {
                let output = lab.submit(namespace, way, bare)?;
                let set = stored(namespace, lab.set)?;
                check(lab, way, bare, &output, &set, &control)
                    .with_context(|| format!("{} by {way:?}, bare: {bare}", lab.set))?;
                lab.withdraw(namespace, way)?;
            }
        }
    }
    Ok(())
}

fn check(
    lab: &Lab,
    way: Way,
    bare: bool,
    output: &Output,
    set: &Value,
    control: &Value,
) -> Result<()> {
    ensure_equal("spec", &set["spec"], &control["spec"])?;
    // Helm adds a label of its own.
    if !matches!(way, Way::Helm) {
        ensure_equal(
            "labels",
            &set["metadata"]["labels"],
            &control["metadata"]["labels"],
        )?;
    }
    let record = if bare { lab.record() } else { Value::Null };
    ensure_equal("record", &record_of(set)?, &record)?;

    let wanted = if bare { &lab.warnings()[..] } else { &[] };
    let said = warnings(output);
    // A finding of several sentences may take several warnings.
    let strange = said.iter().find(|warning| {
        !wanted
            .iter()
            .any(|(rule, _)| warning.starts_with(&format!("{rule}: ")))
    });
    ensure!(strange.is_none(), "{strange:?} is not wanted: {output}");
    for (rule, done) in wanted {
        let told = said.iter().any(|warning| {
            warning.starts_with(&format!("{rule}: ")) && warning.contains(done.as_str())
        });
        ensure!(told, "no warning of {rule} says `{done}`: {output}");
    }
    Ok(())
}

/// By URL to loopback the API server speaks HTTP/2; by Service, as in a real cluster, HTTP/1.1.
fn is_called_over_both_versions_of_http(cluster: &Cluster) -> Result<()> {
    let create = ["create", "--dry-run=server", "-f", "-"];
    for by_chart in [false, true] {
        let (home, namespace) = (
            cluster.namespace("steadfast")?,
            cluster.namespace("versions")?,
        );
        let webhook = Webhook::new().name(service_name(&home)).flag("--verbose");
        let server = with_lab(webhook, &namespace)?.start(cluster)?;
        let _registration = if by_chart {
            Registration::by_chart(home, &namespace, &server)?
        } else {
            Registration::by_url(&namespace, &server)?
        };
        namespace.kubectl(&create).stdin(PYTHON.bare).succeed()?;
        let log = server.log();
        for phase in ["mutate", "validate"] {
            let asked =
                |version: &str| log.contains(&format!("Asked phase=\"{phase}\" version={version}"));
            let versions = (asked("HTTP/1.1"), asked("HTTP/2.0"));
            ensure!(versions == (by_chart, !by_chart), "{phase}: {log}");
        }
    }
    Ok(())
}

fn pods_of_a_bare_set_come_up_with_their_claims(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "pods")?;
    let namespace = &judged.namespace;
    PYTHON.submit(namespace, Way::Apply, true)?;
    namespace.wait(PYTHON.set, "has two ready pods", |set: &StatefulSet| {
        set.status.as_ref().and_then(|status| status.ready_replicas) == Some(2)
    })?;
    for ordinal in 0..2 {
        let name = format!("app-python-helm-{ordinal}");
        let spec = namespace
            .get::<Pod>(&name)?
            .spec
            .context("a pod without spec")?;
        let (hostname, subdomain) = (spec.hostname.as_deref(), spec.subdomain.as_deref());
        ensure!(
            (hostname, subdomain) == (Some(&*name), Some("app-python-helm")),
            "{name} is {hostname:?} in {subdomain:?}"
        );
        let claim = format!("app-python-visits-{name}");
        let mounted = spec.volumes.into_iter().flatten().any(|volume| {
            volume
                .persistent_volume_claim
                .is_some_and(|source| source.claim_name == claim)
        });
        ensure!(mounted, "{name} has no volume from {claim}");
        namespace.wait(&claim, "is bound", |claim: &PersistentVolumeClaim| {
            let status = claim.status.as_ref();
            status.and_then(|status| status.phase.as_deref()) == Some("Bound")
        })?;
    }
    let claims = namespace
        .kubectl(&["get", "pvc", "--output=name"])
        .succeed()?;
    ensure!(claims.stdout.lines().count() == 2, "{claims}");
    Ok(())
}

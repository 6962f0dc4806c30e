//! What the catalogue injects passes the API server's own validation, for every workload, and comes back as it was sent.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use steadfast::admission;
use steadfast::cluster::Unseen;
use steadfast::policy::PolicySet;
use steadfast::workload::COMMON;

use crate::cluster::Cluster;
use crate::objects::ensure_equal;
use crate::running;
use crate::tests;

tests![every_probe_of_every_workload_is_valid];

const CONTAINER: &str = "/spec/template/spec/containers/0";

const FIELDS: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

/// Webhooks are registered for the namespaces of other tests only, so what is stored is what was sent and the API server's
/// defaults, of which the probes must leave none to fill in.
fn every_probe_of_every_workload_is_valid(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("catalogue")?;
    let mut sent = Vec::new();
    let mut probes = 0;
    for workload in COMMON.workloads() {
        let bare = running::set(workload);
        let verdict = admission::admit(
            &PolicySet::built_in(),
            &Unseen,
            namespace.name(),
            &bare,
            None,
        )?;
        let repaired = verdict.patched.unwrap_or(bare);
        let container = repaired.pointer(CONTAINER).context("a container")?;
        probes += FIELDS
            .iter()
            .filter(|field| !container[**field].is_null())
            .count();
        sent.push(repaired);
    }
    ensure!(
        probes > sent.len(),
        "{probes} probes for {} workloads",
        sent.len()
    );
    let all: Vec<_> = sent.iter().map(Value::to_string).collect();
    let create = namespace.kubectl(&["create", "--dry-run=server", "-o", "json", "-f", "-"]);
    let created = create.stdin(all.join("\n---\n")).succeed()?;
    let created = serde_json::Deserializer::from_str(&created.stdout).into_iter::<Value>();
    let created: Vec<_> = created
        .collect::<Result<_, _>>()
        .context("kubectl's output")?;
    ensure!(
        created.len() == sent.len(),
        "{} of {} came back",
        created.len(),
        sent.len()
    );
    for (sent, created) in sent.iter().zip(&created) {
        for field in FIELDS {
            let place = format!("{CONTAINER}/{field}");
            let of = |set: &Value| set.pointer(&place).cloned().unwrap_or_default();
            ensure_equal(
                &format!("{}: {field}", sent["metadata"]["name"]),
                &of(created),
                &of(sent),
            )?;
        }
    }
    Ok(())
}

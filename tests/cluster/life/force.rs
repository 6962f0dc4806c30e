//! `kubectl apply --force` deletes a set and makes it anew where the API server calls an update invalid. It comes to that
//! where a claim template that was injected stood in the manifest for a while, and the manifest then drops it.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::author::{bare, webhook};
use super::state::{SET, State};
use crate::cluster::Cluster;
use crate::invocation::Output;
use crate::judged::{Judged, with_lab};
use crate::namespace::Namespace;
use crate::objects::write;
use crate::registration::Registration;

crate::tests![
    with_the_webhook_the_claims_come_back,
    with_nobody_to_ask_nothing_is_written,
    where_the_webhook_may_be_passed_over_the_set_is_lost_and_its_claims_are_not,
];

/// A set whose author dropped the claim template again, and the manifest that does.
fn dropped(namespace: &Namespace<'_>) -> Result<(State, Value)> {
    let manifest = bare("Parallel");
    namespace.apply(&manifest.to_string())?;
    let mut adopted = manifest.clone();
    let state = State::at_rest(namespace)?;
    for field in ["volumeClaimTemplates", "serviceName"] {
        adopted["spec"][field] = state.set["spec"][field].clone();
    }
    write(|| {
        let apply = namespace.kubectl(&["apply", "-f", "-"]);
        apply.stdin(adopted.to_string()).run()
    })?;
    Ok((State::at_rest(namespace)?, manifest))
}

fn forces(namespace: &Namespace<'_>, manifest: &Value) -> Result<Output> {
    let force = ["apply", "--force", "-f", "-"];
    namespace.kubectl(&force).stdin(manifest.to_string()).run()
}

fn with_the_webhook_the_claims_come_back(cluster: &Cluster) -> Result<()> {
    let judged = Judged::by(cluster.namespace("force")?, webhook("baseline"))?;
    let (before, manifest) = dropped(&judged.namespace)?;
    let output = forces(&judged.namespace, &manifest)?;
    ensure!(output.status.success(), "{output}");
    let after = State::at_rest(&judged.namespace)?;
    after.keeps(&before)?;
    ensure!(after.metadata("uid") == before.metadata("uid"), "{output}");
    ensure!(after.pods == before.pods, "{output}");
    Ok(())
}

fn with_nobody_to_ask_nothing_is_written(cluster: &Cluster) -> Result<()> {
    let judged = Judged::by(cluster.namespace("force-fail")?, webhook("baseline"))?;
    let (before, manifest) = dropped(&judged.namespace)?;
    let (_registration, server, namespace) = judged.into_parts();
    server.stop()?;
    let output = forces(&namespace, &manifest)?;
    ensure!(!output.status.success(), "{output}");
    ensure!(output.stderr.contains("failed calling webhook"), "{output}");
    let after = State::at_rest(&namespace)?;
    ensure!(after.metadata("uid") == before.metadata("uid"), "{output}");
    after.is_same_write_as(&before)
}

/// What is to protect the set here comes with the way in which the webhook is installed; until then it is as it is without
/// a webhook. kubectl makes the set anew from the manifest or, as here, where the mount dangles now, from what was there.
fn where_the_webhook_may_be_passed_over_the_set_is_lost_and_its_claims_are_not(
    cluster: &Cluster,
) -> Result<()> {
    let namespace = cluster.namespace("force-ignore")?;
    let server = with_lab(webhook("baseline"), &namespace)?.start(cluster)?;
    let may_be_passed_over = json!({"failurePolicy": "Ignore"});
    let ca = server.ca_pem();
    let _registration = Registration::with(&namespace, server.port(), &ca, &may_be_passed_over)?;
    let (before, manifest) = dropped(&namespace)?;
    server.stop()?;
    let output = forces(&namespace, &manifest)?;
    ensure!(!output.status.success(), "{output}");
    let after = State::at_rest(&namespace)?;
    ensure!(
        after.metadata("uid") != before.metadata("uid"),
        "{SET} was not made anew: {output}"
    );
    after.keeps(&before)
}

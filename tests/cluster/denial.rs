//! What is refused, in which words, and what a dry run says about it.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::invocation::Output;
use crate::judged::Judged;
use crate::lab::{PYTHON, REFUSED, Way};
use crate::namespace::Namespace;
use crate::objects::{ensure_equal, ensure_nothing_stored, parse, stored, warnings};
use crate::tests;

tests![
    a_zero_grace_period_is_refused_with_reason_and_remedy,
    a_reason_on_the_set_waives_the_rule,
    apply_with_force_never_deletes_what_runs,
    a_dry_run_answers_like_the_real_request,
];

const PARAGRAPH: &str = "\
zero-grace-period: spec.template.spec.terminationGracePeriodSeconds is 0
  why    a forced delete can start a second app-python-helm-0 while the first still writes to the same volume
  fix    remove the line (30 is the default), or set 1 or more
  allow  annotation allow.steadfast.dev/zero-grace-period: \"<reason>\"";

fn a_zero_grace_period_is_refused_with_reason_and_remedy(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "refused")?;
    let namespace = &judged.namespace;
    let refused = namespace
        .kubectl(&["apply", "-f", "-"])
        .stdin(REFUSED)
        .fail()?;
    ensure!(refused.status.code() == Some(1), "{refused}");
    ensure!(refused.stdout.is_empty(), "{refused}");
    let wanted = format!(
        "Error from server (Forbidden): error when creating \"STDIN\": admission webhook \
         \"validate.steadfast.dev\" denied the request: StatefulSet {}/app-python-helm: 1 problem\n{PARAGRAPH}\n",
        namespace.name()
    );
    ensure!(refused.stderr == wanted, "not {wanted}but {refused}");
    ensure_nothing_stored(namespace)
}

fn a_reason_on_the_set_waives_the_rule(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "waived")?;
    let namespace = &judged.namespace;
    let mut set = parse(REFUSED)?;
    let waiver = "allow.steadfast.dev/zero-grace-period";
    set["metadata"]["annotations"] = json!({waiver: ""});
    let create = ["create", "-f", "-"];
    let without_reason = namespace.kubectl(&create).stdin(set.to_string()).fail()?;
    ensure!(
        without_reason.stderr.contains(PARAGRAPH),
        "{without_reason}"
    );

    set["metadata"]["annotations"] = json!({waiver: "a cache that may start empty"});
    let accepted = namespace
        .kubectl(&create)
        .stdin(set.to_string())
        .succeed()?;
    ensure!(warnings(&accepted).is_empty(), "{accepted}");
    let stored = stored(namespace, PYTHON.set)?;
    let seconds = &stored["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
    ensure_equal("the grace period", seconds, &json!(0))
}

/// On some refusals kubectl would delete and recreate the set; the webhook's are never of that kind.
fn apply_with_force_never_deletes_what_runs(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "force")?;
    let namespace = &judged.namespace;
    PYTHON.submit(namespace, Way::Apply, false)?;
    let before = stored(namespace, PYTHON.set)?;
    let force = ["apply", "--force", "-f", "-"];
    let forced = namespace.kubectl(&force).stdin(REFUSED).run()?;
    let after = stored(namespace, PYTHON.set)?;
    ensure_equal("uid", &after["metadata"]["uid"], &before["metadata"]["uid"])?;
    ensure!(!forced.stdout.contains("deleted"), "{forced}");
    ensure!(forced.stderr.contains("zero-grace-period"), "{forced}");
    Ok(())
}

fn a_dry_run_answers_like_the_real_request(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "dry-run")?;
    let namespace = &judged.namespace;
    let (dry, real) = twice(namespace, REFUSED)?;
    ensure!(
        !dry.status.success() && dry.stderr == real.stderr,
        "{dry}is not {real}"
    );

    let (dry, real) = twice(namespace, PYTHON.bare)?;
    ensure!(
        warnings(&dry).len() == 5 && dry.stderr == real.stderr,
        "{dry}is not {real}"
    );
    ensure_equal("the dry run's set", &timeless(&dry)?, &timeless(&real)?)
}

/// The same request as a dry run, which must leave nothing behind, and for real.
fn twice(namespace: &Namespace<'_>, manifest: &str) -> Result<(Output, Output)> {
    let apply = ["apply", "--output=json", "-f", "-"];
    let dry = namespace
        .kubectl(&apply)
        .args(&["--dry-run=server"])
        .stdin(manifest)
        .run()?;
    ensure_nothing_stored(namespace)?;
    let real = namespace.kubectl(&apply).stdin(manifest).run()?;
    Ok((dry, real))
}

/// The set in the output, without what differs between any two sets.
fn timeless(output: &Output) -> Result<Value> {
    let mut set: Value =
        serde_json::from_str(&output.stdout).with_context(|| output.to_string())?;
    let metadata = set["metadata"].as_object_mut().context("no metadata")?;
    for field in ["uid", "creationTimestamp", "resourceVersion"] {
        metadata.remove(field);
    }
    Ok(set)
}

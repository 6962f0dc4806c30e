//! New defects are refused where the past of a set is known, and the way back to an old one is always free.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::json;

use crate::access::{account, kubeconfig};
use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::invocation::Output;
use crate::judged::Judged;
use crate::namespace::Namespace;
use crate::objects::{stored, warnings, write};
use crate::tests;
use crate::webhook::{Running, Webhook};

tests![
    a_new_defect_is_denied_where_the_past_can_be_looked_up,
    kubectl_goes_back_to_a_template_from_before_the_webhook,
    helm_goes_back_to_a_template_from_before_the_webhook,
    an_api_server_that_does_not_answer_denies_nothing,
];

const RULE: &str = "zero-grace-period: ";
const APPLY: [&str; 3] = ["apply", "-f", "-"];
const DRY: [&str; 4] = ["apply", "--dry-run=server", "-f", "-"];

fn set(grace: u32) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
        "spec": {
            "serviceName": "db", "replicas": 1,
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"terminationGracePeriodSeconds": grace, "containers": [{"name": "db", "image": "db:1"}]},
            },
        },
    })
    .to_string()
}

fn grace(namespace: &Namespace<'_>) -> Result<u64> {
    let set = stored(namespace, "db")?;
    let grace = &set["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
    Ok(grace.as_u64().unwrap_or_default())
}

/// The set's controller has written the revision of what is stored.
fn wait_for_revision(namespace: &Namespace<'_>) -> Result<()> {
    let written = |set: &StatefulSet| {
        let observed = set.status.as_ref().and_then(|s| s.observed_generation);
        observed.is_some() && observed == set.metadata.generation
    };
    namespace.wait("db", "is known to its controller", written)?;
    Ok(())
}

fn warned(output: &Output, words: &str) -> bool {
    let told = warnings(output);
    told.iter()
        .any(|told| told.starts_with(RULE) && told.contains(words))
}

/// A server that looks up revisions with this access.
fn looking_up(kubeconfig: PathBuf) -> Webhook {
    Webhook::new()
        .flag("--lookups=controllerrevisions")
        .kubeconfig(kubeconfig)
}

/// An account that may list the revisions of this namespace, know the namespaces, and do nothing else.
fn lister(namespace: &Namespace<'_>) -> Result<PathBuf> {
    let (name, account_name) = (namespace.name(), "lister");
    let account_of = format!("--serviceaccount={name}:lister");
    for args in [
        &["create", "serviceaccount", account_name][..],
        &[
            "create",
            "clusterrole",
            name,
            "--verb=get,list,watch",
            "--resource=namespaces",
        ],
        &[
            "create",
            "clusterrolebinding",
            name,
            &format!("--clusterrole={name}"),
            &account_of,
        ],
        &[
            "create",
            "role",
            account_name,
            "--verb=list",
            "--resource=controllerrevisions.apps",
        ],
        &[
            "create",
            "rolebinding",
            account_name,
            "--role=lister",
            &account_of,
        ],
    ] {
        namespace.kubectl(args).succeed()?;
    }
    account(namespace, account_name)
}

/// Whether a question was put to the API server that came to this.
fn came_to(server: &Running, cluster: &Cluster, kind: &str, outcome: &str) -> Result<bool> {
    let line = format!("steadfast_lookups_total{{kind=\"{kind}\",outcome=\"{outcome}\"}} ");
    Ok(server.status(cluster, "/metrics")?.contains(&line))
}

/// On a busy machine an answer may be late, and the set passes: so nothing is stored here, and asked again.
fn a_new_defect_is_denied_where_the_past_can_be_looked_up(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("new")?;
    let webhook = looking_up(lister(&namespace)?);
    let judged = Judged::by(namespace, webhook)?;
    let namespace = &judged.namespace;
    namespace.apply(&set(30))?;
    wait_for_revision(namespace)?;
    let denied = eventually(SOON, "the past is looked up in time", || {
        namespace.kubectl(&DRY).stdin(set(0)).fail()
    })?;
    for words in ["(Forbidden)", RULE] {
        ensure!(denied.stderr.contains(words), "{denied}");
    }
    ensure!(came_to(
        &judged.server,
        cluster,
        "controllerrevisions",
        "answered"
    )?);

    // The counterproof: without lookups nobody knows whether the set was like that before.
    let judged = Judged::start(cluster, "unknown")?;
    let namespace = &judged.namespace;
    namespace.apply(&set(30))?;
    let passed = write(|| namespace.kubectl(&APPLY).stdin(set(0)).run())?;
    ensure!(warned(&passed, "may have it"), "{passed}");
    ensure!(grace(namespace)? == 0, "{passed}");
    Ok(())
}

fn kubectl_goes_back_to_a_template_from_before_the_webhook(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("undo")?;
    namespace.apply(&set(0))?;
    wait_for_revision(&namespace)?;
    let webhook = looking_up(lister(&namespace)?);
    let judged = Judged::by(namespace, webhook)?;
    let namespace = &judged.namespace;
    write(|| namespace.kubectl(&APPLY).stdin(set(30)).run())?;
    wait_for_revision(namespace)?;

    eventually(SOON, "the past is looked up in time", || {
        let dry = namespace.kubectl(&DRY).stdin(set(0)).succeed()?;
        ensure!(warned(&dry, "an earlier revision has it"), "{dry}");
        Ok(())
    })?;
    let undo = ["rollout", "undo", "statefulset/db"];
    let undone = write(|| namespace.kubectl(&undo).run())?;
    ensure!(warned(&undone, "an earlier revision"), "{undone}");
    ensure!(grace(namespace)? == 0, "{undone}");
    Ok(())
}

fn helm_goes_back_to_a_template_from_before_the_webhook(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("helm")?;
    let chart = cluster.folder().join(namespace.name());
    fs::create_dir_all(chart.join("templates"))?;
    fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    )?;
    let template = set(7).replace(":7,", ":{{ .Values.grace }},");
    fs::write(chart.join("templates/set.yaml"), template)?;
    let chart = chart.display().to_string();
    namespace
        .helm(&["install", "db", &chart, "--set=grace=0"])
        .succeed()?;
    wait_for_revision(&namespace)?;

    let webhook = looking_up(lister(&namespace)?);
    let judged = Judged::by(namespace, webhook)?;
    let namespace = &judged.namespace;
    write(|| {
        namespace
            .helm(&["upgrade", "db", &chart, "--set=grace=30"])
            .run()
    })?;
    wait_for_revision(namespace)?;
    ensure!(grace(namespace)? == 30);
    let back = write(|| namespace.helm(&["rollback", "db", "1"]).run())?;
    ensure!(warned(&back, "an earlier revision"), "{back}");
    ensure!(grace(namespace)? == 0, "{back}");
    Ok(())
}

/// One is not there; the other takes the connection and says nothing.
fn an_api_server_that_does_not_answer_denies_nothing(cluster: &Cluster) -> Result<()> {
    for (name, listens, outcomes) in [
        ("gone", false, &["failed", "late"][..]),
        ("silent", true, &["late"]),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("https://{}", listener.local_addr()?);
        let _listener = Some(listener).filter(|_| listens);
        let access = kubeconfig(cluster, &format!("{name}.kubeconfig"), |config| {
            config["clusters"][0]["cluster"]["server"] = json!(url);
        })?;
        let judged = Judged::by(cluster.namespace(name)?, looking_up(access))?;
        let namespace = &judged.namespace;
        namespace.apply(&set(30))?;
        let passed = write(|| namespace.kubectl(&APPLY).stdin(set(0)).run())?;
        // Not even the namespace is known, so nobody is denied anything there.
        ensure!(warned(&passed, "is 0"), "{passed}");
        ensure!(grace(namespace)? == 0, "{passed}");
        let asked = |outcome: &&str| {
            came_to(&judged.server, cluster, "namespaces", outcome).unwrap_or(false)
        };
        ensure!(outcomes.iter().any(asked), "{name} was not asked");
    }
    Ok(())
}

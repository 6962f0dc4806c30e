//! What runs is not disturbed: no request on a live set is refused, and none is changed on its way.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::judged::Judged;
use crate::lab::{PYTHON, Way};
use crate::namespace::Namespace;
use crate::objects::{ensure_equal, record_of, stored, warnings, write};
use crate::tests;
use crate::webhook::Webhook;

tests![
    updates_store_what_they_say_and_keep_what_was_injected,
    a_set_from_before_the_webhook_is_warned_about_only,
    a_set_that_is_being_deleted_is_let_go,
];

const NAME: &str = "statefulset/app-python-helm";

fn updates_store_what_they_say_and_keep_what_was_injected(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "updates")?;
    let namespace = &judged.namespace;
    PYTHON.submit(namespace, Way::Apply, true)?;
    let mut expected = stored(namespace, PYTHON.set)?;
    let mut step = |args: &[&str], stdin: &str, change: &dyn Fn(&mut Value)| {
        change(&mut expected);
        leaves(namespace, args, stdin, &expected).with_context(|| args.join(" "))
    };
    let apply = ["apply", "-f", "-"];

    step(&apply, PYTHON.bare, &|_| {})?;
    step(&["label", NAME, "team=web"], "", &|set| {
        set["metadata"]["labels"]["team"] = json!("web");
    })?;
    step(&["scale", NAME, "--replicas=3"], "", &|set| {
        set["spec"]["replicas"] = json!(3);
    })?;
    step(&["rollout", "restart", NAME], "", &|set| {
        set["spec"]["template"]["metadata"]["annotations"] =
            json!({"kubectl.kubernetes.io/restartedAt": "then"});
    })?;
    // Applied again, the manifest also takes the replicas back to its own number.
    let image = PYTHON.bare.replace("app-python:1.4.0", "app-python:1.5.0");
    step(&apply, &image, &|set| {
        set["spec"]["replicas"] = json!(2);
        let container = &mut set["spec"]["template"]["spec"]["containers"][0];
        container["image"] = json!("registry.example/app-python:1.5.0");
    })?;
    let mut live = stored(namespace, PYTHON.set)?;
    live["metadata"]["labels"]["team"] = json!("data");
    let metadata = live["metadata"].as_object_mut().context("no metadata")?;
    metadata.remove("resourceVersion");
    step(&["replace", "-f", "-"], &live.to_string(), &|set| {
        set["metadata"]["labels"]["team"] = json!("data");
    })
}

/// The command passes without a word of the webhook and leaves the set as expected.
fn leaves(namespace: &Namespace<'_>, args: &[&str], stdin: &str, expected: &Value) -> Result<()> {
    let output = write(|| namespace.kubectl(args).stdin(stdin).run())?;
    ensure!(warnings(&output).is_empty(), "{output}");
    let mut set = stored(namespace, PYTHON.set)?;
    // The time of a restart is its own.
    let restarted = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
    if let Some(at) = set.pointer_mut(restarted) {
        *at = json!("then");
    }
    ensure_equal("spec", &set["spec"], &expected["spec"])?;
    ensure_equal(
        "labels",
        &set["metadata"]["labels"],
        &expected["metadata"]["labels"],
    )?;
    ensure_equal("record", &record_of(&set)?, &PYTHON.record())
}

/// Everything the webhook would inject is missing, and the grace period is one that it would refuse.
const BEFORE: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: before}
spec:
  selector: {matchLabels: {app: before}}
  template:
    metadata: {labels: {app: before}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: web, image: 'nginx:1.28', ports: [{name: http, containerPort: 80}]}
";

/// A namespace with that set, and the webhook only after it.
fn from_before<'c>(cluster: &'c Cluster, prefix: &str) -> Result<Judged<'c>> {
    let namespace = cluster.namespace(prefix)?;
    namespace.apply(BEFORE)?;
    let judged = Judged::by(namespace, Webhook::new())?;
    // Made now, it would be refused.
    let now = ["create", "--dry-run=server", "-f", "-"];
    let now = judged
        .namespace
        .kubectl(&now)
        .stdin(BEFORE.replace("name: before", "name: now"));
    ensure!(now.fail()?.stderr.contains("zero-grace-period"));
    Ok(judged)
}

fn a_set_from_before_the_webhook_is_warned_about_only(cluster: &Cluster) -> Result<()> {
    let judged = from_before(cluster, "before")?;
    let namespace = &judged.namespace;
    let mut expected = stored(namespace, "before")?["spec"].clone();
    for (args, image) in [
        (&["apply", "-f", "-"][..], "nginx:1.29"),
        (
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            "nginx:1.30",
        ),
        (&["replace", "-f", "-"], "nginx:1.31"),
        (&["label", "statefulset/before", "team=web"], "nginx:1.31"),
    ] {
        let manifest = BEFORE.replace("nginx:1.28", image);
        let output = write(|| namespace.kubectl(args).stdin(&manifest).run())?;
        expected["template"]["spec"]["containers"][0]["image"] = json!(image);
        let set = stored(namespace, "before")?;
        ensure_equal("spec", &set["spec"], &expected)?;
        ensure_equal("record", &record_of(&set)?, &Value::Null)?;
        let told = warnings(&output);
        let warned = told
            .iter()
            .any(|warning| warning.starts_with("zero-grace-period: "));
        ensure!(warned, "{output}");
    }
    Ok(())
}

/// The garbage collector and the owner of a finalizer write to the set until it is gone.
fn a_set_that_is_being_deleted_is_let_go(cluster: &Cluster) -> Result<()> {
    const HOLD: &str = "test.steadfast.dev/hold";
    for (cascade, pods) in [("orphan", 1), ("foreground", 0)] {
        let judged = from_before(cluster, cascade)?;
        let namespace = &judged.namespace;
        namespace.wait("before-0", "is ready", |pod: &Pod| {
            pod.status
                .as_ref()
                .is_some_and(|status| status.phase.as_deref() == Some("Running"))
        })?;
        let patch = |finalizers: Value| {
            let patch = json!({"metadata": {"finalizers": finalizers}}).to_string();
            namespace.kubectl(&[
                "patch",
                "statefulset/before",
                "--type=merge",
                "--patch",
                &patch,
            ])
        };
        patch(json!([HOLD])).succeed()?;
        let cascade = format!("--cascade={cascade}");
        let delete = ["delete", "statefulset/before", "--wait=false", &cascade];
        namespace.kubectl(&delete).succeed()?;
        namespace.wait(
            "before",
            "is held by our finalizer alone",
            |set: &StatefulSet| {
                set.metadata.deletion_timestamp.is_some()
                    && set.metadata.finalizers.as_deref() == Some(&[HOLD.to_owned()])
            },
        )?;
        let last = patch(Value::Null).succeed()?;
        ensure!(warnings(&last).is_empty(), "{cascade}: {last}");
        let gone = [
            "wait",
            "--for=delete",
            "statefulset/before",
            "--timeout=60s",
        ];
        namespace.kubectl(&gone).succeed()?;
        let left = namespace
            .kubectl(&["get", "pods", "--output=name"])
            .succeed()?;
        ensure!(left.stdout.lines().count() == pods, "{cascade} left {left}");
    }
    Ok(())
}

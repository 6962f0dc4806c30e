//! A PUT of the author's manifest over the set that was repaired: nothing is refused, lost or rolled out.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::invocation::Output;
use crate::judged::Judged;
use crate::lab::{PYTHON, Way};
use crate::namespace::Namespace;
use crate::objects::{ensure_equal, parse, record_of, stored, warnings, write};
use crate::tests;

tests![
    replace_gives_back_what_was_injected,
    helm_force_replace_gives_back_what_was_injected,
    a_set_that_declines_gives_its_probes_back,
    what_merging_clients_leave_behind_is_taken_away,
];

fn replace(namespace: &Namespace<'_>, manifest: &str) -> Result<Output> {
    write(|| {
        namespace
            .kubectl(&["replace", "-f", "-"])
            .stdin(manifest)
            .run()
    })
}

/// Spec, record and generation are as they were; so nothing was rolled out.
fn ensure_same(before: &Value, after: &Value) -> Result<()> {
    ensure_equal("spec", &after["spec"], &before["spec"])?;
    ensure_equal("record", &record_of(after)?, &record_of(before)?)?;
    ensure_equal(
        "generation",
        &after["metadata"]["generation"],
        &before["metadata"]["generation"],
    )
}

fn replace_gives_back_what_was_injected(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "replace")?;
    let namespace = &judged.namespace;
    PYTHON.submit(namespace, Way::Create, true)?;
    let before = stored(namespace, PYTHON.set)?;
    for _again in 0..2 {
        let output = replace(namespace, PYTHON.bare)?;
        ensure_same(&before, &stored(namespace, PYTHON.set)?)?;
        for kept in [
            "serviceName",
            "volumeClaimTemplates",
            "readinessProbe",
            "livenessProbe",
            "startupProbe",
        ] {
            let told = warnings(&output)
                .iter()
                .any(|warning| warning.contains(kept) && warning.contains("kept"));
            ensure!(told, "nobody says that {kept} was kept: {output}");
        }
    }
    Ok(())
}

fn helm_force_replace_gives_back_what_was_injected(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "force-replace")?;
    let namespace = &judged.namespace;
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/chart");
    let values = [
        "--set",
        "app=app-python",
        "--set",
        "bare=true",
        "--server-side=false",
    ];
    namespace
        .helm(&["install", "lab", chart])
        .args(&values)
        .succeed()?;
    let before = stored(namespace, PYTHON.set)?;
    write(|| {
        namespace
            .helm(&["upgrade", "lab", chart, "--force-replace"])
            .args(&values)
            .run()
    })?;
    ensure_same(&before, &stored(namespace, PYTHON.set)?)
}

fn a_set_that_declines_gives_its_probes_back(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "declines")?;
    let namespace = &judged.namespace;
    PYTHON.submit(namespace, Way::Create, true)?;
    let before = stored(namespace, PYTHON.set)?;
    let mut manifest = parse(PYTHON.bare)?;
    manifest["metadata"]["annotations"]["steadfast.dev/inject"] = "false".into();
    replace(namespace, &manifest.to_string())?;
    let after = stored(namespace, PYTHON.set)?;
    let container = &after["spec"]["template"]["spec"]["containers"][0];
    for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
        ensure!(container[probe].is_null(), "{probe} is still there");
    }
    // What can never change stays, and the record with it says no more than is true.
    for field in ["serviceName", "volumeClaimTemplates"] {
        ensure_equal(field, &after["spec"][field], &before["spec"][field])?;
    }
    let record = record_of(&after)?;
    let entries = record["injected"].as_array().into_iter().flatten();
    for entry in entries {
        let is_probe = entry["path"].to_string().contains("Probe");
        ensure!((entry["lapsed"] == true) == is_probe, "{entry}");
    }
    Ok(())
}

fn what_merging_clients_leave_behind_is_taken_away(cluster: &Cluster) -> Result<()> {
    for (prefix, way) in [
        ("merge-apply", Way::Apply),
        ("merge-server-side", Way::ServerSide),
    ] {
        let judged = Judged::start(cluster, prefix)?;
        let namespace = &judged.namespace;
        PYTHON.submit(namespace, way, true)?;
        let apply = |change: &dyn Fn(&mut Value)| -> Result<Value> {
            let mut manifest = parse(PYTHON.bare)?;
            change(&mut manifest);
            let mut args = vec!["apply", "-f", "-"];
            args.extend((way == Way::ServerSide).then_some("--server-side"));
            namespace
                .kubectl(&args)
                .stdin(manifest.to_string())
                .succeed()?;
            stored(namespace, PYTHON.set)
        };
        let container = "/spec/template/spec/containers/0";
        let own = |set: &mut Value| {
            set.pointer_mut(container).expect("a container")["readinessProbe"] =
                json!({"httpGet": {"path": "/", "port": "http"}});
        };
        let set = apply(&own)?;
        let probe = &set.pointer(container).expect("a container")["readinessProbe"];
        ensure!(
            probe["httpGet"]["port"] == "http" && probe["tcpSocket"].is_null(),
            "{prefix}: {probe}"
        );

        let set = apply(&|set| {
            own(set);
            set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
        })?;
        ensure_equal(
            prefix,
            &set["spec"]["updateStrategy"],
            &json!({"type": "OnDelete"}),
        )?;

        let set = apply(&|set| {
            set.pointer_mut(container).expect("a container")["ports"][0]["name"] = json!("web");
        })?;
        let container = set.pointer(container).expect("a container");
        for probe in ["livenessProbe", "startupProbe"] {
            ensure!(
                container[probe]["tcpSocket"] == json!({"port": "web"}),
                "{prefix}: {probe} does not go along with its port: {container}"
            );
        }
    }
    Ok(())
}

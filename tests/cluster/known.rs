//! What the cluster knows, as the webhook acts upon it: with exactly what the chart grants.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Service;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::granted::{
    Granted, LOOKUPS, create, headless, is_listed, is_named, judged, said, service, service_name,
    set, with_mount,
};
use crate::judged::Judged;
use crate::namespace::Namespace;
use crate::objects::{stored, warnings};
use crate::tests;
use crate::webhook::Webhook;

tests![
    the_governing_service_is_found_among_all_others,
    a_renamed_service_is_never_named_by_its_old_name,
    a_class_counts_from_when_it_is_there,
    what_changed_a_moment_ago_counts,
    the_label_of_a_namespace_says_how_much_is_done,
];

fn the_governing_service_is_found_among_all_others(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "governing", granted.access()?)?;
    let (namespace, elsewhere) = (&judged.namespace, cluster.namespace("elsewhere")?);
    let external = json!({"type": "ExternalName", "externalName": "db.example"});

    is_named(
        namespace,
        &[headless("first-hl", "first")],
        "first",
        "first-hl",
    )?;
    let cluster_ip = service("only-ip", "no-headless", &json!({}));
    is_named(namespace, &[cluster_ip], "no-headless", "no-headless")?;
    let own = service("own-ip", "own-ip", &json!({}));
    let output = is_named(namespace, &[own], "own-ip", "own-ip")?;
    ensure!(said(&output, "is not headless"), "{output}");
    create(&elsewhere, &[headless("far-hl", "far")])?;
    is_named(namespace, &[], "far", "far")?;

    let several = [headless("one", "several"), headless("two", "several")];
    let output = create(
        namespace,
        &[&several[..], &[set("several", "several")]].concat(),
    )?;
    ensure!(said(&output, "one, two"), "{output}");
    let named_so = service("taken", "nobody", &external);
    let output = create(namespace, &[named_so, set("taken", "taken")])?;
    ensure!(said(&output, "missing-service-name: "), "{output}");
    for unnamed in ["several", "taken"] {
        ensure!(service_name(namespace, unnamed)?.is_empty(), "{unnamed}");
    }

    // Just after: the warning holds the very manifest.
    let output = is_named(namespace, &[], "late", "late")?;
    let manifest = warnings(&output).into_iter().find_map(|line| {
        let at = line.find("{\"apiVersion\"")?;
        Some(line[at..].to_owned())
    });
    let manifest = manifest.with_context(|| format!("no manifest in {output}"))?;
    namespace.apply(&manifest)?;
    is_quiet(namespace, "late")
}

/// Nothing is said any more of the set's Service.
fn is_quiet(namespace: &Namespace<'_>, set: &str) -> Result<()> {
    let label = [
        "label",
        "statefulset",
        set,
        "again=yes",
        "--overwrite",
        "--dry-run=server",
    ];
    eventually(SOON, "the Service is known", || {
        let output = namespace.kubectl(&label).succeed()?;
        ensure!(!said(&output, "governing"), "{output}");
        Ok(())
    })
}

/// The old name is in the cache when the Service goes, and the new one is not yet.
fn a_renamed_service_is_never_named_by_its_old_name(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "renamed", granted.access()?)?;
    let namespace = &judged.namespace;
    for round in 0..5 {
        let (app, old, new) = (
            format!("app{round}"),
            format!("old{round}"),
            format!("new{round}"),
        );
        is_named(namespace, &[headless(&old, &app)], &app, &old)?;
        namespace
            .kubectl(&["delete", "statefulset", &app])
            .succeed()?;
        namespace.kubectl(&["delete", "service", &old]).succeed()?;
        is_named(namespace, &[headless(&new, &app)], &app, &new)?;
    }
    Ok(())
}

/// One request behind the other, as no human can: the watch has not told yet.
fn what_changed_a_moment_ago_counts(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "moment", granted.access()?)?;
    let namespace = &judged.namespace;
    let (services, sets) = (namespace.api::<Service>(), namespace.api::<StatefulSet>());
    let (now, dry) = (
        PostParams::default(),
        PostParams {
            dry_run: true,
            ..PostParams::default()
        },
    );
    for round in 0..10 {
        let app = format!("app{round}");
        let [one, two] = ["one", "two"].map(|name| format!("{name}-{app}"));
        is_named(namespace, &[headless(&one, &app)], &app, &one)?;
        namespace
            .kubectl(&["delete", "statefulset", &app])
            .succeed()?;
        let made: Service = serde_json::from_value(headless(&two, &app))?;
        let wanted: StatefulSet = serde_json::from_value(set(&app, &app))?;
        let (of_two, of_none) = cluster.block_on(async {
            services.create(&now, &made).await?;
            let of_two = sets.create(&dry, &wanted).await?;
            for gone in [&one, &two] {
                services.delete(gone, &DeleteParams::default()).await?;
            }
            anyhow::Ok((of_two, sets.create(&dry, &wanted).await?))
        })?;
        let name = |set: StatefulSet| set.spec.service_name.unwrap_or_default();
        let (of_two, of_none) = (name(of_two), name(of_none));
        ensure!(of_two.is_empty(), "{of_two} of two");
        ensure!(
            of_none.is_empty() || of_none == app,
            "{of_none}, which is gone"
        );
    }
    Ok(())
}

fn a_class_counts_from_when_it_is_there(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let namespace = cluster.namespace("class")?;
    let class = namespace.name().to_owned();
    let policy = json!({
        "apiVersion": "steadfast.dev/v1alpha1", "kind": "StatefulSetPolicy", "metadata": {"name": "class"},
        "spec": {"rules": {"dangling-volume-mount": {"params": {"storageClassName": class}}}},
    });
    let webhook = Webhook::new().flag(LOOKUPS).kubeconfig(granted.access()?);
    let judged = Judged::by(namespace, webhook.policy(policy.to_string()))?;
    is_listed(&judged.server)?;
    let namespace = &judged.namespace;
    let leftover = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-db-1"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    create(namespace, &[leftover])?;
    let kubectl = namespace.kubectl(&["create", "-f", "-"]);
    let denied = kubectl.stdin(with_mount("db").to_string()).fail()?;
    let words = format!("storage class {class:?} ");
    ensure!(denied.stderr.contains(&words), "{denied}");

    let made = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": class},
        "provisioner": "nobody.steadfast.dev",
    });
    create(namespace, &[made])?;
    let output = eventually(SOON, "the class is known", || {
        create(namespace, &[with_mount("db")])
    });
    let removed = namespace.kubectl(&["delete", "storageclass", &class]).run();
    let (output, _) = (output?, removed?);
    let adopted = "Leftover claims are adopted with what is in them: data-db-1";
    let late = "Leftover claims data-db-N, if there are any, are adopted";
    ensure!(said(&output, adopted) || said(&output, late), "{output}");
    let claims = &stored(namespace, "db")?["spec"]["volumeClaimTemplates"];
    ensure!(
        claims[0]["spec"]["storageClassName"] == class.as_str(),
        "{claims}"
    );
    Ok(())
}

fn the_label_of_a_namespace_says_how_much_is_done(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "label", granted.access()?)?;
    let namespace = &judged.namespace;
    let mut broken = set("db", "db");
    broken["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(0);
    let dry = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
    let kubectl = || namespace.kubectl(&dry).stdin(broken.to_string());
    kubectl().fail()?;
    let name = namespace.name();
    for (label, warns, injects) in [
        ("warn", true, true),
        ("audit", false, false),
        ("off", false, false),
    ] {
        let label = format!("steadfast.dev/enforce={label}");
        cluster
            .kubectl(&["label", "--overwrite", "namespace", name, &label])
            .succeed()?;
        eventually(SOON, &format!("{label} holds"), || {
            let output = kubectl().succeed()?;
            let set: Value = serde_json::from_str(&output.stdout)?;
            let probe = &set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"];
            ensure!(probe.is_null() != injects, "{set}");
            ensure!(said(&output, "zero-grace-period") == warns, "{output}");
            Ok(())
        })?;
    }
    Ok(())
}

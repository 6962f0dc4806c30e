//! `StatefulSets` come up here as they would on nodes: in order, with a bound claim for each pod.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::Api;
use kube::runtime::wait::{await_condition, conditions};
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::eventually::SOON;
use crate::granted::{Granted, LOOKUPS, is_listed};
use crate::judged::Judged;
use crate::namespace::Namespace;
use crate::objects::warnings;
use crate::tests;
use crate::webhook::Webhook;

tests![
    gives_the_volume_back_with_its_claim,
    brings_up_an_ordered_set_with_claims,
    stops_at_a_pod_that_does_not_get_ready,
    injected_claims_are_kept_for_their_pods,
];

fn manifest(annotation: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: None, selector: {{app: web}}, ports: [{{port: 80}}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec:
  serviceName: web
  replicas: 3
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}, annotations: {{{annotation}}}}}
    spec:
      containers:
      - name: web
        image: nginx:1.29
        volumeMounts: [{{name: data, mountPath: /usr/share/nginx/html}}]
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
"
    )
}

fn brings_up_an_ordered_set_with_claims(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("rollout")?;
    namespace.apply(&manifest(""))?;
    namespace.wait("web", "has three ready pods", |set: &StatefulSet| {
        ready(set) == Some(3)
    })?;

    let mut created = Vec::new();
    for ordinal in 0..3 {
        let pod: Pod = namespace.get(&format!("web-{ordinal}"))?;
        let status = pod.status.context("a pod without status")?;
        let became_ready = status
            .conditions
            .into_iter()
            .flatten()
            .find(|c| c.type_ == "Ready" && c.status == "True");
        created.push((
            pod.metadata.creation_timestamp,
            became_ready.context("not Ready")?.last_transition_time,
        ));

        let claim = format!("data-web-{ordinal}");
        let bound = |claim: &PersistentVolumeClaim| {
            claim
                .status
                .as_ref()
                .is_some_and(|status| status.phase.as_deref() == Some("Bound"))
        };
        let claim = namespace.wait(&claim, "is bound", bound)?;
        let class = claim.spec.and_then(|spec| spec.storage_class_name);
        ensure!(
            class.as_deref() == Some("standard"),
            "the default class was not filled in: {class:?}"
        );
    }
    for pair in created.windows(2) {
        ensure!(
            pair[1].0 >= pair[0].1,
            "a pod was created before its predecessor was Ready: {created:?}"
        );
    }
    Ok(())
}

/// The counterproof: were every pod Ready whatever happens, the test above would show nothing.
fn stops_at_a_pod_that_does_not_get_ready(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("stuck")?;
    namespace.apply(&manifest(r#"test.steadfast.dev/unready: "true""#))?;
    let pending = |pod: &Pod| {
        let spec = pod.spec.as_ref();
        spec.is_some_and(|spec| spec.node_name.as_deref() == Some("node-0"))
    };
    namespace.wait("web-0", "is on the node", pending)?;
    // The controller has looked again after that, which it shows by counting a change.
    namespace
        .kubectl(&["scale", "statefulset/web", "--replicas=4"])
        .succeed()?;
    let counted = |set: &StatefulSet| {
        set.status
            .as_ref()
            .is_some_and(|status| status.observed_generation == Some(2) && status.replicas > 0)
    };
    let set = namespace.wait("web", "has the change counted", counted)?;
    ensure!(
        ready(&set).unwrap_or(0) == 0,
        "a pod is Ready that must not be"
    );
    let second = cluster.block_on(namespace.api::<Pod>().get_opt("web-1"))?;
    ensure!(
        second.is_none(),
        "OrderedReady went on to web-1 past a pod that is not Ready"
    );
    Ok(())
}

fn ready(set: &StatefulSet) -> Option<i32> {
    set.status.as_ref()?.ready_replicas
}

fn gives_the_volume_back_with_its_claim(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("volume")?;
    namespace.apply(
        "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
",
    )?;
    let bound = |claim: &PersistentVolumeClaim| {
        claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound")
    };
    let claim = namespace.wait("data", "is bound", bound)?;
    let name = claim
        .spec
        .and_then(|spec| spec.volume_name)
        .context("bound to no volume")?;
    let volumes: Api<PersistentVolume> = Api::all(cluster.client());
    let volume = cluster.block_on(volumes.get(&name))?;
    let uid = volume.metadata.uid.context("a volume without uid")?;

    namespace.kubectl(&["delete", "pvc", "data"]).succeed()?;
    let gone = await_condition(volumes, &name, conditions::is_deleted(&uid));
    cluster
        .block_on(async { timeout(SOON, gone).await })
        .context("the volume is still there")??;
    Ok(())
}

/// The set as its author has it: the mount, and no claim template.
const MOUNTS_ONLY: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
      - {name: db, image: "registry.example/db:1", volumeMounts: [{name: data, mountPath: /var/lib/db}]}
"#;

/// Each pod's claim, by its uid.
fn claims(namespace: &Namespace<'_>) -> Result<[Option<String>; 2]> {
    let bound = |claim: &PersistentVolumeClaim| {
        claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound")
    };
    let uid = |name| -> Result<_> { Ok(namespace.wait(name, "is bound", bound)?.metadata.uid) };
    Ok([uid("data-db-0")?, uid("data-db-1")?])
}

fn is_up(namespace: &Namespace<'_>, pods: i32) -> Result<()> {
    let is_up = |set: &StatefulSet| {
        let status = set.status.as_ref();
        status.is_some_and(|status| status.replicas == pods && status.ready_replicas == Some(pods))
    };
    namespace.wait("db", "is up", is_up)?;
    Ok(())
}

fn injected_claims_are_kept_for_their_pods(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let webhook = Webhook::new().flag(LOOKUPS).kubeconfig(granted.access()?);
    let judged = Judged::by(cluster.namespace("claims")?, webhook)?;
    is_listed(&judged.server)?;
    let namespace = &judged.namespace;
    let create = || {
        namespace
            .kubectl(&["create", "-f", "-"])
            .stdin(MOUNTS_ONLY)
            .succeed()
    };
    create()?;
    is_up(namespace, 2)?;
    let made = claims(namespace)?;

    let before: Pod = namespace.get("db-0")?;
    namespace.kubectl(&["delete", "pod", "db-0"]).succeed()?;
    namespace.wait("db-0", "is another pod", |pod: &Pod| {
        pod.metadata.uid != before.metadata.uid
    })?;
    is_up(namespace, 2)?;
    ensure!(claims(namespace)? == made, "another claim for the next pod");

    namespace
        .kubectl(&["scale", "statefulset/db", "--replicas=1"])
        .succeed()?;
    is_up(namespace, 1)?;
    ensure!(
        claims(namespace)? == made,
        "the claim of the pod that is gone is gone"
    );

    let delete = ["delete", "statefulset", "db", "--cascade=foreground"];
    namespace.kubectl(&delete).succeed()?;
    let output = create()?;
    let told = warnings(&output);
    let adopted = |line: &String| {
        line.contains("data-db-0, data-db-1")
            || line.contains("data-db-N, if there are any, are adopted")
    };
    ensure!(told.iter().any(adopted), "{output}");
    is_up(namespace, 2)?;
    ensure!(
        claims(namespace)? == made,
        "other claims for the set made anew"
    );
    Ok(())
}

//! What an update may not do, and what it is told of: as kubectl shows it, with the set untouched.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use steadfast::object::record::ANNOTATION;

use crate::cluster::Cluster;
use crate::invocation::Output;
use crate::judged::Judged;
use crate::namespace::Namespace;
use crate::objects::{ensure_equal, parse, record_of, stored, undisturbed, warnings, write};
use crate::tests;

tests![
    what_can_never_change_is_explained_before_it_is_refused,
    claims_that_hold_data_are_not_given_up,
    a_claim_comes_back_with_its_mount_and_environment,
    nothing_takes_the_place_of_data,
    what_an_update_forgets_is_said,
];

const SET: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  serviceName: db
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: guarded}}
  template:
    metadata: {labels: {app: guarded}}
    spec:
      containers:
      - name: db
        image: db:1
        ports: [{name: sql, containerPort: 5432}]
        readinessProbe: {tcpSocket: {port: sql}}
        livenessProbe: {tcpSocket: {port: sql}}
        env: [{name: PGDATA, value: /data/pg}]
        volumeMounts: [{name: data, mountPath: /data, subPath: db}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";

const CONTAINER: &str = "/spec/template/spec/containers/0";

/// The set as an injection of claim template, mount and environment would have left it, and the author's manifest of it.
fn injected_unit() -> Result<(Value, Value)> {
    let mut set = parse(SET)?;
    let mut bare = set.clone();
    let template = "spec.template.spec.containers[db]";
    let entry = |path: String, pointer: &str| {
        let (container, value) = (
            path.starts_with(template).then_some("db"),
            set.pointer(pointer),
        );
        json!({"rule": "volatile-data", "container": container, "path": path, "value": value})
    };
    let injected = [
        entry(
            "spec.volumeClaimTemplates[data]".to_owned(),
            "/spec/volumeClaimTemplates/0",
        ),
        entry(
            format!("{template}.volumeMounts[data]"),
            &format!("{CONTAINER}/volumeMounts/0"),
        ),
        entry(
            format!("{template}.env[PGDATA]"),
            &format!("{CONTAINER}/env/0"),
        ),
    ];
    let mut record = json!({"version": 1, "injected": injected});
    let claim = record["injected"][0].as_object_mut().context("an entry")?;
    claim.remove("container");
    set["metadata"]["annotations"] = json!({ ANNOTATION: record.to_string() });
    bare["spec"]
        .as_object_mut()
        .context("a spec")?
        .remove("volumeClaimTemplates");
    let container = bare.pointer_mut(CONTAINER).and_then(Value::as_object_mut);
    let container = container.context("a container")?;
    for key in ["env", "volumeMounts"] {
        container.remove(key);
    }
    Ok((set, bare))
}

fn create(namespace: &Namespace<'_>, set: &Value) -> Result<Value> {
    namespace
        .kubectl(&["create", "-f", "-"])
        .stdin(set.to_string())
        .succeed()?;
    stored(namespace, "db")
}

fn replace(namespace: &Namespace<'_>, set: &Value) -> Result<Output> {
    write(|| put(namespace, set))
}

fn put(namespace: &Namespace<'_>, set: &Value) -> Result<Output> {
    namespace
        .kubectl(&["replace", "-f", "-"])
        .stdin(set.to_string())
        .run()
}

/// The update fails, its stderr has all of these words, and the set is what it was.
fn refused(namespace: &Namespace<'_>, set: &Value, words: &[&str]) -> Result<()> {
    let before = stored(namespace, "db")?;
    let failed = undisturbed(|| put(namespace, set))?;
    ensure!(!failed.status.success(), "{failed}");
    for word in words {
        ensure!(failed.stderr.contains(word), "{word:?} is not in {failed}");
    }
    ensure_equal("spec", &stored(namespace, "db")?["spec"], &before["spec"])
}

fn what_can_never_change_is_explained_before_it_is_refused(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "immutable")?;
    let namespace = &judged.namespace;
    create(namespace, &parse(SET)?)?;
    let anew = "delete statefulset db --cascade=orphan";
    for (pointer, value, words) in [
        (
            "/spec/serviceName",
            json!("other"),
            "spec.serviceName: \"db\" -> \"other\"",
        ),
        (
            "/spec/podManagementPolicy",
            json!("OrderedReady"),
            "spec.podManagementPolicy: \"Parallel\" -> \"OrderedReady\"",
        ),
        (
            "/spec/volumeClaimTemplates/0/spec/resources/requests/storage",
            json!("2Gi"),
            "spec.volumeClaimTemplates[data].spec.resources.requests.storage: 1Gi -> 2Gi",
        ),
    ] {
        let mut set = parse(SET)?;
        *set.pointer_mut(pointer).context("it is there")? = value;
        refused(
            namespace,
            &set,
            &[
                "Warning: immutable-field-change: ",
                words,
                anew,
                "is invalid",
            ],
        )?;
    }
    // The same amount in another spelling is no change, for the API server and for us.
    let mut same = parse(SET)?;
    same["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] =
        json!("1024Mi");
    let output = replace(namespace, &same)?;
    ensure!(
        !output.stderr.contains("immutable-field-change"),
        "{output}"
    );
    Ok(())
}

fn claims_that_hold_data_are_not_given_up(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "retention")?;
    let namespace = &judged.namespace;
    create(namespace, &parse(SET)?)?;
    let mut set = parse(SET)?;
    set["spec"]["persistentVolumeClaimRetentionPolicy"] =
        json!({"whenDeleted": "Delete", "whenScaled": "Retain"});
    let words = [
        "(Forbidden)",
        "claims-deleted: spec.persistentVolumeClaimRetentionPolicy.whenDeleted becomes Delete",
    ];
    refused(namespace, &set, &words)?;
    set["metadata"]["annotations"] =
        json!({"allow.steadfast.dev/claims-deleted": "a copy elsewhere"});
    replace(namespace, &set)?;
    // What the set has is no longer new.
    set["metadata"]["annotations"] = json!({});
    replace(namespace, &set)?;
    Ok(())
}

fn a_claim_comes_back_with_its_mount_and_environment(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "unit")?;
    let namespace = &judged.namespace;
    let (set, bare) = injected_unit()?;
    let before = create(namespace, &set)?;
    let output = replace(namespace, &bare)?;
    let after = stored(namespace, "db")?;
    ensure_equal("spec", &after["spec"], &before["spec"])?;
    ensure_equal("record", &record_of(&after)?, &record_of(&before)?)?;
    ensure_equal(
        "generation",
        &after["metadata"]["generation"],
        &before["metadata"]["generation"],
    )?;
    for kept in [
        "volumeClaimTemplates was left without data",
        "the mount of data; kept it",
        "the env PGDATA; kept it",
    ] {
        ensure!(
            warnings(&output)
                .iter()
                .any(|warning| warning.contains(kept)),
            "{kept:?} is not in {output}"
        );
    }
    Ok(())
}

fn nothing_takes_the_place_of_data(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "displaced")?;
    let namespace = &judged.namespace;
    let (set, bare) = injected_unit()?;
    create(namespace, &set)?;
    let mut scratch = bare.clone();
    scratch["spec"]["template"]["spec"]["volumes"] = json!([{"name": "scratch", "emptyDir": {}}]);
    let mounts = json!([{"name": "scratch", "mountPath": "/data"}]);
    scratch.pointer_mut(CONTAINER).context("a container")?["volumeMounts"] = mounts;
    let mut moved = bare.clone();
    moved.pointer_mut(CONTAINER).context("a container")?["env"] =
        json!([{"name": "PGDATA", "value": "/tmp"}]);
    let mut renamed = bare;
    renamed.pointer_mut(CONTAINER).context("a container")?["name"] = json!("postgres");
    for (set, words) in [
        (
            &scratch,
            "container db mounts \"scratch\" at /data, where data was",
        ),
        (&moved, "container db sets PGDATA to \"/tmp\""),
        (
            &renamed,
            "container db, which mounted data at /data, is gone",
        ),
    ] {
        refused(namespace, set, &["(Forbidden)", "displaced-data: ", words])?;
    }
    scratch["metadata"]["annotations"] =
        json!({"allow.steadfast.dev/displaced-data": "it moved to another set"});
    replace(namespace, &scratch)?;
    let record = record_of(&stored(namespace, "db")?)?.to_string();
    ensure!(
        !record.contains("volumeMounts") && record.contains("volumeClaimTemplates"),
        "{record}"
    );
    Ok(())
}

fn what_an_update_forgets_is_said(cluster: &Cluster) -> Result<()> {
    let judged = Judged::start(cluster, "forgotten")?;
    let namespace = &judged.namespace;
    let (mut set, _) = injected_unit()?;
    set["spec"]["updateStrategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}});
    create(namespace, &set)?;
    let container = set.pointer_mut(CONTAINER).context("a container")?;
    container["image"] = json!("db:2");
    set["spec"]["template"]["spec"]["volumes"] = json!([{"name": "data", "emptyDir": {}}]);
    let output = replace(namespace, &set)?;
    for said in [
        "stale-partition: ",
        "volume-behind-claim: volume data is hidden",
        "the manifest carries metadata.annotations[steadfast.dev/injected]",
    ] {
        ensure!(
            warnings(&output)
                .iter()
                .any(|warning| warning.contains(said)),
            "{said:?} is not in {output}"
        );
    }
    Ok(())
}

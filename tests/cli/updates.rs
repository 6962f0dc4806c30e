//! `steadfast check --old`: manifests judged as updates.

use super::{Run, folder, run_in};

const OLD: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: prod}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: db, image: 'db:1', ports: [{name: sql, containerPort: 5432}], readinessProbe: {tcpSocket: {port: sql}}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}}]
";

/// The author's next manifest: without a namespace, as manifests are, and without what is only stored.
fn next(edit: impl Fn(String) -> String) -> String {
    edit(
        OLD.replace(", namespace: prod", "")
            .replace("serviceName: db", "replicas: 1"),
    )
}

fn check(old: &str, new: &str, flags: &[&str]) -> Run {
    let files = folder(&[("old.yaml", old), ("new.yaml", new)]);
    let arguments = [&["check", "new.yaml", "--old", "old.yaml"], flags].concat();
    run_in(files.path(), &arguments, "")
}

#[test]
fn an_old_defect_is_warned_of_and_a_new_one_denied() {
    check(OLD, &next(|new| new), &[])
        .ends(0)
        .says("warned zero-grace-period")
        .says("it is not denied: the stored set has it, too")
        .says("new.yaml:5:1: restored (prod/db): spec.serviceName was left out; kept \"db\"");
    check(OLD, &next(|new| new.replace("name: sql", "name: pg")), &[])
        .ends(1)
        .says("denied undeclared-probe-port")
        .says("warned zero-grace-period");
    let json = check(OLD, &next(|new| new), &["-o", "json"]).ends(0).json();
    assert_eq!(json["findings"][0]["spared"], "the stored set has it, too");
    assert_eq!(json["restored"][0]["pointer"], "/spec/serviceName");
    assert_eq!(json["summary"]["restored"], 1);
    check(OLD, &next(|new| new), &["--fail-on", "fix"]).ends(1);
}

#[test]
fn what_can_never_change_comes_with_a_recipe() {
    check(OLD, &next(|new| new.replace("1Gi", "2Gi")), &[])
        .ends(1)
        .says("new.yaml:14:26: denied immutable-field-change (prod/db)")
        .says("volumeClaimTemplates[data].spec.resources.requests.storage: 1Gi -> 2Gi")
        .says("patch pvc data-db-N")
        .says("delete statefulset db --cascade=orphan");
    let smaller = next(|new| new.replace("1Gi", "1Mi"));
    check(OLD, &smaller, &[])
        .ends(1)
        .says("a claim never shrinks");
    let written_otherwise = next(|new| new.replace("1Gi", "1024Mi"));
    let same = check(OLD, &written_otherwise, &[]).ends(0);
    assert!(!same.stdout.contains("immutable-field-change"), "{same:#?}");
}

#[test]
fn a_set_without_a_namesake_is_judged_as_made() {
    let other = next(|new| new.replace("{name: db}", "{name: other}"));
    check(OLD, &other, &[])
        .ends(1)
        .says("denied zero-grace-period")
        .complains("judged as made, since --old has no set of that namespace and name: other");
    let twice = format!("{OLD}---{}", OLD.replace("prod", "test"));
    check(&twice, &next(|new| new), &[])
        .ends(2)
        .complains("StatefulSet db: --old has several that it may be the update of: prod/db in old.yaml, test/db in old.yaml");
    let placed = next(|new| new.replace("{name: db}", "{name: db, namespace: test}"));
    check(&twice, &placed, &[]).ends(0);
}

#[test]
fn what_is_old_must_be_there_and_readable() {
    check("kind: ConfigMap\napiVersion: v1\n", &next(|new| new), &[])
        .ends(2)
        .complains("--old holds no StatefulSet");
    check(
        &OLD.replace("serviceName: db", "replicas: many"),
        &next(|new| new),
        &[],
    )
    .ends(2)
    .complains("old.yaml:6:3: the old set cannot be read: spec.replicas");
}

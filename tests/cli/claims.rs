//! What a policy says of claims and Services, and what is given as the cluster: each error is told with its place.

use crate::{folder, run_in};

/// A policy with this statement about one rule, on its seventh line.
fn policy(statement: &str) -> String {
    format!(
        "apiVersion: steadfast.dev/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {{name: p}}\nspec:\n  profile: strict\n  rules:\n    {statement}\n"
    )
}

const SET: &str = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec: {}\n";

#[test]
fn parameters_that_make_no_sense_are_refused_with_their_place() {
    for (statement, words) in [
        (
            "volatile-data: {params: {storage: 8Gi, mountPath: /}}",
            "at or under the root",
        ),
        (
            "volatile-data: {params: {storage: 8Gi, mountPath: /etc/x}}",
            "at or under /etc",
        ),
        (
            "volatile-data: {params: {mountPath: data}}",
            "no absolute path",
        ),
        (
            "volatile-data: {params: {storage: 8GB}}",
            "is not an amount such as `8Gi`",
        ),
        (
            "missing-service-name: {params: {name: \"{nam}-x\"}}",
            "write {name} for the set's name",
        ),
        (
            "missing-service-name: {params: {name: Web}}",
            "no name of a Service",
        ),
        (
            "storage-size-bounds: {params: {min: 2Gi, max: 1Gi}}",
            "min is 2Gi and max is 1Gi",
        ),
        ("storage-size-bounds: {params: {mni: 2Gi}}", "min"),
    ] {
        let policy = policy(statement);
        let files = folder(&[("p.yaml", &*policy), ("set.yaml", SET)]);
        run_in(
            files.path(),
            &["check", "set.yaml", "--policy", "p.yaml"],
            "",
        )
        .ends(2)
        .complains("p.yaml:7:")
        .complains(words);
    }
}

#[test]
fn a_policy_whose_bounds_refuse_its_own_claims_is_refused() {
    for (statements, code) in [
        ("storage-size-bounds: {params: {max: 4Gi}}", 2),
        ("storage-size-bounds: {params: {max: 8Gi}}", 0),
        (
            "storage-size-bounds: {params: {min: 1Gi}}\n    volatile-data: {params: {storage: 500Mi, storageClassName: fast}}",
            2,
        ),
    ] {
        let policy = policy(statements);
        let files = folder(&[("p.yaml", &*policy), ("none.yaml", "{}")]);
        let ran = run_in(
            files.path(),
            &["check", "none.yaml", "--policy", "p.yaml"],
            "",
        )
        .ends(code);
        if code == 2 {
            ran.complains("the policy denies what it injects");
        }
    }
}

#[test]
fn a_manifest_of_the_cluster_that_cannot_be_read_is_told_with_its_place() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: default\n  labels:\n    steadfast.dev/enforce: off\n";
    let files = folder(&[("ns.yaml", namespace), ("set.yaml", SET)]);
    run_in(
        files.path(),
        &["check", "set.yaml", "--cluster", "ns.yaml"],
        "",
    )
    .ends(2)
    .complains(
        "ns.yaml:6:5: this Namespace cannot be read: metadata.labels.steadfast.dev/enforce: ",
    )
    .complains("unless they are quoted");
}

//! Policies that deny what they inject: they are refused when they are read.

use serde_json::{Value, json};

use crate::admission;
use crate::cluster::{DEFAULT_NAMESPACE, Manifests};
use crate::engine::Outcome;
use crate::policy::{PolicySet, Subject};

/// What a policy injects and then denies, such as an update strategy that is not on its own list, or a claim that is larger than
/// its own bounds allow. Small sets show it, in a cluster that has every class that the policy names.
pub(super) fn contradiction(policies: &PolicySet) -> Option<String> {
    let sets = [
        json!({"metadata": {"name": "any"}, "spec": {}}),
        json!({"metadata": {"name": "any"}, "spec": {"template": {"spec": {"containers": [
            {"name": "any", "volumeMounts": [{"name": "data", "mountPath": "/data"}]},
        ]}}}}),
        json!({"metadata": {"name": "any"}, "spec": {"template": {"spec": {"containers": [
            {"name": "any", "image": "redis:8"},
        ]}}}}),
    ];
    let cluster = every_class(policies);
    sets.iter()
        .find_map(|set| contradicted(policies, &cluster, set))
}

/// A cluster with a default class and the classes of the policy's claims.
fn every_class(policies: &PolicySet) -> Manifests {
    let subject = Subject {
        namespace: DEFAULT_NAMESPACE,
        name: "any",
    };
    let policy = policies.effective(&subject);
    let named = policy
        .rules
        .iter()
        .filter_map(|rule| rule.params["storageClassName"].as_str());
    let mut cluster = Manifests::new(true);
    for name in named.chain(["default"]) {
        let class = json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "any",
            "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": (name == "default").to_string()}},
        });
        cluster
            .add(&class, DEFAULT_NAMESPACE)
            .expect("a class as Kubernetes has it");
    }
    cluster
}

fn contradicted(policies: &PolicySet, cluster: &Manifests, set: &Value) -> Option<String> {
    let verdict = admission::admit(policies, cluster, DEFAULT_NAMESPACE, set, None).ok()?;
    let injected = verdict
        .judged
        .iter()
        .filter(|judged| judged.outcome == Outcome::Injected);
    let changes = injected.flat_map(|by| {
        by.finding
            .fix
            .iter()
            .flat_map(|fix| &fix.changes)
            .map(move |change| (by, change.at()))
    });
    changes.into_iter().find_map(|(by, at)| {
        let denied = verdict
            .denied()
            .find(|denied| denied.finding.at.is_within(at))?;
        let (rule, what) = (denied.rule, &denied.finding.message);
        Some(format!(
            "the policy denies what it injects: by {} {what}, which {rule} denies",
            by.rule
        ))
    })
}

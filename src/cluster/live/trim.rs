//! What of a watched object is kept: only what rules read, since there may be many thousands.

use std::mem::take;

use k8s_openapi::api::core::v1::{Namespace, Service, ServiceSpec};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub(super) fn service(service: &mut Service) {
    let Service {
        mut metadata, spec, ..
    } = take(service);
    let deletion_timestamp = metadata.deletion_timestamp.take();
    let spec = spec.map(|spec| ServiceSpec {
        cluster_ip: spec.cluster_ip,
        publish_not_ready_addresses: spec.publish_not_ready_addresses,
        selector: spec.selector,
        type_: spec.type_,
        ..ServiceSpec::default()
    });
    *service = Service {
        metadata: ObjectMeta {
            deletion_timestamp,
            ..named(metadata)
        },
        spec,
        status: None,
    };
}

pub(super) fn namespace(namespace: &mut Namespace) {
    let Namespace { mut metadata, .. } = take(namespace);
    let labels = metadata.labels.take();
    *namespace = Namespace {
        metadata: ObjectMeta {
            labels,
            ..named(metadata)
        },
        ..Namespace::default()
    };
}

pub(super) fn storage_class(class: &mut StorageClass) {
    let mut whole = take(class);
    let annotations = whole.metadata.annotations.take();
    let creation_timestamp = whole.metadata.creation_timestamp.take();
    *class = StorageClass {
        metadata: ObjectMeta {
            annotations,
            creation_timestamp,
            ..named(whole.metadata)
        },
        allow_volume_expansion: whole.allow_volume_expansion,
        provisioner: whole.provisioner,
        ..StorageClass::default()
    };
}

pub(super) fn disruption_budget(budget: &mut PodDisruptionBudget) {
    let PodDisruptionBudget { metadata, spec, .. } = take(budget);
    let spec = spec.map(|spec| PodDisruptionBudgetSpec {
        unhealthy_pod_eviction_policy: None,
        ..spec
    });
    *budget = PodDisruptionBudget {
        metadata: named(metadata),
        spec,
        status: None,
    };
}

fn named(metadata: ObjectMeta) -> ObjectMeta {
    ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    /// What is kept of an object that also has what is to go.
    fn kept<T: DeserializeOwned + Serialize>(object: &Value, trim: fn(&mut T)) -> Value {
        let mut whole = object.clone();
        for (key, value) in [
            ("uid", json!("u")),
            ("resourceVersion", json!("7")),
            ("finalizers", json!(["steadfast.dev/none"])),
            ("managedFields", json!([{"manager": "helm"}])),
        ] {
            whole["metadata"][key] = value;
        }
        let mut whole = serde_json::from_value(whole).expect("an object");
        trim(&mut whole);
        let mut kept = serde_json::to_value(whole).expect("an object");
        for added in ["apiVersion", "kind"] {
            kept.as_object_mut().expect("an object").remove(added);
        }
        kept
    }

    #[test]
    fn of_a_service_whom_it_selects_is_kept() {
        let mut service = json!({
            "metadata": {"name": "db", "namespace": "shop", "deletionTimestamp": "2026-01-02T03:04:05Z"},
            "spec": {"clusterIP": "None", "publishNotReadyAddresses": true, "selector": {"app": "db"}, "type": "ClusterIP"},
        });
        let read = service.clone();
        service["metadata"]["labels"] = json!({"app": "db"});
        service["spec"]["ports"] = json!([{"port": 80}]);
        service["status"] = json!({"loadBalancer": {}});
        assert_eq!(kept(&service, super::service), read);
    }

    #[test]
    fn of_a_namespace_its_labels_are_kept() {
        let mut namespace =
            json!({"metadata": {"name": "shop", "labels": {"steadfast.dev/enforce": "warn"}}});
        let read = namespace.clone();
        namespace["metadata"]["annotations"] = json!({"owner": "shop"});
        namespace["status"] = json!({"phase": "Active"});
        assert_eq!(kept(&namespace, super::namespace), read);
    }

    #[test]
    fn of_a_storage_class_is_kept_whether_it_is_the_default_and_who_makes_its_volumes() {
        let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
        let mut class = json!({
            "metadata": {"name": "fast", "annotations": annotations, "creationTimestamp": "2026-01-02T03:04:05Z"},
            "provisioner": "example.com/disk", "allowVolumeExpansion": true,
        });
        let read = class.clone();
        class["parameters"] = json!({"type": "ssd"});
        assert_eq!(kept(&class, storage_class), read);
    }

    #[test]
    fn of_a_budget_whom_it_selects_and_what_it_allows_is_kept() {
        let tier = json!({"key": "tier", "operator": "In", "values": ["back"]});
        let mut budget = json!({
            "metadata": {"name": "db", "namespace": "shop"},
            "spec": {
                "maxUnavailable": "10%", "minAvailable": 2,
                "selector": {"matchLabels": {"app": "db"}, "matchExpressions": [tier]},
            },
        });
        let read = budget.clone();
        budget["metadata"]["labels"] = json!({"app": "db"});
        budget["spec"]["unhealthyPodEvictionPolicy"] = json!("AlwaysAllow");
        budget["status"] = json!({
            "currentHealthy": 3, "desiredHealthy": 2, "disruptionsAllowed": 1, "expectedPods": 3, "observedGeneration": 1,
        });
        assert_eq!(kept(&budget, disruption_budget), read);
    }
}

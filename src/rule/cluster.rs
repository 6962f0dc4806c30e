//! What else is in the cluster: what a rule may ask, and what nobody could tell it.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;

use super::selector::has_all;
use crate::object::view::Labels;

/// A fact that may be out of reach. Unknown is not absent, and never becomes a finding or an injection.
#[derive(Clone, Debug, PartialEq)]
pub enum Known<T> {
    /// It is there.
    Present(T),
    /// It is certainly not there.
    Absent,
    /// Nobody could tell.
    Unknown,
}

/// What a view knows of one kind of object.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// The objects that it knows.
    pub items: Vec<Arc<T>>,
    /// Whether there are no others.
    pub complete: bool,
}

/// What else is in the cluster, as far as somebody knows. It answers at once and waits for nothing.
pub trait ClusterView: Send + Sync {
    /// A namespace, whose labels say how much may be done in it. Where nobody looks them up there is none to say it.
    fn namespace(&self, _name: &str) -> Known<Arc<Namespace>> {
        Known::Absent
    }
    /// The headless Services of a namespace.
    fn headless_services(&self, namespace: &str) -> Listing<Service>;
    /// The same as they are at this moment; none where that must be asked for, since what is at hand may have changed.
    fn headless_services_now(&self, namespace: &str) -> Option<Listing<Service>> {
        Some(self.headless_services(namespace))
    }
    /// The Service of this name.
    fn service(&self, namespace: &str, name: &str) -> Known<Arc<Service>>;
    /// The names of the ConfigMaps and Secrets of a namespace, where they are known.
    fn configs(&self, _namespace: &str) -> Vec<String> {
        Vec::new()
    }
    /// The storage classes.
    fn storage_classes(&self) -> Listing<StorageClass>;
    /// The claims of a namespace.
    fn claims(&self, _namespace: &str) -> Listing<PersistentVolumeClaim> {
        Listing::unknown()
    }
    /// The budgets of a namespace, each of which says how many of some pods may be evicted at a time.
    fn disruption_budgets(&self, _namespace: &str) -> Listing<PodDisruptionBudget> {
        Listing::unknown()
    }
    /// The ControllerRevisions of a set: each holds a pod template that it had before, or has.
    fn revisions(&self, _namespace: &str, _set: &str) -> Listing<ControllerRevision> {
        Listing::unknown()
    }
}

impl<T> Listing<T> {
    /// Nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            items: Vec::new(),
            complete: false,
        }
    }
}

/// A question to the cluster on which a verdict hangs; whoever can ask does so, and has the set judged once more.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Question {
    /// Which labels does this namespace have?
    Namespace {
        /// Its name.
        name: String,
    },
    /// Which headless Services are in this namespace?
    HeadlessServices {
        /// The namespace.
        namespace: String,
    },
    /// Is there a Service of this name?
    Service {
        /// The namespace.
        namespace: String,
        /// The Service's name.
        name: String,
    },
    /// Which storage classes are there?
    StorageClasses,
    /// Which claims are in this namespace?
    Claims {
        /// The namespace.
        namespace: String,
    },
    /// Which pod templates did this set have before?
    ControllerRevisions {
        /// The namespace.
        namespace: String,
        /// The set's name.
        set: String,
        /// The labels that the set selects, and its revisions bear: `app=web,tier=db`.
        selector: String,
    },
}

/// Whether a Service has no cluster IP of its own, so that its name resolves to the pods.
#[must_use]
pub fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().is_some_and(|spec| {
        spec.cluster_ip.as_deref() == Some("None") && spec.type_.as_deref() != Some("ExternalName")
    })
}

/// Whether a Service's selector fits pods with these labels.
#[must_use]
pub fn selects(service: &Service, labels: &Labels<'_>) -> bool {
    let selector = service
        .spec
        .as_ref()
        .and_then(|spec| spec.selector.as_ref());
    selector.is_some_and(|selector| !selector.is_empty() && has_all(labels, selector))
}

/// The annotation that marks a default class, in its lasting and in its beta form, which the API server still honours
/// (kubernetes/kubernetes `pkg/volume/util/storageclass.go`).
pub(super) fn is_default(class: &StorageClass) -> bool {
    let keys = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ];
    let annotations = class.metadata.annotations.as_ref();
    annotations.is_some_and(|annotations| {
        keys.iter()
            .any(|key| annotations.get(*key).is_some_and(|value| value == "true"))
    })
}

//! What a rule may know besides the set itself.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::Value;

use super::Entry;
use crate::object::view::{Container, Labels, StatefulSet};
use crate::workload::probe::with_handler;
use crate::workload::{self, Asked, COMMON, Catalogue, Forming, Kind, Preferences, Withheld};

/// What is being done to the set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
}

/// What a rule may know besides the set itself.
pub struct Context<'a> {
    /// What is being done.
    pub operation: Operation,
    /// The namespace that the set is in.
    pub namespace: &'a str,
    /// The set's name; empty where the API server is still to make one.
    pub name: &'a str,
    /// The set before the change; none where it is made.
    pub old: Option<&'a StatefulSet<'a>>,
    /// Tells whether the pod template is another than before: by all of it, not only by what rules read.
    template_changes: &'a dyn Fn() -> bool,
    /// What else is in the cluster.
    pub cluster: &'a dyn ClusterView,
    /// What all rules declare about themselves.
    pub rules: &'a [Entry],
    /// What rules needed to know and the view could not tell.
    questions: RefCell<Vec<Question>>,
    /// What is known of workloads.
    catalogue: &'a Catalogue,
    /// What of the set's forming a probe could stand in the way of; the same for all of its containers.
    forming: OnceCell<Forming>,
}

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
    /// The Services of a namespace.
    fn services(&self, namespace: &str) -> Listing<Service>;
    /// The names of the ConfigMaps and Secrets of a namespace, where they are known.
    fn configs(&self, _namespace: &str) -> Vec<String> {
        Vec::new()
    }
    /// The storage classes.
    fn storage_classes(&self) -> Listing<StorageClass>;
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
    /// Which headless Services are in this namespace?
    HeadlessServices {
        /// The namespace.
        namespace: String,
    },
    /// Which storage classes are there?
    StorageClasses,
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

impl<'a> Context<'a> {
    /// The context of a set in `namespace`.
    #[must_use]
    pub fn new(
        operation: Operation,
        namespace: &'a str,
        name: &'a str,
        cluster: &'a dyn ClusterView,
    ) -> Self {
        Self {
            operation,
            namespace,
            name,
            old: None,
            template_changes: &|| false,
            cluster,
            rules: &[],
            questions: RefCell::default(),
            catalogue: &COMMON,
            forming: OnceCell::new(),
        }
    }

    /// The same, of a change to `old`.
    #[must_use]
    pub fn changing(
        mut self,
        old: Option<&'a StatefulSet<'a>>,
        template_changes: &'a dyn Fn() -> bool,
    ) -> Self {
        self.old = old;
        self.template_changes = template_changes;
        self
    }

    /// The same, with this catalogue of workloads.
    #[must_use]
    pub fn knowing(mut self, catalogue: &'a Catalogue) -> Self {
        self.catalogue = catalogue;
        self
    }

    /// Whether the update starts a rollout: any difference of the pod template is a new revision.
    #[must_use]
    pub fn template_changes(&self) -> bool {
        self.old.is_some() && (self.template_changes)()
    }

    /// The headless Services whose selector fits pods with these labels.
    ///
    /// A Service without selector fits none: somebody else names its endpoints.
    #[must_use]
    pub fn headless_services(&self, labels: &Labels<'_>) -> Known<Vec<Arc<Service>>> {
        let services = self.cluster.services(self.namespace);
        let fitting: Vec<_> = services
            .items
            .into_iter()
            .filter(|service| is_headless(service) && selects(service, labels))
            .collect();
        let question = || Question::HeadlessServices {
            namespace: self.namespace.to_owned(),
        };
        match (fitting.is_empty(), services.complete) {
            (false, _) => Known::Present(fitting),
            (true, true) => Known::Absent,
            (true, false) => self.unknown(question()),
        }
    }

    /// The Service of this name in the set's namespace.
    #[must_use]
    pub fn service(&self, name: &str) -> Known<Arc<Service>> {
        let services = self.cluster.services(self.namespace);
        match services
            .items
            .into_iter()
            .find(|service| service.metadata.name.as_deref() == Some(name))
        {
            Some(service) => Known::Present(service),
            None if services.complete => Known::Absent,
            None => Known::Unknown,
        }
    }

    /// The Service that governs the set: the one it names, else the one headless Service that selects its pods.
    #[must_use]
    pub fn governing_service(&self, set: &StatefulSet<'_>) -> Option<Arc<Service>> {
        let found = match &*set.spec.service_name {
            "" => self.headless_services(&set.spec.template.metadata.labels),
            name => match self.service(name) {
                Known::Present(service) => Known::Present(vec![service]),
                _ => Known::Unknown,
            },
        };
        match found {
            Known::Present(mut services) if services.len() == 1 => services.pop(),
            _ => None,
        }
    }

    /// How to ask a container whether it is well, or why nothing is asked.
    pub fn asked(
        &self,
        set: &StatefulSet<'_>,
        container: &Container<'_>,
        kind: Kind,
        helpers: &[String],
        grpc_health: bool,
    ) -> Result<Asked, Withheld> {
        let preferences = Preferences {
            helpers,
            grpc_health,
            forming: *self.forming.get_or_init(|| self.forming(set)),
        };
        workload::asked(self.catalogue, set, container, kind, preferences)
    }

    fn forming(&self, set: &StatefulSet<'_>) -> Forming {
        let governing = self.governing_service(set);
        let spec = governing.as_ref().and_then(|service| service.spec.as_ref());
        let name = governing
            .as_ref()
            .and_then(|service| service.metadata.name.as_deref());
        let publishes = spec.is_some_and(|spec| spec.publish_not_ready_addresses == Some(true));
        Forming::of(set, name.unwrap_or(&set.spec.service_name), publishes)
    }

    /// What the governing Service's name has after the set's, by the workload of its containers where that is known.
    #[must_use]
    pub fn headless_suffix(&self, set: &StatefulSet<'_>) -> &'a str {
        let mut containers = set.spec.template.spec.containers.iter();
        let known = containers.find_map(|container| self.catalogue.surely(container));
        known.map_or("", |workload| &workload.headless_suffix)
    }

    /// A probe that was once derived, asking as the container is to be asked now, with the numbers that it had, and of which
    /// workload that is; none where nothing is right.
    #[must_use]
    pub fn renewed_probe(
        &self,
        set: &StatefulSet<'_>,
        container: &Container<'_>,
        kind: Kind,
        probe: &Value,
    ) -> Option<(Value, Option<String>)> {
        let grpc = !probe["grpc"].is_null();
        let asked = self.asked(set, container, kind, &[], grpc).ok()?;
        Some((with_handler(probe, &asked), asked.workload))
    }

    /// The storage class of this name; without a name, the default class.
    #[must_use]
    pub fn storage_class(&self, name: Option<&str>) -> Known<Arc<StorageClass>> {
        let classes = self.cluster.storage_classes();
        let wanted = |class: &StorageClass| match name {
            Some(name) => class.metadata.name.as_deref() == Some(name),
            None => is_default(class),
        };
        match classes.items.into_iter().find(|class| wanted(class)) {
            Some(class) => Known::Present(class),
            None if classes.complete => Known::Absent,
            None => self.unknown(Question::StorageClasses),
        }
    }

    /// The questions that were left open, each once.
    #[must_use]
    pub fn into_questions(self) -> Vec<Question> {
        self.questions.into_inner()
    }

    fn unknown<T>(&self, question: Question) -> Known<T> {
        let mut questions = self.questions.borrow_mut();
        if !questions.contains(&question) {
            questions.push(question);
        }
        Known::Unknown
    }
}

/// Whether a Service has no cluster IP of its own, so that its name resolves to the pods.
fn is_headless(service: &Service) -> bool {
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
    selector.is_some_and(|selector| {
        let fits = |(key, value): (&String, &String)| {
            labels.get(key).is_some_and(|label| **label == **value)
        };
        !selector.is_empty() && selector.iter().all(fits)
    })
}

/// The annotation that marks a default class, in its lasting and in its beta form, which the API server still honours
/// (kubernetes/kubernetes `pkg/volume/util/storageclass.go`).
fn is_default(class: &StorageClass) -> bool {
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

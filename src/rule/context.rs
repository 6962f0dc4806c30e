//! What a rule may know besides the set itself.

use std::cell::{OnceCell, RefCell};
use std::cmp::Reverse;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Service};
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::Value;

use super::Entry;
use super::cluster::{ClusterView, Known, Listing, Question, is_default, selects};
use crate::object::view::{Container, Labels, StatefulSet};
use crate::workload::probe::with_handler;
use crate::workload::{
    self, Asked, COMMON, Catalogue, Forming, Kind, Preferences, Withheld, Workload,
};

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
    /// The Service that nobody is asked for.
    unasked: Option<&'a str>,
    /// What is known of workloads.
    catalogue: &'a Catalogue,
    /// What of the set's forming a probe could stand in the way of; the same for all of its containers.
    forming: OnceCell<Forming>,
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
            unasked: None,
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

    /// The same, which asks nobody for this Service.
    #[must_use]
    pub fn not_asking_for(mut self, service: &'a str) -> Self {
        self.unasked = Some(service);
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
        self.fitting(self.known_headless_services(labels))
    }

    /// The same, as they are at this moment: for a name that can never be changed it is not enough what was so a moment ago.
    #[must_use]
    pub fn headless_services_now(&self, labels: &Labels<'_>) -> Known<Vec<Arc<Service>>> {
        let services = self.cluster.headless_services_now(self.namespace);
        self.fitting(selecting(services.unwrap_or_else(Listing::unknown), labels))
    }

    fn fitting(&self, services: Listing<Service>) -> Known<Vec<Arc<Service>>> {
        match (services.items.is_empty(), services.complete) {
            (false, _) => Known::Present(services.items),
            (true, true) => Known::Absent,
            (true, false) => self.unknown(Question::HeadlessServices {
                namespace: self.namespace.to_owned(),
            }),
        }
    }

    /// The headless Services that select pods with these labels, as far as they are at hand: nobody is asked for more.
    #[must_use]
    pub fn known_headless_services(&self, labels: &Labels<'_>) -> Listing<Service> {
        selecting(self.cluster.headless_services(self.namespace), labels)
    }

    /// The Service of this name in the set's namespace.
    #[must_use]
    pub fn service(&self, name: &str) -> Known<Arc<Service>> {
        match self.cluster.service(self.namespace, name) {
            // Several rules ask for the governing Service.
            Known::Unknown if self.has_asked_for(name) || self.unasked == Some(name) => {
                Known::Unknown
            }
            Known::Unknown => self.unknown(Question::Service {
                namespace: self.namespace.to_owned(),
                name: name.to_owned(),
            }),
            known => known,
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

    /// The workload that a container certainly runs.
    #[must_use]
    pub fn workload(&self, container: &Container<'_>) -> Option<&'a Workload> {
        self.catalogue.surely(container)
    }

    /// The containers that are not ready before they have found their peers, of a set that this Service governs. One replica waits
    /// for nobody.
    pub fn needing_peers<'v, 's>(
        &self,
        set: &'v StatefulSet<'s>,
        governing: &str,
    ) -> impl Iterator<Item = &'v Container<'s>> {
        let several = set.spec.replicas != 1;
        let needing = several.then(|| Forming::needing_peers(self.catalogue, set, governing));
        needing.into_iter().flatten()
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

    /// The storage class of this name; without a name, the default class. Of several the newest is (kubernetes/kubernetes
    /// `pkg/volume/util/storageclass.go`, `GetDefaultClass`).
    #[must_use]
    pub fn storage_class(&self, name: Option<&str>) -> Known<Arc<StorageClass>> {
        let classes = self.cluster.storage_classes();
        let wanted = |class: &Arc<StorageClass>| match name {
            Some(name) => class.metadata.name.as_deref() == Some(name),
            None => is_default(class),
        };
        let age = |class: &Arc<StorageClass>| {
            let metadata = &class.metadata;
            let made = metadata.creation_timestamp.as_ref().map(|made| made.0);
            (made, Reverse(metadata.name.clone()))
        };
        match classes.items.into_iter().filter(wanted).max_by_key(age) {
            Some(class) => Known::Present(class),
            None if classes.complete => Known::Absent,
            None => self.unknown(Question::StorageClasses),
        }
    }

    /// The claim of this name in the set's namespace.
    #[must_use]
    pub fn claim(&self, name: &str) -> Known<Arc<PersistentVolumeClaim>> {
        let claims = self.cluster.claims(self.namespace);
        let mut items = claims.items.into_iter();
        match items.find(|claim| claim.metadata.name.as_deref() == Some(name)) {
            Some(claim) => Known::Present(claim),
            None if claims.complete => Known::Absent,
            None => self.unknown(Question::Claims {
                namespace: self.namespace.to_owned(),
            }),
        }
    }

    /// The claims that an earlier set of this name left, and that a claim template of this name would adopt; none where that
    /// is not known.
    #[must_use]
    pub fn leftover_claims(&self, template: &str) -> Option<Vec<String>> {
        if self.name.is_empty() {
            return None;
        }
        let claims = self.cluster.claims(self.namespace);
        if !claims.complete {
            let namespace = self.namespace.to_owned();
            self.unknown::<()>(Question::Claims { namespace });
            return None;
        }
        let prefix = format!("{template}-{}-", self.name);
        let is_ordinal =
            |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
        let names = claims
            .items
            .iter()
            .filter_map(|claim| claim.metadata.name.as_deref());
        let left = names.filter(|name| name.strip_prefix(&*prefix).is_some_and(is_ordinal));
        let mut left: Vec<_> = left.map(str::to_owned).collect();
        left.sort_unstable();
        Some(left)
    }

    /// The questions that were left open, each once.
    #[must_use]
    pub fn into_questions(self) -> Vec<Question> {
        self.questions.into_inner()
    }

    fn has_asked_for(&self, service: &str) -> bool {
        let questions = self.questions.borrow();
        let mut questions = questions.iter();
        questions
            .any(|question| matches!(question, Question::Service { name, .. } if name == service))
    }

    fn unknown<T>(&self, question: Question) -> Known<T> {
        let mut questions = self.questions.borrow_mut();
        if !questions.contains(&question) {
            questions.push(question);
        }
        Known::Unknown
    }
}

/// Those that select pods with these labels.
fn selecting(mut services: Listing<Service>, labels: &Labels<'_>) -> Listing<Service> {
    // One that is being deleted governs nobody for long.
    let stays = |service: &Service| service.metadata.deletion_timestamp.is_none();
    services
        .items
        .retain(|service| stays(service) && selects(service, labels));
    services
}

//! A view with the API server's answers laid over it. Pure: who asks, and how, is no matter of this file.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;

use crate::rule::{ClusterView, Known, Listing, Question};

/// What the API server may be asked about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Lookup {
    /// The namespaces, for their labels; always, where anything is looked up.
    Namespaces,
    /// The Services, headless ones above all.
    Services,
    /// The storage classes.
    StorageClasses,
    /// The claims of a namespace.
    PersistentVolumeClaims,
    /// The pod templates that a set had before.
    ControllerRevisions,
    /// How many of some pods may be evicted at a time; watched, and never asked for.
    PodDisruptionBudgets,
}

impl Lookup {
    /// What a question is about.
    #[must_use]
    pub fn of(question: &Question) -> Self {
        match question {
            Question::Namespace { .. } => Self::Namespaces,
            Question::HeadlessServices { .. } | Question::Service { .. } => Self::Services,
            Question::StorageClasses => Self::StorageClasses,
            Question::Claims { .. } => Self::PersistentVolumeClaims,
            Question::ControllerRevisions { .. } => Self::ControllerRevisions,
        }
    }

    /// The resource, as kubectl has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Services => "services",
            Self::StorageClasses => "storageclasses",
            Self::PersistentVolumeClaims => "persistentvolumeclaims",
            Self::ControllerRevisions => "controllerrevisions",
            Self::PodDisruptionBudgets => "poddisruptionbudgets",
        }
    }
}

/// An answer of the API server, with what was asked.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The namespace of this name, if there is one.
    Namespace(String, Option<Arc<Namespace>>),
    /// The headless Services of a namespace.
    HeadlessServices(String, Listing<Service>),
    /// The Service of a namespace that has this name, if there is one.
    Service(String, String, Option<Arc<Service>>),
    /// The storage classes.
    StorageClasses(Listing<StorageClass>),
    /// The claims of a namespace.
    Claims(String, Listing<PersistentVolumeClaim>),
    /// The pod templates that the set of a namespace that has this name had before.
    Revisions(String, String, Listing<ControllerRevision>),
}

impl Fact {
    /// Whether it tells all there is.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            Self::HeadlessServices(_, found) => found.complete,
            Self::Namespace(..) | Self::Service(..) => true,
            Self::StorageClasses(found) => found.complete,
            Self::Claims(_, found) => found.complete,
            Self::Revisions(_, _, found) => found.complete,
        }
    }
}

/// What was asked, as it was answered; the rest is left to the view below.
///
/// What was before a set is complete by an answer only, whatever that view says: manifests call complete what they were
/// merely given, and whoever relied on that could refuse a rollback.
pub struct Overlay<'a> {
    base: &'a dyn ClusterView,
    facts: &'a [Fact],
}

impl<'a> Overlay<'a> {
    /// `facts` over `base`.
    #[must_use]
    pub fn new(base: &'a dyn ClusterView, facts: &'a [Fact]) -> Self {
        Self { base, facts }
    }

    fn told_headless(&self, namespace: &str) -> Option<Listing<Service>> {
        self.told(|fact| match fact {
            Fact::HeadlessServices(of, found) if of == namespace => Some(found.clone()),
            _ => None,
        })
    }

    /// The first fact that tells it.
    fn told<T>(&self, tells: impl Fn(&'a Fact) -> Option<T>) -> Option<T> {
        self.facts.iter().find_map(tells)
    }
}

impl ClusterView for Overlay<'_> {
    fn namespace(&self, name: &str) -> Known<Arc<Namespace>> {
        let told = self.told(|fact| match fact {
            Fact::Namespace(of, found) if of == name => Some(known(found.as_ref())),
            _ => None,
        });
        told.unwrap_or_else(|| self.base.namespace(name))
    }

    fn headless_services(&self, namespace: &str) -> Listing<Service> {
        let told = self.told_headless(namespace);
        told.unwrap_or_else(|| self.base.headless_services(namespace))
    }

    fn headless_services_now(&self, namespace: &str) -> Option<Listing<Service>> {
        let told = self.told_headless(namespace);
        told.or_else(|| self.base.headless_services_now(namespace))
    }

    fn service(&self, namespace: &str, name: &str) -> Known<Arc<Service>> {
        let told = self.told(|fact| match fact {
            Fact::Service(of, called, found) if of == namespace && called == name => {
                Some(known(found.as_ref()))
            }
            _ => None,
        });
        told.unwrap_or_else(|| self.base.service(namespace, name))
    }

    fn configs(&self, namespace: &str) -> Vec<String> {
        self.base.configs(namespace)
    }

    fn storage_classes(&self) -> Listing<StorageClass> {
        let told = self.told(|fact| match fact {
            Fact::StorageClasses(found) => Some(found.clone()),
            _ => None,
        });
        told.unwrap_or_else(|| self.base.storage_classes())
    }

    fn claims(&self, namespace: &str) -> Listing<PersistentVolumeClaim> {
        let told = self.told(|fact| match fact {
            Fact::Claims(of, found) if of == namespace => Some(found.clone()),
            _ => None,
        });
        told.unwrap_or_else(|| self.base.claims(namespace))
    }

    fn disruption_budgets(&self, namespace: &str) -> Listing<PodDisruptionBudget> {
        self.base.disruption_budgets(namespace)
    }

    fn revisions(&self, namespace: &str, set: &str) -> Listing<ControllerRevision> {
        let found = self.told(|fact| match fact {
            Fact::Revisions(within, of, found) if within == namespace && of == set => Some(found),
            _ => None,
        });
        let mut items = self.base.revisions(namespace, set).items;
        items.extend(found.into_iter().flat_map(|found| found.items.clone()));
        Listing {
            items,
            complete: found.is_some_and(|found| found.complete),
        }
    }
}

fn known<T>(found: Option<&Arc<T>>) -> Known<Arc<T>> {
    found.map_or(Known::Absent, |found| Known::Present(Arc::clone(found)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::Manifests;

    fn one<T: Default>(complete: bool) -> Listing<T> {
        Listing {
            items: vec![Arc::default()],
            complete,
        }
    }

    fn revisions(set: &str, complete: bool) -> Fact {
        Fact::Revisions("shop".to_owned(), set.to_owned(), one(complete))
    }

    fn given() -> Manifests {
        let mut given = Manifests::new(true);
        let owner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": true});
        let revision = json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision", "data": {}, "revision": 1,
            "metadata": {"name": "db-1", "namespace": "shop", "ownerReferences": [owner]},
        });
        given.add(&revision, "shop").expect("a revision");
        given
    }

    #[test]
    fn the_past_is_complete_by_an_answer_only() {
        let base = given();
        assert!(base.revisions("shop", "db").complete);
        let known = |facts: &[Fact], namespace: &str, set: &str| {
            let known = Overlay::new(&base, facts).revisions(namespace, set);
            (known.items.len(), known.complete)
        };
        assert_eq!(known(&[], "shop", "db"), (1, false));
        let facts = [revisions("db", true), revisions("large", false)];
        assert_eq!(known(&facts, "shop", "db"), (2, true));
        assert_eq!(known(&facts, "shop", "large"), (1, false));
        assert_eq!(known(&facts, "shop", "web"), (0, false));
        assert_eq!(known(&facts, "elsewhere", "db"), (0, false));
    }

    #[test]
    fn an_answer_stands_before_what_is_below_where_it_was_asked_for() {
        let base = given();
        let shop = || "shop".to_owned();
        let service = || "db".to_owned();
        let facts = [
            Fact::HeadlessServices(shop(), one(true)),
            Fact::Service(shop(), service(), Some(Arc::default())),
            Fact::Claims(shop(), one(false)),
            Fact::StorageClasses(one(true)),
        ];
        let view = Overlay::new(&base, &facts);
        let sizes = |namespace| {
            (
                view.headless_services(namespace).items.len(),
                view.service(namespace, "db") != Known::Absent,
                view.claims(namespace).items.len(),
            )
        };
        assert_eq!(sizes("shop"), (1, true, 1));
        assert_eq!(sizes("elsewhere"), (0, false, 0));
        assert_eq!(view.service("shop", "web"), Known::Absent);
        assert!(!view.claims("shop").complete && view.claims("elsewhere").complete);
        assert_eq!(view.storage_classes().items.len(), 1);
    }
}

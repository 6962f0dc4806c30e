//! A view with the API server's answers laid over it. Pure: who asks, and how, is no matter of this file.

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::storage::v1::StorageClass;

use crate::rule::{ClusterView, Listing, Question};

/// What the API server may be asked about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Lookup {
    /// The pod templates that a set had before.
    ControllerRevisions,
}

impl Lookup {
    /// What a question is about, where it is one that can be asked.
    #[must_use]
    pub fn of(question: &Question) -> Option<Self> {
        match question {
            Question::ControllerRevisions { .. } => Some(Self::ControllerRevisions),
            Question::HeadlessServices { .. } | Question::StorageClasses => None,
        }
    }

    /// The resource, as kubectl has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ControllerRevisions => "controllerrevisions",
        }
    }
}

/// An answer of the API server.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The pod templates that a set had before.
    Revisions {
        /// The namespace.
        namespace: String,
        /// The set's name.
        set: String,
        /// Its revisions.
        found: Listing<ControllerRevision>,
    },
}

impl Fact {
    /// Whether it tells all there is.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Revisions { found, .. } => found.complete,
        }
    }

    /// The revisions of this set, if that is what was answered.
    fn revisions_of(&self, namespace: &str, set: &str) -> Option<&Listing<ControllerRevision>> {
        match self {
            Self::Revisions {
                namespace: within,
                set: of,
                found,
            } => (within == namespace && of == set).then_some(found),
        }
    }
}

/// What was before a set as it is stored is complete by an answer only, whatever the view below says: manifests call complete
/// what they were merely given, and whoever relied on that could refuse a rollback. The rest is left to that view.
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
}

impl ClusterView for Overlay<'_> {
    fn services(&self, namespace: &str) -> Listing<Service> {
        self.base.services(namespace)
    }

    fn configs(&self, namespace: &str) -> Vec<String> {
        self.base.configs(namespace)
    }

    fn storage_classes(&self) -> Listing<StorageClass> {
        self.base.storage_classes()
    }

    fn revisions(&self, namespace: &str, set: &str) -> Listing<ControllerRevision> {
        let mut facts = self.facts.iter();
        let found = facts.find_map(|fact| fact.revisions_of(namespace, set));
        let mut items = self.base.revisions(namespace, set).items;
        items.extend(found.into_iter().flat_map(|found| found.items.clone()));
        Listing {
            items,
            complete: found.is_some_and(|found| found.complete),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::cluster::Manifests;

    fn revisions(set: &str, complete: bool) -> Fact {
        Fact::Revisions {
            namespace: "shop".to_owned(),
            set: set.to_owned(),
            found: Listing {
                items: vec![Arc::default()],
                complete,
            },
        }
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
    fn the_rest_is_left_to_the_view_below() {
        let (base, facts) = (given(), [revisions("db", true)]);
        let view = Overlay::new(&base, &facts);
        assert!(view.services("shop").complete && view.storage_classes().complete);
    }

    #[test]
    fn only_revisions_are_asked_for() {
        let namespace = || "shop".to_owned();
        for (question, lookup) in [
            (
                Question::ControllerRevisions {
                    namespace: namespace(),
                    set: "db".to_owned(),
                    selector: "app=db".to_owned(),
                },
                Some("controllerrevisions"),
            ),
            (
                Question::HeadlessServices {
                    namespace: namespace(),
                },
                None,
            ),
            (Question::StorageClasses, None),
        ] {
            assert_eq!(
                Lookup::of(&question).map(Lookup::as_str),
                lookup,
                "{question:?}"
            );
        }
    }
}

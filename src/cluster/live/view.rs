//! What is watched, as the view that rules ask.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;

use super::Live;
use crate::cluster::Lookup;
use crate::rule::{ClusterView, Known, Listing, is_headless};

impl ClusterView for Live {
    fn namespace(&self, name: &str) -> Known<Arc<Namespace>> {
        self.watches.namespaces.get("", name)
    }

    fn headless_services(&self, namespace: &str) -> Listing<Service> {
        if self.looks_up(Lookup::Services) {
            self.watches.services.list(namespace, is_headless)
        } else {
            self.others.headless_services(namespace)
        }
    }

    fn headless_services_now(&self, namespace: &str) -> Option<Listing<Service>> {
        if self.looks_up(Lookup::Services) {
            None
        } else {
            self.others.headless_services_now(namespace)
        }
    }

    fn service(&self, namespace: &str, name: &str) -> Known<Arc<Service>> {
        if self.looks_up(Lookup::Services) {
            self.watches.services.get(namespace, name)
        } else {
            self.others.service(namespace, name)
        }
    }

    fn configs(&self, namespace: &str) -> Vec<String> {
        self.others.configs(namespace)
    }

    fn storage_classes(&self) -> Listing<StorageClass> {
        if self.looks_up(Lookup::StorageClasses) {
            self.watches.storage_classes.list("", |_| true)
        } else {
            self.others.storage_classes()
        }
    }

    fn claims(&self, namespace: &str) -> Listing<PersistentVolumeClaim> {
        if self.looks_up(Lookup::PersistentVolumeClaims) {
            Listing::unknown()
        } else {
            self.others.claims(namespace)
        }
    }

    fn disruption_budgets(&self, namespace: &str) -> Listing<PodDisruptionBudget> {
        if self.looks_up(Lookup::PodDisruptionBudgets) {
            self.watches.disruption_budgets.list(namespace, |_| true)
        } else {
            self.others.disruption_budgets(namespace)
        }
    }

    fn revisions(&self, namespace: &str, set: &str) -> Listing<ControllerRevision> {
        self.others.revisions(namespace, set)
    }
}

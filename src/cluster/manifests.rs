//! Manifests that stand for a cluster.

use std::sync::Arc;

use k8s_openapi::Metadata;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::belongs_to;
use crate::rule::{ClusterView, Known, Listing, is_headless};

/// The namespace of a manifest that names none, as for kubectl.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Why a manifest is not of its kind; the path leads into it.
pub type UnreadableManifest = serde_path_to_error::Error<serde_json::Error>;

/// Objects read from manifests. A namespaced one that names no namespace is in the one given to [`Manifests::add`].
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    namespaces: Vec<Arc<Namespace>>,
    services: Vec<(String, Arc<Service>)>,
    claims: Vec<(String, Arc<PersistentVolumeClaim>)>,
    storage_classes: Vec<Arc<StorageClass>>,
    configs: Vec<(String, String)>,
    disruption_budgets: Vec<(String, Arc<PodDisruptionBudget>)>,
    revisions: Vec<(String, Arc<ControllerRevision>)>,
    complete: bool,
}

impl Manifests {
    /// No manifests yet. `complete` says that what is added is all there is, so that what is missing is absent.
    #[must_use]
    pub fn new(complete: bool) -> Self {
        Self {
            complete,
            ..Self::default()
        }
    }

    /// Adds an object; a `List` adds its items, and a kind that no rule asks for adds nothing.
    pub fn add(&mut self, object: &Value, namespace: &str) -> Result<(), UnreadableManifest> {
        let stated = object["metadata"]["namespace"].as_str();
        let own = stated.unwrap_or(namespace).to_owned();
        match (object["apiVersion"].as_str(), object["kind"].as_str()) {
            (Some("v1"), Some("Service")) => {
                add_once(&mut self.services, own, read(object)?);
            }
            (Some("policy/v1"), Some("PodDisruptionBudget")) => {
                add_once(&mut self.disruption_budgets, own, read(object)?);
            }
            (Some("v1"), Some("Namespace")) => self.namespaces.push(Arc::new(read(object)?)),
            (Some("v1"), Some("PersistentVolumeClaim")) => {
                self.claims.push((own, Arc::new(read(object)?)));
            }
            (Some("storage.k8s.io/v1"), Some("StorageClass")) => {
                self.storage_classes.push(Arc::new(read(object)?));
            }
            (Some("apps/v1"), Some("ControllerRevision")) => {
                self.revisions.push((own, Arc::new(read(object)?)));
            }
            (Some("v1"), Some("ConfigMap" | "Secret")) => {
                let name = object["metadata"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                self.configs.push((own, name));
            }
            (Some(_), Some(kind)) if kind.ends_with("List") => {
                for item in object["items"].as_array().into_iter().flatten() {
                    self.add(item, namespace)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(object: &Value) -> Result<T, UnreadableManifest> {
    serde_path_to_error::deserialize(object)
}

/// Given twice, as by a folder and a file in it, it is still one.
fn add_once<T: Metadata<Ty = ObjectMeta>>(
    objects: &mut Vec<(String, Arc<T>)>,
    namespace: String,
    object: T,
) {
    let name = &object.metadata().name;
    objects.retain(|(of, other)| *of != namespace || other.metadata().name != *name);
    objects.push((namespace, Arc::new(object)));
}

/// Those of a namespace.
fn within<'m, T>(
    objects: &'m [(String, Arc<T>)],
    namespace: &'m str,
) -> impl Iterator<Item = Arc<T>> + 'm {
    let here = objects.iter().filter(move |(of, _)| of == namespace);
    here.map(|(_, object)| Arc::clone(object))
}

impl ClusterView for Manifests {
    fn namespace(&self, name: &str) -> Known<Arc<Namespace>> {
        // Of one that is given twice the last counts.
        let mut namespaces = self.namespaces.iter().rev();
        let named = |namespace: &&Arc<Namespace>| namespace.metadata.name.as_deref() == Some(name);
        let found = namespaces.find(named);
        found.map_or(Known::Absent, |found| Known::Present(Arc::clone(found)))
    }

    fn headless_services(&self, namespace: &str) -> Listing<Service> {
        let services = within(&self.services, namespace);
        Listing {
            items: services.filter(|service| is_headless(service)).collect(),
            complete: self.complete,
        }
    }

    fn service(&self, namespace: &str, name: &str) -> Known<Arc<Service>> {
        let mut services = within(&self.services, namespace);
        match services.find(|service| service.metadata.name.as_deref() == Some(name)) {
            Some(service) => Known::Present(service),
            None if self.complete => Known::Absent,
            None => Known::Unknown,
        }
    }

    fn claims(&self, namespace: &str) -> Listing<PersistentVolumeClaim> {
        Listing {
            items: within(&self.claims, namespace).collect(),
            complete: self.complete,
        }
    }

    fn configs(&self, namespace: &str) -> Vec<String> {
        let here = self.configs.iter().filter(|(of, _)| of == namespace);
        here.map(|(_, name)| name.clone()).collect()
    }

    fn storage_classes(&self) -> Listing<StorageClass> {
        Listing {
            items: self.storage_classes.clone(),
            complete: self.complete,
        }
    }

    fn disruption_budgets(&self, namespace: &str) -> Listing<PodDisruptionBudget> {
        Listing {
            items: within(&self.disruption_budgets, namespace).collect(),
            complete: self.complete,
        }
    }

    /// Always complete: of the past, what the input gives is all there is, or no update could ever be judged offline.
    fn revisions(&self, namespace: &str, set: &str) -> Listing<ControllerRevision> {
        let here = within(&self.revisions, namespace);
        Listing {
            items: here.filter(|revision| belongs_to(revision, set)).collect(),
            complete: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_stand_in_their_namespace() {
        let mut view = Manifests::new(true);
        let service = |name: &str, namespace: Option<&str>| {
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
                "spec": {"clusterIP": "None"},
            })
        };
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [service("a", None), service("b", Some("other"))]});
        for _twice in 0..2 {
            view.add(&list, DEFAULT_NAMESPACE)
                .expect("they are Services");
        }
        view.add(
            &json!({"apiVersion": "v1", "kind": "Secret"}),
            DEFAULT_NAMESPACE,
        )
        .expect("nobody asks for it");
        let names = |namespace| -> Vec<_> {
            view.headless_services(namespace)
                .items
                .iter()
                .filter_map(|service| service.metadata.name.clone())
                .collect()
        };
        assert_eq!(
            (names("default"), names("other")),
            (vec!["a".to_owned()], vec!["b".to_owned()])
        );
    }
}

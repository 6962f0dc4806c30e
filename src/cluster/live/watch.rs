//! Watches: what of the cluster is at hand before anybody asks.

use std::fmt::Debug;
use std::mem::take;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Namespace, Service, ServiceSpec};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::watcher::{self, DefaultBackoff, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::store::Store;
use crate::cluster::Lookup;

/// What is watched; each for as long as this lives.
#[derive(Default)]
pub(super) struct Watches {
    pub(super) namespaces: Arc<Store<Namespace>>,
    pub(super) services: Arc<Store<Service>>,
    pub(super) storage_classes: Arc<Store<StorageClass>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Watches {
    /// Waits until the namespaces are listed, if they are watched.
    pub(super) async fn listed(&self) {
        if !self.tasks.is_empty() {
            self.namespaces.listed().await;
        }
    }

    /// Starts them. Claims and revisions are not watched: there are too many, and few are ever asked for.
    pub(super) fn start(client: &Client, lookups: &[Lookup]) -> Self {
        let mut this = Self::default();
        let task = follow(client, "namespaces", &this.namespaces, trim_namespace);
        this.tasks.push(task);
        if lookups.contains(&Lookup::Services) {
            let task = follow(client, "services", &this.services, trim_service);
            this.tasks.push(task);
        }
        if lookups.contains(&Lookup::StorageClasses) {
            let store = &this.storage_classes;
            let task = follow(client, "storageclasses", store, trim_storage_class);
            this.tasks.push(task);
        }
        this
    }
}

/// Follows one kind into its store. A watch that breaks begins anew with a list, so that what is known is known for certain.
fn follow<K>(
    client: &Client,
    kind: &'static str,
    store: &Arc<Store<K>>,
    trim: fn(&mut K),
) -> JoinHandle<()>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (api, store) = (Api::<K>::all(client.clone()), Arc::clone(store));
    tokio::spawn(async move {
        let mut backoff = DefaultBackoff::default();
        let mut is_told = false;
        loop {
            let mut events = pin!(watcher(api.clone(), watcher::Config::default()));
            let broke = loop {
                match events.next().await {
                    Some(Ok(event)) => {
                        let is_listed = matches!(event, watcher::Event::InitDone);
                        store.follow(event.modify(trim));
                        if is_listed {
                            info!(kind, objects = store.len(), "Watches");
                            is_told = false;
                        }
                    }
                    Some(Err(error)) => break in_words(&error),
                    None => break "it ended".to_owned(),
                }
            };
            if store.lose() || !is_told {
                warn!(kind, "The watch broke, and begins anew: {broke}");
                is_told = true;
            }
            tokio::time::sleep(backoff.next().unwrap_or_default()).await;
        }
    })
}

/// What broke a watch, as the API server says it.
fn in_words(error: &watcher::Error) -> String {
    use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | WatchError(status) => status.message.clone(),
        InitialListFailed(error) | WatchStartFailed(error) | WatchFailed(error) => {
            error.to_string()
        }
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}

/// Only what rules read is kept: there may be many thousands.
fn trim_service(service: &mut Service) {
    let Service { metadata, spec, .. } = take(service);
    let spec = spec.map(|spec| ServiceSpec {
        cluster_ip: spec.cluster_ip,
        publish_not_ready_addresses: spec.publish_not_ready_addresses,
        selector: spec.selector,
        type_: spec.type_,
        ..ServiceSpec::default()
    });
    *service = Service {
        metadata: named(metadata),
        spec,
        status: None,
    };
}

fn trim_namespace(namespace: &mut Namespace) {
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

fn trim_storage_class(class: &mut StorageClass) {
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

fn named(metadata: ObjectMeta) -> ObjectMeta {
    ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        ..ObjectMeta::default()
    }
}

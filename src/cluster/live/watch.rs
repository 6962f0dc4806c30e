//! Watches: what of the cluster is at hand before anybody asks.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Namespace, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::runtime::watcher::{self, DefaultBackoff, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::store::Store;
use super::trim;
use crate::cluster::Lookup;

/// What is watched; each for as long as this lives.
#[derive(Default)]
pub(super) struct Watches {
    pub(super) namespaces: Arc<Store<Namespace>>,
    pub(super) services: Arc<Store<Service>>,
    pub(super) storage_classes: Arc<Store<StorageClass>>,
    pub(super) disruption_budgets: Arc<Store<PodDisruptionBudget>>,
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
        let task = follow(client, "namespaces", &this.namespaces, trim::namespace);
        this.tasks.push(task);
        if lookups.contains(&Lookup::Services) {
            let task = follow(client, "services", &this.services, trim::service);
            this.tasks.push(task);
        }
        if lookups.contains(&Lookup::StorageClasses) {
            let store = &this.storage_classes;
            let task = follow(client, "storageclasses", store, trim::storage_class);
            this.tasks.push(task);
        }
        if lookups.contains(&Lookup::PodDisruptionBudgets) {
            let store = &this.disruption_budgets;
            let task = follow(
                client,
                "poddisruptionbudgets",
                store,
                trim::disruption_budget,
            );
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

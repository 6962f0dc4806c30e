//! A namespace of a test's own, and waiting for objects in it.

use std::fmt::Debug;

use anyhow::{Context as _, Result, bail};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Namespace as Object, ServiceAccount};
use kube::api::{DeleteParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::eventually::SOON;
use crate::invocation::Invocation;

/// Deleted, without waiting for it, when the test is done with it.
pub(crate) struct Namespace<'c> {
    cluster: &'c Cluster,
    name: String,
}

impl<'c> Namespace<'c> {
    /// Pods need the default `ServiceAccount`, so it is there when this returns.
    pub(crate) fn create(cluster: &'c Cluster, name: String) -> Result<Self> {
        let object: Object = serde_json::from_value(json!({"metadata": {"name": name}}))?;
        let namespaces: Api<Object> = Api::all(cluster.client());
        cluster
            .block_on(namespaces.create(&PostParams::default(), &object))
            .context("cannot create a namespace")?;
        let namespace = Self { cluster, name };
        namespace.wait("default", "is there", |_: &ServiceAccount| true)?;
        Ok(namespace)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn cluster(&self) -> &'c Cluster {
        self.cluster
    }

    /// kubectl in this namespace.
    pub(crate) fn kubectl(&self, args: &[&str]) -> Invocation {
        self.cluster
            .kubectl(&["--namespace", &self.name])
            .args(args)
    }

    /// helm in this namespace.
    pub(crate) fn helm(&self, args: &[&str]) -> Invocation {
        self.cluster.helm(&["--namespace", &self.name]).args(args)
    }

    /// Helm 3 in this namespace.
    pub(crate) fn helm3(&self, args: &[&str]) -> Invocation {
        self.cluster.helm3(&["--namespace", &self.name]).args(args)
    }

    /// `kubectl apply` of one or several documents, which must succeed.
    pub(crate) fn apply(&self, yaml: &str) -> Result<crate::invocation::Output> {
        self.kubectl(&["apply", "-f", "-"]).stdin(yaml).succeed()
    }

    /// Typed access to one kind: `namespace.api::<StatefulSet>()`.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.cluster.client(), &self.name)
    }

    /// The object as it is now.
    pub(crate) fn get<K>(&self, name: &str) -> Result<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        let api = self.api::<K>();
        self.cluster
            .block_on(api.get(name))
            .with_context(|| format!("cannot read {} {name}", K::kind(&())))
    }

    /// Watches one object until it is as wanted; `what` completes the sentence "web ..." for messages.
    pub(crate) fn wait<K>(&self, name: &str, what: &str, wanted: impl Fn(&K) -> bool) -> Result<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + Debug
            + DeserializeOwned
            + Serialize
            + Send
            + 'static,
    {
        let api = self.api::<K>();
        let condition = |object: Option<&K>| object.is_some_and(&wanted);
        let waiting = await_condition(api.clone(), name, condition);
        match self
            .cluster
            .block_on(async { timeout(SOON, waiting).await })
        {
            Ok(Ok(Some(object))) => Ok(object),
            Ok(Ok(None)) => bail!("{} {name} is gone", K::kind(&())),
            Ok(Err(error)) => {
                Err(error).with_context(|| format!("cannot watch {} {name}", K::kind(&())))
            }
            Err(_) => {
                let now = self.cluster.block_on(api.get_opt(name)).ok().flatten();
                let now = serde_json::to_string_pretty(&now).unwrap_or_default();
                bail!(
                    "not within {SOON:?}: {} {name} {what}; it is now {now}",
                    K::kind(&())
                )
            }
        }
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        let namespaces: Api<Object> = Api::all(self.cluster.client());
        let _ = self
            .cluster
            .block_on(namespaces.delete(&self.name, &DeleteParams::background()));
    }
}

//! A namespace under the webhook's eyes.

use anyhow::Result;
use serde_json::json;

use crate::cluster::Cluster;
use crate::namespace::Namespace;
use crate::objects::documents;
use crate::registration::Registration;
use crate::webhook::{Running, Webhook};

/// A namespace whose sets a server of its own judges, registered by URL. Dropped in this order.
pub(crate) struct Judged<'c> {
    registration: Registration<'c>,
    pub(crate) server: Running,
    pub(crate) namespace: Namespace<'c>,
}

impl<'c> Judged<'c> {
    pub(crate) fn start(cluster: &'c Cluster, prefix: &str) -> Result<Self> {
        Self::by(cluster.namespace(prefix)?, Webhook::new())
    }

    /// What it is made of; the registration is to end before the server does.
    pub(crate) fn into_parts(self) -> (Registration<'c>, Running, Namespace<'c>) {
        (self.registration, self.server, self.namespace)
    }

    pub(crate) fn by(namespace: Namespace<'c>, webhook: Webhook) -> Result<Self> {
        let server = with_lab(webhook, &namespace)?.start(namespace.cluster())?;
        Ok(Self {
            registration: Registration::by_url(&namespace, &server)?,
            server,
            namespace,
        })
    }
}

/// Gives the server the lab's cluster, with the Services in this namespace.
pub(crate) fn with_lab(mut webhook: Webhook, namespace: &Namespace<'_>) -> Result<Webhook> {
    for mut service in documents(include_str!("../lab/cluster/services.yaml"))? {
        service["metadata"]["namespace"] = json!(namespace.name());
        webhook = webhook.manifest(service.to_string());
    }
    Ok(webhook.manifest(include_str!("../lab/cluster/storageclass.yaml")))
}

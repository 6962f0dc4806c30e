//! Webhook configurations that send one namespace's `StatefulSets` to a server on loopback, by URL.

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::eventually::{SOON, Stop, eventually};
use crate::namespace::Namespace;
use crate::webhook::Running;

/// The label of the `ConfigMap` that only a canary asks for.
const CANARY: &str = "test.steadfast.dev/canary";

/// Both configurations; they go when this is dropped, which must be before the server stops.
pub(crate) struct Registration<'c> {
    cluster: &'c Cluster,
    name: String,
}

impl<'c> Registration<'c> {
    /// Registers the server for this namespace alone and returns when the API server acts upon it.
    pub(crate) fn by_url(namespace: &Namespace<'c>, server: &Running) -> Result<Self> {
        Self::with(namespace, server.port(), &server.ca_pem(), &json!({}))
    }

    /// The same for any server on loopback, with fields of the webhooks replaced: `json!({"failurePolicy": "Ignore"})`.
    pub(crate) fn with(
        namespace: &Namespace<'c>,
        port: u16,
        ca: &str,
        fields: &Value,
    ) -> Result<Self> {
        let cluster = namespace.cluster();
        let registration = Self {
            cluster,
            name: namespace.name().to_owned(),
        };
        let ca = BASE64.encode(ca);
        let body = |path: &str| {
            let client = json!({"url": format!("https://127.0.0.1:{port}{path}"), "caBundle": ca});
            configuration(&registration.name, path, &client, fields)
        };
        let mutating: MutatingWebhookConfiguration = serde_json::from_value(body("/mutate"))?;
        let validating: ValidatingWebhookConfiguration = serde_json::from_value(body("/validate"))?;
        let params = PostParams::default();
        cluster
            .block_on(Api::all(cluster.client()).create(&params, &mutating))
            .context("mutating configuration")?;
        cluster
            .block_on(Api::all(cluster.client()).create(&params, &validating))
            .context("validating configuration")?;
        for path in ["/mutate", "/validate"] {
            wait_for_canary(namespace, path)?;
        }
        Ok(registration)
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let client = || self.cluster.client();
        let params = DeleteParams::default();
        let _ = self.cluster.block_on(
            Api::<MutatingWebhookConfiguration>::all(client()).delete(&self.name, &params),
        );
        let _ = self.cluster.block_on(
            Api::<ValidatingWebhookConfiguration>::all(client()).delete(&self.name, &params),
        );
    }
}

/// Configurations reach the API server through a watch, about a second after they were stored. Each carries a canary:
/// a second webhook where nobody listens. When it makes a `ConfigMap` fail, the object is known, our own entry included,
/// and our server was not asked for that.
fn configuration(name: &str, path: &str, client: &Value, fields: &Value) -> Value {
    let namespace = json!({"matchLabels": {"kubernetes.io/metadata.name": name}});
    let mut own = json!({
        "name": format!("{}.steadfast.dev", path.trim_start_matches('/')),
        "clientConfig": client,
        "rules": [{
            "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["statefulsets"],
            "operations": ["CREATE", "UPDATE"], "scope": "Namespaced",
        }],
        "namespaceSelector": namespace,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 10,
    });
    for (key, value) in fields.as_object().into_iter().flatten() {
        own[key] = value.clone();
    }
    let canary = json!({
        "name": "canary.test.steadfast.dev",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}],
        "namespaceSelector": namespace,
        "objectSelector": {"matchLabels": {CANARY: path.trim_start_matches('/')}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 5,
    });
    json!({"metadata": {"name": name}, "webhooks": [own, canary]})
}

fn wait_for_canary(namespace: &Namespace<'_>, path: &str) -> Result<()> {
    let phase = path.trim_start_matches('/');
    let canary =
        serde_json::from_value(json!({"metadata": {"name": "canary", "labels": {CANARY: phase}}}))?;
    let maps = namespace.api::<k8s_openapi::api::core::v1::ConfigMap>();
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    eventually(
        SOON,
        &format!("the API server knows the configuration of {path}"),
        || match namespace.cluster().block_on(maps.create(&dry_run, &canary)) {
            Ok(_) => bail!("the canary is still silent"),
            Err(kube::Error::Api(status)) => {
                let message = &status.message;
                ensure!(
                    message.contains("canary.test.steadfast.dev"),
                    Stop::new(message)
                );
                Ok(())
            }
            Err(error) => Err(error.into()),
        },
    )
}

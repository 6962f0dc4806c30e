//! Webhook configurations that send one namespace's `StatefulSets` to a server on loopback: by URL, or by the chart.

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::eventually::{SOON, Stop, eventually};
use crate::namespace::Namespace;
use crate::webhook::Running;

/// The label of the `ConfigMap` that only a canary asks for.
const CANARY: &str = "test.steadfast.dev/canary";

/// What the two configurations register.
const PATHS: [&str; 2] = ["/mutate", "/validate"];

/// Both configurations; they go when this is dropped, which must be before the server stops.
pub(crate) struct Registration<'c> {
    undo: Box<dyn Fn() + 'c>,
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
        let name = namespace.name();
        let registration = Self {
            undo: Box::new({
                let name = name.to_owned();
                move || remove(cluster, &name)
            }),
        };
        let ca = BASE64.encode(ca);
        let body = |path: &str| {
            let client = json!({"url": format!("https://127.0.0.1:{port}{path}"), "caBundle": ca});
            configuration(name, path, &client, fields)
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
        for path in PATHS {
            wait_for_canary(namespace, path)?;
        }
        Ok(registration)
    }

    /// Ends a registration by URL, and returns when the API server acts upon it.
    pub(crate) fn end(self, namespace: &Namespace<'_>) -> Result<()> {
        drop(self);
        for path in PATHS {
            eventually(SOON, &format!("the API server forgets {path}"), || {
                sing(namespace, path)?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Installs the chart into `home` and points it at the server, which nobody has called yet and whose certificate must
    /// bear the name that [`service_name`] gives. The failure policy is Fail, so that a failed call is seen. Dry runs ask
    /// whether the API server calls, and the server counts them.
    pub(crate) fn by_chart(
        home: Namespace<'c>,
        namespace: &Namespace<'c>,
        server: &Running,
    ) -> Result<Self> {
        Self::behind(home, namespace, server.port(), &server.ca_pem(), &[server])
    }

    /// The same of several servers behind one port.
    pub(crate) fn behind(
        home: Namespace<'c>,
        namespace: &Namespace<'c>,
        port: u16,
        authorities: &str,
        servers: &[&Running],
    ) -> Result<Self> {
        install(&home, &values(namespace, port, authorities))?;
        let registration = Self {
            undo: Box::new(move || {
                let _ = home.helm(&["uninstall", home.name()]).run();
            }),
        };
        wait_for_calls(namespace, servers)?;
        Ok(registration)
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        (self.undo)();
    }
}

fn remove(cluster: &Cluster, name: &str) {
    let client = || cluster.client();
    let params = DeleteParams::default();
    let _ =
        cluster.block_on(Api::<MutatingWebhookConfiguration>::all(client()).delete(name, &params));
    let _ = cluster
        .block_on(Api::<ValidatingWebhookConfiguration>::all(client()).delete(name, &params));
}

/// The chart that users install.
pub(crate) const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/chart");

/// The name that the API server calls a release of the chart in this namespace by.
pub(crate) fn service_name(home: &Namespace<'_>) -> String {
    format!("{0}.{0}.svc", home.name())
}

/// Values for the chart by which whoever listens on the port answers for this namespace alone.
fn values(namespace: &Namespace<'_>, port: u16, authorities: &str) -> Value {
    json!({
        "replicas": 0,
        "tls": {"caBundle": BASE64.encode(authorities)},
        "service": {"externalName": "localhost", "port": port},
        "webhook": {"failurePolicy": "Fail", "namespaceSelector": [only(namespace)]},
    })
}

/// The match expression that narrows a release to one namespace.
pub(crate) fn only(namespace: &Namespace<'_>) -> Value {
    json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace.name()]})
}

/// The release is named like its namespace, as its cluster-scoped objects must not meet those of another test.
pub(crate) fn install(home: &Namespace<'_>, values: &Value) -> Result<()> {
    let install = home.helm(&["install", home.name(), CHART, "--values", "-"]);
    install.stdin(values.to_string()).succeed()?;
    Ok(())
}

/// The chart has no canary, so a dry run asks until the servers have counted both calls.
fn wait_for_calls(namespace: &Namespace<'_>, servers: &[&Running]) -> Result<()> {
    let cluster = namespace.cluster();
    let set: StatefulSet = serde_json::from_value(json!({
        "metadata": {"name": "canary"},
        "spec": {
            "selector": {"matchLabels": {"app": "canary"}},
            "template": {
                "metadata": {"labels": {"app": "canary"}},
                "spec": {"containers": [{"name": "canary", "image": "canary"}]},
            },
        },
    }))?;
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    eventually(SOON, "the API server calls the release", || {
        let answer = cluster.block_on(namespace.api::<StatefulSet>().create(&dry_run, &set));
        let metrics: Result<String> = servers
            .iter()
            .map(|server| server.status(cluster, "/metrics"))
            .collect();
        let metrics = metrics?;
        for phase in ["mutate", "validate"] {
            let counter = format!("steadfast_reviews_total{{phase=\"{phase}\"");
            ensure!(
                metrics.contains(&counter),
                "no call of {phase}; the last answer was {answer:?}"
            );
        }
        Ok(())
    })
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
    let what = format!("the API server knows the configuration of {path}");
    eventually(SOON, &what, || match sing(namespace, path) {
        Ok(()) => bail!("the canary is still silent"),
        Err(kube::Error::Api(status)) => {
            let message = &status.message;
            ensure!(
                message.contains("canary.test.steadfast.dev"),
                Stop::new(message)
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
    })
}

/// Asks for the canary of a configuration, which fails where the API server knows it.
fn sing(namespace: &Namespace<'_>, path: &str) -> Result<(), kube::Error> {
    let phase = path.trim_start_matches('/');
    let canary: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "canary", "labels": {CANARY: phase}}}))
            .map_err(kube::Error::SerdeError)?;
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let maps = namespace.api::<ConfigMap>();
    let answer = namespace.cluster().block_on(maps.create(&dry_run, &canary));
    answer.map(drop)
}

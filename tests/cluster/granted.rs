//! A server that looks up with exactly what the chart grants, and the sets and Services that it is shown.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::access::{account, kubeconfig};
use crate::cluster::Cluster;
use crate::eventually::{SOON, Stop, eventually};
use crate::invocation::Output;
use crate::judged::Judged;
use crate::namespace::Namespace;
use crate::objects::{stored, warnings};
use crate::pki::Authority;
use crate::proxy::Proxy;
use crate::registration::install;
use crate::webhook::{Running, Webhook};

pub(crate) const LOOKUPS: &str = "--lookups=services,storageclasses,persistentvolumeclaims,controllerrevisions,poddisruptionbudgets";

/// A release of the chart that judges nobody, for the account that it makes.
pub(crate) struct Granted<'c> {
    home: Namespace<'c>,
}

impl<'c> Granted<'c> {
    pub(crate) fn install(cluster: &'c Cluster) -> Result<Self> {
        let home = cluster.namespace("steadfast")?;
        let ca = BASE64.encode(Authority::new("chart")?.pem());
        let nobody =
            json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["nobody"]});
        let values = json!({
            "replicas": 1, "tls": {"caBundle": ca, "secretName": "steadfast-tls"},
            "webhook": {"namespaceSelector": [nobody]},
        });
        install(&home, &values)?;
        Ok(Self { home })
    }

    pub(crate) fn access(&self) -> Result<PathBuf> {
        account(&self.home, self.home.name())
    }

    /// The same by another way.
    pub(crate) fn access_by(&self, proxy: &Proxy) -> Result<PathBuf> {
        let token = std::fs::read_to_string(self.access()?)?;
        let own: Value = serde_json::from_str(&token)?;
        let file = format!("{}-proxy.kubeconfig", self.home.name());
        kubeconfig(self.home.cluster(), &file, |config| {
            config["users"] = own["users"].clone();
            config["clusters"][0]["cluster"]["server"] = json!(proxy.url());
        })
    }
}

impl Drop for Granted<'_> {
    fn drop(&mut self) {
        let _ = self.home.helm(&["uninstall", self.home.name()]).run();
    }
}

pub(crate) fn judged<'c>(
    cluster: &'c Cluster,
    prefix: &str,
    access: PathBuf,
) -> Result<Judged<'c>> {
    let webhook = Webhook::new().flag(LOOKUPS).kubeconfig(access);
    let judged = Judged::by(cluster.namespace(prefix)?, webhook)?;
    is_listed(&judged.server)?;
    Ok(judged)
}

/// The server has listed what it watches.
pub(crate) fn is_listed(server: &Running) -> Result<()> {
    eventually(SOON, "the server watches", || {
        let log = server.log();
        for kind in ["namespaces", "services", "storageclasses"] {
            let said = log
                .lines()
                .any(|line| line.contains(" Watches ") && line.contains(kind));
            ensure!(said, "{kind} are not listed: {log}");
        }
        Ok(())
    })
}

pub(crate) fn service(name: &str, app: &str, spec: &Value) -> Value {
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80}]},
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        service["spec"][key] = value.clone();
    }
    service
}

pub(crate) fn headless(name: &str, app: &str) -> Value {
    service(name, app, &json!({"clusterIP": "None"}))
}

pub(crate) fn set(name: &str, app: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": app}},
            "template": {
                "metadata": {"labels": {"app": app}},
                "spec": {"containers": [{"name": "app", "image": "registry.example/app:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    })
}

pub(crate) fn create(namespace: &Namespace<'_>, objects: &[Value]) -> Result<Output> {
    let text: Vec<_> = objects.iter().map(Value::to_string).collect();
    let create = namespace.kubectl(&["create", "-f", "-"]);
    create.stdin(text.join("\n---\n")).succeed()
}

pub(crate) fn service_name(namespace: &Namespace<'_>, set: &str) -> Result<String> {
    let set = stored(namespace, set)?;
    let name = set["spec"]["serviceName"].as_str();
    Ok(name.unwrap_or_default().to_owned())
}

/// Makes the set, right behind what else is made, until it is named. On a busy machine an answer may be late, and then nothing
/// is injected; another name than this one is wrong for ever.
pub(crate) fn is_named(
    namespace: &Namespace<'_>,
    with: &[Value],
    app: &str,
    name: &str,
) -> Result<Output> {
    if !with.is_empty() {
        create(namespace, with)?;
    }
    eventually(SOON, &format!("{app} gets the name {name}"), || {
        let output = create(namespace, &[set(app, app)])?;
        let found = service_name(namespace, app)?;
        if found == name {
            return Ok(output);
        }
        ensure!(
            found.is_empty(),
            Stop::new(format!("{app}: {found} is wrong: {output}"))
        );
        namespace
            .kubectl(&["delete", "statefulset", app])
            .succeed()?;
        bail!("not named: {output}")
    })
}

pub(crate) fn said(output: &Output, words: &str) -> bool {
    warnings(output).iter().any(|line| line.contains(words))
}

pub(crate) fn with_mount(name: &str) -> Value {
    let mut set = set(name, name);
    set["spec"]["serviceName"] = json!(name);
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "data", "mountPath": "/var/lib/app"}]);
    set
}

/// All questions that were put to the API server so far, by kind and outcome.
pub(crate) fn asked(server: &Running, cluster: &Cluster) -> Result<Vec<String>> {
    let metrics = server.status(cluster, "/metrics")?;
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("steadfast_lookups_total"));
    Ok(lines.map(str::to_owned).collect())
}

//! What the command line says of a manifest offline, the webhook does in the cluster: the same findings, and the same spec when
//! what `steadfast fix` writes is applied without a webhook, for whatever others wrote, given the same Services and storage classes.

// What is left out, a test says on the terminal.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};
use steadfast::object::yaml;
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::eventually::{SOON, Stop, eventually};
use crate::granted::{Granted, LOOKUPS, asked, is_listed};
use crate::judged::Judged;
use crate::namespace::Namespace;
use crate::tests;
use crate::webhook::{Running, Webhook};

tests![what_is_said_offline_is_what_the_cluster_does];

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");

/// A file of somebody's, with its sets and Services in the namespace.
struct Written {
    file: String,
    sets: Vec<Value>,
    services: Vec<Value>,
}

/// Every file beside the repository; what is no YAML yet, since it is a template, is left out.
fn written(namespace: &str) -> Result<Vec<Written>> {
    let Ok(folder) = std::fs::read_dir(CORPUS) else {
        println!("../shared/corpus is not there: not tested");
        return Ok(Vec::new());
    };
    let mut paths: Vec<_> = folder
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|own| own == "yaml"));
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let file = path.file_name().unwrap_or_default().display().to_string();
        let Ok(documents) = yaml::read(&file, &std::fs::read_to_string(&path)?) else {
            continue;
        };
        let of_kind = |kind: &str| {
            let documents = documents.iter().map(|document| document.value.clone());
            let mut objects: Vec<_> = documents.filter(|object| object["kind"] == kind).collect();
            for object in &mut objects {
                object["metadata"]["namespace"] = json!(namespace);
                // Whoever made it is not here.
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    metadata.remove("ownerReferences");
                }
            }
            objects
        };
        let (sets, services) = (of_kind("StatefulSet"), of_kind("Service"));
        all.push(Written {
            file,
            sets,
            services,
        });
    }
    Ok(all)
}

/// Creates a set without storing it, and returns what would have been stored.
fn dry(namespace: &Namespace<'_>, set: &Value) -> Result<Value, kube::Error> {
    let resource = ApiResource::erase::<k8s_openapi::api::apps::v1::StatefulSet>(&());
    let cluster = namespace.cluster();
    let sets: Api<DynamicObject> =
        Api::namespaced_with(cluster.client(), namespace.name(), &resource);
    let object: DynamicObject =
        serde_json::from_value(set.clone()).map_err(kube::Error::SerdeError)?;
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let stored = cluster.block_on(sets.create(&params, &object))?;
    serde_json::to_value(stored).map_err(kube::Error::SerdeError)
}

/// What `steadfast` says of a manifest where these objects are all there is.
struct Offline {
    objects: TempDir,
}

impl Offline {
    fn new(services: &[Value]) -> Result<Self> {
        let objects = tempfile::tempdir()?;
        let class = json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "paper.steadfast.dev",
            "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        });
        let items: Vec<_> = services.iter().chain([&class]).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        std::fs::write(objects.path().join("cluster.json"), list.to_string())?;
        Ok(Self { objects })
    }

    /// Runs a command on the manifest; whether it could be read, whether anything is denied, and what comes out.
    fn run(&self, arguments: &[&str], set: &Value) -> Result<Option<(bool, Value)>> {
        let manifest = self.objects.path().join("set.json");
        std::fs::write(&manifest, set.to_string())?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
        command.args(arguments).arg(&manifest).arg("--complete");
        command
            .arg("--cluster")
            .arg(self.objects.path().join("cluster.json"));
        let output = command.output()?;
        match output.status.code() {
            Some(code @ (0 | 1)) => Ok(Some((code == 0, serde_json::from_slice(&output.stdout)?))),
            _ => Ok(None),
        }
    }

    fn findings(&self, set: &Value) -> Result<Option<(bool, BTreeMap<String, usize>)>> {
        let Some((allowed, report)) = self.run(&["check", "-o", "json"], set)? else {
            return Ok(None);
        };
        let findings = report["findings"].as_array().context("findings")?;
        let mut all = BTreeMap::new();
        for finding in findings {
            let text = |key: &str| finding[key].as_str().context("text");
            let outcome = format!("{}={}", text("rule")?, text("outcome")?);
            *all.entry(outcome).or_default() += 1;
        }
        Ok(Some((allowed, without_strategy(all))))
    }
}

/// The API server fills the strategy in before anybody can see that it was left out.
fn without_strategy(mut all: BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    all.retain(|rule, _| !rule.starts_with("implicit-update-strategy"));
    all
}

/// What the server logged after `from`: of the first call what it injected, of the second everything.
fn logged(server: &Running, from: usize) -> Result<BTreeMap<String, usize>> {
    let log = eventually(SOON, "the answer is logged", || {
        let log = server.log().split_off(from);
        ensure!(log.contains("phase=\"validate\""), "{log}");
        Ok(log)
    })?;
    let mut all = BTreeMap::new();
    for line in log.lines().filter(|line| line.contains(" Answered ")) {
        let (_, rules) = line.split_once("rules=\"").context("rules")?;
        let (rules, _) = rules.split_once('"').context("rules")?;
        for rule in rules.split(',').filter(|rule| !rule.is_empty()) {
            let is_injected = rule.contains("=injected");
            let (rule, number) = rule.split_once('*').unwrap_or((rule, "1"));
            if is_injected || line.contains("phase=\"validate\"") {
                *all.entry(rule.to_owned()).or_default() += number.parse::<usize>()?;
            }
        }
    }
    Ok(without_strategy(all))
}

/// How many questions were not answered so far: too many in a second, or too late on a busy machine.
fn unanswered(server: &Running, cluster: &Cluster) -> Result<u64> {
    let lines = asked(server, cluster)?;
    let lines = lines
        .iter()
        .filter(|line| !line.contains("outcome=\"answered\""));
    let count = |line: &String| line.rsplit(' ').next()?.parse::<u64>().ok();
    Ok(lines.filter_map(count).sum())
}

/// The Services of a file as they are stored, for as long as its sets are tried.
fn with_services<T>(
    namespace: &Namespace<'_>,
    written: &Written,
    attempt: impl FnOnce(&[Value]) -> Result<T>,
) -> Result<T> {
    let (cluster, services) = (namespace.cluster(), namespace.api::<Service>());
    let mut stored = Vec::new();
    for service in &written.services {
        let Ok(mut service) = serde_json::from_value::<Service>(service.clone()) else {
            continue;
        };
        // An address of somebody else's cluster.
        if let Some(spec) = &mut service.spec
            && spec.cluster_ip.as_deref() != Some("None")
        {
            (spec.cluster_ip, spec.cluster_ips) = (None, None);
        }
        let created = cluster.block_on(services.create(&PostParams::default(), &service));
        stored.extend(created.ok().map(serde_json::to_value).transpose()?);
    }
    for service in &mut stored {
        service["apiVersion"] = json!("v1");
        service["kind"] = json!("Service");
    }
    let came = attempt(&stored);
    for service in &stored {
        let name = service["metadata"]["name"].as_str().unwrap_or_default();
        cluster.block_on(services.delete(name, &kube::api::DeleteParams::default()))?;
    }
    came
}

/// What came of a set.
#[derive(PartialEq)]
enum Came {
    Alike,
    /// The API server takes it neither as it is nor repaired.
    Refused,
    /// It is still a template.
    Unread,
}

/// A set offline and in the cluster.
struct Tried<'c> {
    judged: &'c Judged<'c>,
    plain: &'c Namespace<'c>,
}

impl Tried<'_> {
    fn compare(&self, services: &[Value], set: &Value) -> Result<Came> {
        let Self { judged, plain } = self;
        let offline = Offline::new(services)?;
        let Some((allowed, said)) = offline.findings(set)? else {
            return Ok(Came::Unread);
        };
        let fixed = offline.run(&["fix"], set)?;
        let (_, mut repaired) = fixed.context("it is read, and not repaired")?;
        repaired["metadata"]["namespace"] = json!(plain.name());
        let from = judged.server.log().len();
        match (dry(plain, &repaired), dry(&judged.namespace, set)) {
            (Ok(by_hand), Ok(by_webhook)) => {
                ensure!(allowed, "denied offline, and not in the cluster");
                let (by_hand, by_webhook) = (&by_hand["spec"], &by_webhook["spec"]);
                ensure!(
                    by_hand == by_webhook,
                    "offline {by_hand:#}\nin the cluster {by_webhook:#}"
                );
                let logged = logged(&judged.server, from)?;
                ensure!(
                    said == logged,
                    "offline {said:?}, in the cluster {logged:?}"
                );
                Ok(Came::Alike)
            }
            (Ok(_), Err(error)) => {
                ensure!(!allowed, "not denied offline, and in the cluster {error}");
                Ok(Came::Alike)
            }
            (Err(_), Err(_)) => Ok(Came::Refused),
            (Err(error), Ok(_)) => bail!("the API server takes it only from the webhook: {error}"),
        }
    }
}

fn what_is_said_offline_is_what_the_cluster_does(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let plain = cluster.namespace("plain")?;
    let webhook = Webhook::new().flag(LOOKUPS).kubeconfig(granted.access()?);
    let judged = Judged::by(cluster.namespace("alike")?, webhook)?;
    is_listed(&judged.server)?;
    let tried = Tried {
        judged: &judged,
        plain: &plain,
    };
    let mut came = Vec::new();
    for written in written(judged.namespace.name())? {
        with_services(&judged.namespace, &written, |services| {
            for set in &written.sets {
                let what = format!("{} {}", written.file, set["metadata"]["name"]);
                // What hangs on an answer that did not come says nothing.
                came.push(eventually(SOON, &what, || {
                    let before = unanswered(&judged.server, cluster)?;
                    let outcome = tried.compare(services, set);
                    match outcome {
                        Err(error) if unanswered(&judged.server, cluster)? == before => {
                            Err(Stop::new(format!("{what}: {error:#}")).into())
                        }
                        outcome => outcome,
                    }
                })?);
            }
            Ok(())
        })?;
    }
    let number = |wanted| came.iter().filter(|came| **came == wanted).count();
    let (alike, refused) = (number(Came::Alike), number(Came::Refused));
    println!("{alike} sets are alike, {refused} the API server takes in neither way");
    ensure!(alike > 80 || came.is_empty(), "only {alike} are alike");
    Ok(())
}

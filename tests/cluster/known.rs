//! What the cluster knows: a server that looks it up, with exactly what the chart grants.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Service;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};
use steadfast::admission::{self, Answer, Phase};
use steadfast::cluster::{Fact, Live, Lookup, Overlay, Unseen};
use steadfast::engine::Outcome;
use steadfast::policy::PolicySet;

use crate::access::{account, kubeconfig};
use crate::cluster::Cluster;
use crate::eventually::{SOON, Stop, eventually};
use crate::invocation::Output;
use crate::judged::Judged;
use crate::lookups::client;
use crate::namespace::Namespace;
use crate::objects::{stored, warnings};
use crate::pki::Authority;
use crate::proxy::{Proxy, Way};
use crate::registration::install;
use crate::tests;
use crate::webhook::{Running, Webhook};

tests![
    the_governing_service_is_found_among_all_others,
    a_renamed_service_is_never_named_by_its_old_name,
    a_class_counts_from_when_it_is_there,
    what_changed_a_moment_ago_counts,
    what_is_watched_is_not_asked_for,
    before_anything_is_watched_it_is_asked_for,
    an_api_server_that_was_away_is_followed_anew,
    nobody_is_held_up_by_an_api_server_that_is_slow,
    what_may_not_be_asked_is_not_known,
    the_label_of_a_namespace_says_how_much_is_done,
];

pub(crate) const LOOKUPS: &str =
    "--lookups=services,storageclasses,persistentvolumeclaims,controllerrevisions";

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
    fn access_by(&self, proxy: &Proxy) -> Result<PathBuf> {
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

fn judged<'c>(cluster: &'c Cluster, prefix: &str, access: PathBuf) -> Result<Judged<'c>> {
    let webhook = Webhook::new().flag(LOOKUPS).kubeconfig(access);
    let judged = Judged::by(cluster.namespace(prefix)?, webhook)?;
    is_listed(&judged.server)?;
    Ok(judged)
}

/// The server has listed what it watches, each for the given number of times at least.
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

fn service(name: &str, app: &str, spec: &Value) -> Value {
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": app}, "ports": [{"port": 80}]},
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        service["spec"][key] = value.clone();
    }
    service
}

fn headless(name: &str, app: &str) -> Value {
    service(name, app, &json!({"clusterIP": "None"}))
}

fn set(name: &str, app: &str) -> Value {
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

fn create(namespace: &Namespace<'_>, objects: &[Value]) -> Result<Output> {
    let text: Vec<_> = objects.iter().map(Value::to_string).collect();
    let create = namespace.kubectl(&["create", "-f", "-"]);
    create.stdin(text.join("\n---\n")).succeed()
}

fn service_name(namespace: &Namespace<'_>, set: &str) -> Result<String> {
    let set = stored(namespace, set)?;
    let name = set["spec"]["serviceName"].as_str();
    Ok(name.unwrap_or_default().to_owned())
}

/// Makes the set, right behind what else is made, until it is named. On a busy machine an answer may be late, and then nothing
/// is injected; another name than this one is wrong for ever.
fn is_named(namespace: &Namespace<'_>, with: &[Value], app: &str, name: &str) -> Result<Output> {
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

fn the_governing_service_is_found_among_all_others(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "governing", granted.access()?)?;
    let (namespace, elsewhere) = (&judged.namespace, cluster.namespace("elsewhere")?);
    let external = json!({"type": "ExternalName", "externalName": "db.example"});

    is_named(
        namespace,
        &[headless("first-hl", "first")],
        "first",
        "first-hl",
    )?;
    let cluster_ip = service("only-ip", "no-headless", &json!({}));
    is_named(namespace, &[cluster_ip], "no-headless", "no-headless")?;
    let own = service("own-ip", "own-ip", &json!({}));
    let output = is_named(namespace, &[own], "own-ip", "own-ip")?;
    ensure!(said(&output, "is not headless"), "{output}");
    create(&elsewhere, &[headless("far-hl", "far")])?;
    is_named(namespace, &[], "far", "far")?;

    let several = [headless("one", "several"), headless("two", "several")];
    let output = create(
        namespace,
        &[&several[..], &[set("several", "several")]].concat(),
    )?;
    ensure!(said(&output, "one, two"), "{output}");
    let named_so = service("taken", "nobody", &external);
    let output = create(namespace, &[named_so, set("taken", "taken")])?;
    ensure!(said(&output, "missing-service-name: "), "{output}");
    for unnamed in ["several", "taken"] {
        ensure!(service_name(namespace, unnamed)?.is_empty(), "{unnamed}");
    }

    // Just after: the warning holds the very manifest.
    let output = is_named(namespace, &[], "late", "late")?;
    let manifest = warnings(&output).into_iter().find_map(|line| {
        let at = line.find("{\"apiVersion\"")?;
        Some(line[at..].to_owned())
    });
    let manifest = manifest.with_context(|| format!("no manifest in {output}"))?;
    namespace.apply(&manifest)?;
    is_quiet(namespace, "late")
}

/// Nothing is said any more of the set's Service.
fn is_quiet(namespace: &Namespace<'_>, set: &str) -> Result<()> {
    let label = [
        "label",
        "statefulset",
        set,
        "again=yes",
        "--overwrite",
        "--dry-run=server",
    ];
    eventually(SOON, "the Service is known", || {
        let output = namespace.kubectl(&label).succeed()?;
        ensure!(!said(&output, "governing"), "{output}");
        Ok(())
    })
}

fn said(output: &Output, words: &str) -> bool {
    warnings(output).iter().any(|line| line.contains(words))
}

/// The old name is in the cache when the Service goes, and the new one is not yet.
fn a_renamed_service_is_never_named_by_its_old_name(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "renamed", granted.access()?)?;
    let namespace = &judged.namespace;
    for round in 0..5 {
        let (app, old, new) = (
            format!("app{round}"),
            format!("old{round}"),
            format!("new{round}"),
        );
        is_named(namespace, &[headless(&old, &app)], &app, &old)?;
        namespace
            .kubectl(&["delete", "statefulset", &app])
            .succeed()?;
        namespace.kubectl(&["delete", "service", &old]).succeed()?;
        is_named(namespace, &[headless(&new, &app)], &app, &new)?;
    }
    Ok(())
}

/// One request behind the other, as no human can: the watch has not told yet.
fn what_changed_a_moment_ago_counts(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "moment", granted.access()?)?;
    let namespace = &judged.namespace;
    let (services, sets) = (namespace.api::<Service>(), namespace.api::<StatefulSet>());
    let (now, dry) = (
        PostParams::default(),
        PostParams {
            dry_run: true,
            ..PostParams::default()
        },
    );
    for round in 0..10 {
        let app = format!("app{round}");
        let [one, two] = ["one", "two"].map(|name| format!("{name}-{app}"));
        is_named(namespace, &[headless(&one, &app)], &app, &one)?;
        namespace
            .kubectl(&["delete", "statefulset", &app])
            .succeed()?;
        let made: Service = serde_json::from_value(headless(&two, &app))?;
        let wanted: StatefulSet = serde_json::from_value(set(&app, &app))?;
        let (of_two, of_none) = cluster.block_on(async {
            services.create(&now, &made).await?;
            let of_two = sets.create(&dry, &wanted).await?;
            for gone in [&one, &two] {
                services.delete(gone, &DeleteParams::default()).await?;
            }
            anyhow::Ok((of_two, sets.create(&dry, &wanted).await?))
        })?;
        let name = |set: StatefulSet| set.spec.service_name.unwrap_or_default();
        let (of_two, of_none) = (name(of_two), name(of_none));
        ensure!(of_two.is_empty(), "{of_two} of two");
        ensure!(
            of_none.is_empty() || of_none == app,
            "{of_none}, which is gone"
        );
    }
    Ok(())
}

fn with_mount(name: &str) -> Value {
    let mut set = set(name, name);
    set["spec"]["serviceName"] = json!(name);
    set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "data", "mountPath": "/var/lib/app"}]);
    set
}

fn a_class_counts_from_when_it_is_there(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let namespace = cluster.namespace("class")?;
    let class = namespace.name().to_owned();
    let policy = json!({
        "apiVersion": "steadfast.dev/v1alpha1", "kind": "StatefulSetPolicy", "metadata": {"name": "class"},
        "spec": {"rules": {"dangling-volume-mount": {"params": {"storageClassName": class}}}},
    });
    let webhook = Webhook::new().flag(LOOKUPS).kubeconfig(granted.access()?);
    let judged = Judged::by(namespace, webhook.policy(policy.to_string()))?;
    is_listed(&judged.server)?;
    let namespace = &judged.namespace;
    let leftover = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-db-1"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    create(namespace, &[leftover])?;
    let kubectl = namespace.kubectl(&["create", "-f", "-"]);
    let denied = kubectl.stdin(with_mount("db").to_string()).fail()?;
    let words = format!("storage class {class:?} ");
    ensure!(denied.stderr.contains(&words), "{denied}");

    let made = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": class},
        "provisioner": "nobody.steadfast.dev",
    });
    create(namespace, &[made])?;
    let output = eventually(SOON, "the class is known", || {
        create(namespace, &[with_mount("db")])
    });
    let removed = namespace.kubectl(&["delete", "storageclass", &class]).run();
    let (output, _) = (output?, removed?);
    let adopted = "Leftover claims are adopted with what is in them: data-db-1";
    let late = "Leftover claims data-db-N, if there are any, are adopted";
    ensure!(said(&output, adopted) || said(&output, late), "{output}");
    let claims = &stored(namespace, "db")?["spec"]["volumeClaimTemplates"];
    ensure!(
        claims[0]["spec"]["storageClassName"] == class.as_str(),
        "{claims}"
    );
    Ok(())
}

/// All questions that were put to the API server so far, by kind and outcome.
pub(crate) fn asked(server: &Running, cluster: &Cluster) -> Result<Vec<String>> {
    let metrics = server.status(cluster, "/metrics")?;
    let lines = metrics
        .lines()
        .filter(|line| line.starts_with("steadfast_lookups_total"));
    Ok(lines.map(str::to_owned).collect())
}

fn what_is_watched_is_not_asked_for(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "watched", granted.access()?)?;
    let (namespace, server) = (&judged.namespace, &judged.server);
    create(namespace, &[headless("db-hl", "db")])?;
    let bare = [set("db", "db")];
    let mut complete = with_mount("db");
    complete["spec"]["serviceName"] = json!("db-hl");
    complete["spec"]["template"]["metadata"]["labels"]["app"] = json!("db");
    complete["spec"]["volumeClaimTemplates"] = json!([{
        "metadata": {"name": "data"},
        "spec": {"storageClassName": "standard", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }]);
    // A name that can never be changed is looked up once more when it is injected, and by the one call for that.
    for (what, set, calls) in [("bare", &bare[0], 1), ("complete", &complete, 0)] {
        eventually(SOON, &format!("a {what} set takes {calls} calls"), || {
            let before = total(&asked(server, cluster)?);
            let create = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
            let output = namespace
                .kubectl(&create)
                .stdin(set.to_string())
                .succeed()?;
            let stored: Value = serde_json::from_str(&output.stdout)?;
            ensure!(stored["spec"]["serviceName"] == "db-hl", "{output}");
            let made = total(&asked(server, cluster)?) - before;
            ensure!(made == calls, "{made} calls");
            Ok(())
        })?;
    }
    Ok(())
}

fn total(asked: &[String]) -> u64 {
    let count = |line: &String| line.rsplit(' ').next()?.parse::<u64>().ok();
    asked.iter().filter_map(count).sum()
}

/// A server that has just started has seen nothing yet.
fn before_anything_is_watched_it_is_asked_for(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let namespace = cluster.namespace("cold")?;
    create(&namespace, &[headless("db-hl", "db")])?;
    let client = client(cluster, &granted.access()?)?;
    let live = Live::new(
        client,
        vec![Lookup::Services, Lookup::StorageClasses],
        Arc::new(Unseen),
    )
    .within(SOON);
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": "CREATE", "namespace": namespace.name(), "name": "db", "object": set("db", "db"),
            "kind": {"group": "apps", "version": "v1", "kind": "StatefulSet"},
            "resource": {"group": "apps", "version": "v1", "resource": "statefulsets"},
        },
    });
    let policies = PolicySet::built_in();
    let judge = |facts: &[Fact]| {
        let view = Overlay::new(&live, facts);
        admission::handle(
            Phase::Mutate,
            &policies,
            &view,
            review.to_string().as_bytes(),
        )
    };
    let first = judge(&[])?;
    let injected = |answer: &Answer| {
        answer
            .judged
            .iter()
            .any(|judged| judged.outcome == Outcome::Injected)
    };
    ensure!(!injected(&first), "{:?}", first.judged);
    let asked = cluster.block_on(live.ask(&first.questions));
    let facts: Vec<_> = asked
        .into_iter()
        .filter_map(|asked| asked.fact.ok())
        .collect();
    let second = judge(&facts)?;
    let name = second
        .judged
        .iter()
        .find(|judged| judged.rule == "missing-service-name");
    let done = name.and_then(|judged| Some(&judged.finding.fix.as_ref()?.done));
    ensure!(
        done.is_some_and(|done| done.contains("\"db-hl\"")),
        "{:?}",
        second.judged
    );
    Ok(())
}

fn an_api_server_that_was_away_is_followed_anew(cluster: &Cluster) -> Result<()> {
    let (granted, proxy) = (Granted::install(cluster)?, Proxy::start(cluster)?);
    let judged = judged(cluster, "away", granted.access_by(&proxy)?)?;
    let namespace = &judged.namespace;
    is_named(namespace, &[headless("old", "db")], "db", "old")?;
    namespace
        .kubectl(&["delete", "statefulset", "db"])
        .succeed()?;

    proxy.make(Way::Cut);
    eventually(SOON, "the watch breaks", || {
        let log = judged.server.log();
        ensure!(log.contains("The watch broke"), "{log}");
        Ok(())
    })?;
    namespace.kubectl(&["delete", "service", "old"]).succeed()?;
    create(namespace, &[headless("new", "db"), set("db", "db")])?;
    let name = service_name(namespace, "db")?;
    ensure!(name.is_empty(), "{name} was guessed");
    namespace
        .kubectl(&["delete", "statefulset", "db"])
        .succeed()?;

    proxy.make(Way::Through);
    is_named(namespace, &[], "db", "new")?;
    Ok(())
}

/// What is not answered in time is given up: the write would fail where its webhook takes a second or more.
fn nobody_is_held_up_by_an_api_server_that_is_slow(cluster: &Cluster) -> Result<()> {
    let (granted, proxy) = (Granted::install(cluster)?, Proxy::start(cluster)?);
    let judged = judged(cluster, "slow", granted.access_by(&proxy)?)?;
    let namespace = &judged.namespace;
    is_named(namespace, &[headless("db-hl", "db")], "db", "db-hl")?;
    namespace
        .kubectl(&["delete", "statefulset", "db"])
        .succeed()?;
    proxy.make(Way::Slow(Duration::from_millis(100)));
    create(namespace, &[set("web", "web")])?;
    let name = service_name(namespace, "web")?;
    ensure!(name.is_empty(), "{name} was guessed");
    let late = asked(&judged.server, cluster)?;
    ensure!(
        late.iter().any(|line| line.contains("outcome=\"late\"")),
        "{late:?}"
    );
    proxy.make(Way::Through);
    is_named(namespace, &[], "db", "db-hl")?;
    Ok(())
}

fn what_may_not_be_asked_is_not_known(cluster: &Cluster) -> Result<()> {
    let namespace = cluster.namespace("refused")?;
    let access = account(&namespace, "default")?;
    let webhook = Webhook::new().flag(LOOKUPS).kubeconfig(access);
    let judged = Judged::by(namespace, webhook)?;
    let namespace = &judged.namespace;
    create(namespace, &[headless("db-hl", "db"), set("db", "db")])?;
    ensure!(service_name(namespace, "db")?.is_empty());
    let container = &stored(namespace, "db")?["spec"]["template"]["spec"]["containers"][0];
    ensure!(
        container["readinessProbe"].is_null(),
        "the namespace is not known: {container}"
    );
    let refused = asked(&judged.server, cluster)?;
    ensure!(
        refused
            .iter()
            .any(|line| line.contains("outcome=\"refused\"")),
        "{refused:?}"
    );
    let ready = judged.server.status(cluster, "/readyz");
    ensure!(
        ready.is_err_and(|error| error.to_string().contains("namespaces")),
        "it is ready"
    );
    Ok(())
}

fn the_label_of_a_namespace_says_how_much_is_done(cluster: &Cluster) -> Result<()> {
    let granted = Granted::install(cluster)?;
    let judged = judged(cluster, "label", granted.access()?)?;
    let namespace = &judged.namespace;
    let mut broken = set("db", "db");
    broken["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(0);
    let dry = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
    let kubectl = || namespace.kubectl(&dry).stdin(broken.to_string());
    kubectl().fail()?;
    let name = namespace.name();
    for (label, warns, injects) in [
        ("warn", true, true),
        ("audit", false, false),
        ("off", false, false),
    ] {
        let label = format!("steadfast.dev/enforce={label}");
        cluster
            .kubectl(&["label", "--overwrite", "namespace", name, &label])
            .succeed()?;
        eventually(SOON, &format!("{label} holds"), || {
            let output = kubectl().succeed()?;
            let set: Value = serde_json::from_str(&output.stdout)?;
            let probe = &set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"];
            ensure!(probe.is_null() != injects, "{set}");
            ensure!(said(&output, "zero-grace-period") == warns, "{output}");
            Ok(())
        })?;
    }
    Ok(())
}

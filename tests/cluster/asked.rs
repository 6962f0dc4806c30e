//! When the API server is asked, and what is done where it does not answer.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use steadfast::admission::{self, Answer, Phase};
use steadfast::cluster::{Fact, Live, Lookup, Overlay, Unseen};
use steadfast::engine::Outcome;
use steadfast::policy::PolicySet;

use crate::access::account;
use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::granted::{
    Granted, LOOKUPS, asked, create, headless, is_named, judged, service_name, set, with_mount,
};
use crate::judged::Judged;
use crate::lookups::client;
use crate::objects::stored;
use crate::proxy::{Proxy, Way};
use crate::tests;
use crate::webhook::Webhook;

tests![
    what_is_watched_is_not_asked_for,
    before_anything_is_watched_it_is_asked_for,
    an_api_server_that_was_away_is_followed_anew,
    nobody_is_held_up_by_an_api_server_that_is_slow,
    what_may_not_be_asked_is_not_known,
];

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

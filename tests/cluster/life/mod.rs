//! A set's whole life: repaired when it was made, and its author goes on with the manifest as it was.
//!
//! By each client, and in both orders in which pods come up. After every step: it was accepted, nothing that can never
//! change did, each pod has its volume, pods were replaced only where the author changed the template, and the same once
//! more does nothing.

mod author;
mod client;
pub(crate) mod force;
mod state;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use self::author::{Author, LOOKUPS, PROBES, Pods, container, webhook};
use self::client::Client;
use self::state::{SET, State, earlier_revision};
use crate::cluster::Cluster;
use crate::objects::ensure_equal;
use crate::webhook::Webhook;

/// Makes a test of each life.
macro_rules! lives {
    ($($name:ident: $client:ident, $ordering:literal, $profile:literal;)+) => {
        $(fn $name(cluster: &Cluster) -> Result<()> {
            live(cluster, Client::$client, $ordering, $profile)
        })+
        crate::tests![$($name),+];
    };
}

lives! {
    by_apply_in_order: Apply, "OrderedReady", "baseline";
    by_apply_at_once: Apply, "Parallel", "baseline";
    by_server_side_apply_in_order: ServerSide, "OrderedReady", "baseline";
    by_server_side_apply_at_once: ServerSide, "Parallel", "baseline";
    by_replace_in_order: Replace, "OrderedReady", "baseline";
    by_replace_at_once: Replace, "Parallel", "baseline";
    by_helm_server_side_in_order: HelmServerSide, "OrderedReady", "baseline";
    by_helm_server_side_at_once: HelmServerSide, "Parallel", "baseline";
    by_helm_client_side_in_order: HelmClientSide, "OrderedReady", "baseline";
    by_helm_client_side_at_once: HelmClientSide, "Parallel", "baseline";
    by_helm_force_replace_in_order: HelmForceReplace, "OrderedReady", "baseline";
    by_helm_force_replace_at_once: HelmForceReplace, "Parallel", "baseline";
    by_helm_3_in_order: Helm3, "OrderedReady", "baseline";
    by_helm_3_at_once: Helm3, "Parallel", "baseline";
    by_helm_3_force_in_order: Helm3Force, "OrderedReady", "baseline";
    by_helm_3_force_at_once: Helm3Force, "Parallel", "baseline";
    by_apply_under_a_strict_policy: Apply, "Parallel", "strict";
    by_replace_under_a_strict_policy: Replace, "Parallel", "strict";
    by_helm_under_a_strict_policy: HelmServerSide, "Parallel", "strict";
}

fn live(cluster: &Cluster, client: Client, ordering: &str, profile: &'static str) -> Result<()> {
    let mut author = Author::begins(cluster, client, ordering, profile)?;
    for chapter in [
        goes_about_everyday_work,
        makes_the_set_anew_around_its_pods,
        changes_the_strategy_and_back,
        renames_the_port_and_takes_it_back,
        adopts_a_probe_and_drops_it,
        writes_a_probe_and_takes_it_back,
        goes_two_versions_back,
        meets_other_policies,
        lives_without_the_webhook_for_a_while,
        declines_the_other_probes,
    ] {
        chapter(&mut author)?;
    }
    Ok(())
}

fn nothing(_: &mut Value) {}

fn image(number: u8) -> impl Fn(&mut Value) {
    move |set| container(set)["image"] = json!(format!("web:{number}"))
}

fn asks(port: &str) -> Value {
    json!({"tcpSocket": {"port": port}})
}

const UNDO: [&str; 3] = ["rollout", "undo", "statefulset/web"];

fn goes_about_everyday_work(author: &mut Author<'_>) -> Result<()> {
    author.hands_in("the same manifest", Pods::Stay, nothing)?;
    author.hands_in("a new image", Pods::AreReplaced, image(2))?;
    let revision = author.state.revision().clone();
    author.runs(
        &["rollout", "restart", "statefulset/web"],
        Pods::AreReplaced,
    )?;
    author.runs(&UNDO, Pods::AreReplaced)?;
    ensure_equal("revision", author.state.revision(), &revision)?;
    author.hands_in("the same after a restart", Pods::Stay, nothing)?;
    author.hands_in("a label", Pods::Stay, |set| {
        set["metadata"]["labels"] = json!({"team": "web"});
    })?;
    for replicas in [0, 3] {
        let what = format!("{replicas} replicas");
        author.hands_in(&what, Pods::Stay, |set| {
            set["spec"]["replicas"] = json!(replicas);
        })?;
    }
    PROBES
        .iter()
        .try_for_each(|probe| author.probe_asks(probe, &asks("http")))
}

/// The recipe for what can never change; made anew, the set is what it was, and its pods do not notice.
fn makes_the_set_anew_around_its_pods(author: &mut Author<'_>) -> Result<()> {
    let before = State::at_rest(&author.namespace)?;
    let delete = ["delete", "statefulset", SET, "--cascade=orphan"];
    author.kubectl(&delete).succeed()?;
    let made = author
        .client
        .make_again(&author.namespace, &author.manifest)?;
    author.settle("made anew", Pods::Stay, &made)?;
    ensure!(author.state.metadata("uid") != before.metadata("uid"));
    ensure!(
        author.state.pods == before.pods,
        "pods were replaced: {made}"
    );
    author.hands_in("the same after that", Pods::Stay, nothing)
}

fn changes_the_strategy_and_back(author: &mut Author<'_>) -> Result<()> {
    // Which wants another strategy than its own to be waived.
    if author.profile == "strict" {
        return Ok(());
    }
    author.hands_in("OnDelete", Pods::Stay, |set| {
        set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    })?;
    let strategy = &author.state.set["spec"]["updateStrategy"];
    ensure_equal("strategy", strategy, &json!({"type": "OnDelete"}))?;
    author.hands_in("no strategy", Pods::Stay, |set| {
        set["spec"]
            .as_object_mut()
            .map(|spec| spec.remove("updateStrategy"));
    })?;
    let strategy = &author.state.set["spec"]["updateStrategy"];
    ensure!(strategy["type"] == "RollingUpdate", "{strategy}");
    Ok(())
}

fn renames_the_port_and_takes_it_back(author: &mut Author<'_>) -> Result<()> {
    author.hands_in("a renamed port", Pods::AreReplaced, |set| {
        container(set)["ports"][0]["name"] = json!("web");
    })?;
    let all_ask = |author: &Author<'_>, port: &str| {
        let mut probes = PROBES.iter();
        probes.try_for_each(|probe| author.probe_asks(probe, &asks(port)))
    };
    all_ask(author, "web")?;
    author.runs(&UNDO, Pods::AreReplaced)?;
    all_ask(author, "http")?;
    author.hands_in("the renamed port once more", Pods::AreReplaced, nothing)?;
    all_ask(author, "web")
}

/// Written into the manifest as it was injected, the probe is its author's, as far as anybody can tell.
fn adopts_a_probe_and_drops_it(author: &mut Author<'_>) -> Result<()> {
    let injected = author.state.container()["startupProbe"].clone();
    author.hands_in("the injected probe in the manifest", Pods::Stay, |set| {
        container(set)["startupProbe"] = injected.clone();
    })?;
    let gone = author.client.leaves_a_trace();
    let pods = if gone { Pods::AreReplaced } else { Pods::Stay };
    author.hands_in("and out of it", pods, |set| {
        container(set)
            .as_object_mut()
            .map(|own| own.remove("startupProbe"));
    })?;
    if gone {
        author.has_no("startupProbe")
    } else {
        author.probe_asks("startupProbe", &asks("web"))
    }
}

fn writes_a_probe_and_takes_it_back(author: &mut Author<'_>) -> Result<()> {
    let own = json!({"httpGet": {"path": "/ready", "port": "web"}});
    let asked = json!({"httpGet": {"path": "/ready", "port": "web", "scheme": "HTTP"}});
    author.hands_in("an own probe", Pods::AreReplaced, |set| {
        container(set)["readinessProbe"] = own.clone();
    })?;
    author.probe_asks("readinessProbe", &asked)?;
    let waits = &author.state.container()["readinessProbe"]["timeoutSeconds"];
    // Left out, so the default, not what was injected; a client that leaves no trace could have meant it.
    let may = waits == 1 || author.client.merges() && !author.client.leaves_a_trace();
    ensure!(may, "timeoutSeconds is {waits}");

    author.runs(&UNDO, Pods::AreReplaced)?;
    author.probe_asks("readinessProbe", &asks("web"))?;
    author.hands_in("the own probe once more", Pods::AreReplaced, nothing)?;
    author.probe_asks("readinessProbe", &asked)?;

    author.hands_in("no readiness probe", Pods::AreReplaced, |set| {
        container(set)
            .as_object_mut()
            .map(|own| own.remove("readinessProbe"));
    })?;
    author.has_no("readinessProbe")
}

fn goes_two_versions_back(author: &mut Author<'_>) -> Result<()> {
    let before = author.state.container().clone();
    author.hands_in("version 3", Pods::AreReplaced, image(3))?;
    author.hands_in("version 4", Pods::AreReplaced, image(4))?;
    let now = author.state.container().clone();
    let revision = earlier_revision(&author.namespace, 2)?;
    let back = format!("--to-revision={revision}");
    let [rollout, undo, set] = UNDO;
    author.runs(&[rollout, undo, set, &back], Pods::AreReplaced)?;
    ensure_equal("container", author.state.container(), &before)?;
    author.hands_in("version 4 once more", Pods::AreReplaced, nothing)?;
    ensure_equal("container", author.state.container(), &now)
}

/// What was injected under one policy keeps its values under every other.
fn meets_other_policies(author: &mut Author<'_>) -> Result<()> {
    let other = json!({
        "missing-readiness-probe": {"params": {"periodSeconds": 7}},
        "missing-liveness-probe": {"params": {"killAfterSeconds": 300, "startupBudgetSeconds": 600}},
        "missing-service-name": {"params": {"name": "{name}-headless"}},
        "dangling-volume-mount": {"params": {"storage": "20Gi"}},
    });
    let off = json!({"level": "off"});
    let one_off = json!({"missing-liveness-probe": off});
    let all_off = steadfast::rules::RULES.iter();
    let all_off: Value = all_off.map(|entry| (entry.meta.id, off.clone())).collect();
    for (number, (name, rules)) in (5..).zip([
        ("other defaults", other),
        ("a rule off", one_off),
        ("all off", all_off),
    ]) {
        author.uninstalls_the_webhook()?;
        let policy = json!({
            "apiVersion": "steadfast.dev/v1alpha1", "kind": "StatefulSetPolicy",
            "metadata": {"name": "other"}, "spec": {"rules": rules},
        });
        author.installs(Webhook::new().flag(LOOKUPS).policy(policy.to_string()))?;
        let mut expected = author.state.container().clone();
        author.hands_in(name, Pods::Stay, nothing)?;
        author.hands_in(
            &format!("{name}, new image"),
            Pods::AreReplaced,
            image(number),
        )?;
        expected["image"] = json!(format!("web:{number}"));
        ensure_equal(name, author.state.container(), &expected)?;
    }
    Ok(())
}

/// A PUT of the manifest cannot pass meanwhile, since it would take away what can never change.
fn lives_without_the_webhook_for_a_while(author: &mut Author<'_>) -> Result<()> {
    author.uninstalls_the_webhook()?;
    let mut expected = author.state.container().clone();
    expected["image"] = json!("web:9");
    if author.client.merges() {
        author.hands_in("without webhook", Pods::Stay, nothing)?;
        author.hands_in("without webhook, new image", Pods::AreReplaced, image(9))?;
    } else {
        let refused = author.client.hand_in(&author.namespace, &author.manifest);
        ensure!(refused.is_err(), "a PUT passed that drops the claims");
        author.runs(
            &["set", "image", "statefulset/web", "web=web:9"],
            Pods::AreReplaced,
        )?;
        image(9)(&mut author.manifest);
    }
    author.installs(webhook(author.profile))?;
    author.hands_in("with the webhook again", Pods::Stay, nothing)?;
    ensure_equal("container", author.state.container(), &expected)
}

fn declines_the_other_probes(author: &mut Author<'_>) -> Result<()> {
    const INJECT: &str = "steadfast.dev/inject";
    let pods = if author.client.merges() {
        Pods::Stay
    } else {
        Pods::AreReplaced
    };
    author.hands_in("inject: false", pods, |set| {
        set["metadata"]["annotations"] = json!({INJECT: "false"});
    })?;
    // What a merging client never wrote it cannot take away.
    for probe in ["livenessProbe", "startupProbe"] {
        if author.state.container()[probe].is_null() {
            continue;
        }
        let at = format!("/spec/template/spec/containers/0/{probe}");
        let patch = json!([{"op": "remove", "path": at}]).to_string();
        author.runs(
            &["patch", "statefulset/web", "--type=json", "--patch", &patch],
            Pods::AreReplaced,
        )?;
    }
    for probe in PROBES {
        author.has_no(probe)?;
    }
    author.hands_in("inject no longer declined", Pods::Stay, |set| {
        set["metadata"]
            .as_object_mut()
            .map(|own| own.remove("annotations"));
    })?;
    for probe in PROBES {
        author.has_no(probe).context("it came back")?;
    }
    Ok(())
}

//! The author of a manifest, who knows nothing of what the webhook added to the set.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::client::Client;
use super::state::{SET, State};
use crate::cluster::Cluster;
use crate::eventually::{SOON, eventually};
use crate::invocation::{Invocation, Output};
use crate::judged::{Judged, with_lab};
use crate::namespace::Namespace;
use crate::objects::{record_of, warnings, write};
use crate::registration::Registration;
use crate::webhook::{Running, Webhook};

/// A set, its author, and the webhook over both.
pub(super) struct Author<'c> {
    pub(super) client: Client,
    /// The profile of the policy that holds unless another is installed.
    pub(super) profile: &'static str,
    /// What the author has in Git.
    pub(super) manifest: Value,
    pub(super) state: State,
    webhook: Option<(Registration<'c>, Running)>,
    pub(super) namespace: Namespace<'c>,
}

/// Whether pods are replaced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pods {
    Stay,
    AreReplaced,
}

pub(super) const PROBES: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

/// Neither probes nor Service nor claim template.
pub(super) fn bare(ordering: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": SET},
        "spec": {
            "replicas": 3, "podManagementPolicy": ordering, "selector": {"matchLabels": {"app": SET}},
            "template": {
                "metadata": {"labels": {"app": SET}},
                "spec": {"containers": [{
                    "name": "web", "image": "web:1",
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }]},
            },
        },
    })
}

/// The only container of a manifest.
pub(super) fn container(manifest: &mut Value) -> &mut Value {
    &mut manifest["spec"]["template"]["spec"]["containers"][0]
}

/// What makes it deny what is new, as the chart does.
pub(super) const LOOKUPS: &str = "--lookups=controllerrevisions";

/// A webhook with the policy of this profile.
pub(super) fn webhook(profile: &str) -> Webhook {
    let policy = json!({
        "apiVersion": "steadfast.dev/v1alpha1", "kind": "StatefulSetPolicy",
        "metadata": {"name": profile}, "spec": {"profile": profile},
    });
    Webhook::new().flag(LOOKUPS).policy(policy.to_string())
}

impl<'c> Author<'c> {
    /// Makes the set, under a webhook with its own defaults.
    pub(super) fn begins(
        cluster: &'c Cluster,
        client: Client,
        ordering: &str,
        profile: &'static str,
    ) -> Result<Self> {
        let judged = Judged::by(cluster.namespace("life")?, webhook(profile))?;
        let (registration, server, namespace) = judged.into_parts();
        let manifest = bare(ordering);
        client.create(&namespace, &manifest)?;
        let author = Self {
            client,
            profile,
            manifest,
            state: State::at_rest(&namespace)?,
            webhook: Some((registration, server)),
            namespace,
        };
        for probe in PROBES {
            author.probe_asks(probe, &json!({"tcpSocket": {"port": "http"}}))?;
        }
        Ok(author)
    }

    /// Edits the manifest and hands it in, and once more, which must do nothing.
    pub(super) fn hands_in(
        &mut self,
        what: &str,
        pods: Pods,
        edit: impl Fn(&mut Value),
    ) -> Result<()> {
        edit(&mut self.manifest);
        let output = self.client.hand_in(&self.namespace, &self.manifest);
        let output = output.with_context(|| format!("{what}: refused"))?;
        self.settle(what, pods, &output)?;
        let again = format!("{what}, again");
        eventually(SOON, "no status comes between", || {
            let before = State::at_rest(&self.namespace)?;
            let output = self.client.hand_in(&self.namespace, &self.manifest)?;
            self.settle(&again, Pods::Stay, &output)?;
            self.state
                .is_same_write_as(&before)
                .context(again.clone())?;
            let version = |state: &State| state.metadata("resourceVersion").clone();
            let stays = version(&self.state) == version(&before);
            let by_status = self.state.set["status"] != before.set["status"];
            ensure!(stays || by_status, "{again}: it was written: {output}");
            ensure!(stays, "its status changed just then");
            Ok(())
        })
    }

    /// Does something to the set by kubectl, and not by the manifest.
    pub(super) fn runs(&mut self, args: &[&str], pods: Pods) -> Result<()> {
        let output = write(|| self.namespace.kubectl(args).run())?;
        self.settle(&args.join(" "), pods, &output)
    }

    /// The controller has caught up, and nothing was lost.
    pub(super) fn settle(&mut self, what: &str, pods: Pods, output: &Output) -> Result<()> {
        let state = State::at_rest(&self.namespace)?;
        let is_kept = state.keeps(&self.state);
        is_kept.with_context(|| format!("{what}: {output}"))?;
        let replaced = if state.revision() == self.state.revision() {
            Pods::Stay
        } else {
            Pods::AreReplaced
        };
        ensure!(
            replaced == pods,
            "{what}: pods were to {pods:?}, and {replaced:?}: {output}\nbefore {:#}\nafter {:#}\nrecord {:#}",
            self.state.container(),
            state.container(),
            record_of(&state.set)?
        );
        // A strict policy would like to deny much, and may not.
        let told = warnings(output);
        let spared = told.iter().any(|warning| warning.contains("not denied"));
        ensure!(
            !spared || self.profile == "strict",
            "{what}: a new defect: {output}"
        );
        self.state = state;
        Ok(())
    }

    /// The probe asks just so.
    pub(super) fn probe_asks(&self, probe: &str, handler: &Value) -> Result<()> {
        let mut asked = self.state.container()[probe].clone();
        if let Some(fields) = asked.as_object_mut() {
            fields.retain(|field, _| ["tcpSocket", "httpGet", "exec", "grpc"].contains(&&**field));
        }
        ensure!(asked == *handler, "{probe} asks {asked}, not {handler}");
        Ok(())
    }

    pub(super) fn has_no(&self, probe: &str) -> Result<()> {
        let found = &self.state.container()[probe];
        ensure!(found.is_null(), "there is a {probe}: {found}");
        ensure!(!self.state.records(probe)?, "{probe} is on record");
        Ok(())
    }

    /// Ends the webhook, and returns when the API server knows.
    pub(super) fn uninstalls_the_webhook(&mut self) -> Result<()> {
        let Some((registration, server)) = self.webhook.take() else {
            bail!("there is no webhook")
        };
        registration.end(&self.namespace)?;
        let (status, log) = server.stop()?;
        ensure!(status.success(), "{status}: {log}");
        Ok(())
    }

    pub(super) fn installs(&mut self, webhook: Webhook) -> Result<()> {
        let server = with_lab(webhook, &self.namespace)?.start(self.namespace.cluster())?;
        let registration = Registration::by_url(&self.namespace, &server)?;
        self.webhook = Some((registration, server));
        Ok(())
    }

    pub(super) fn kubectl(&self, args: &[&str]) -> Invocation {
        self.namespace.kubectl(args)
    }
}

//! A set at rest: what must not change under its author, and what tells whether anything did.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::namespace::Namespace;
use crate::objects::{ensure_equal, record_of, stored};

/// The set that all of this is about.
pub(super) const SET: &str = "web";

/// What can never change.
const IMMUTABLE: [&str; 4] = [
    "serviceName",
    "selector",
    "podManagementPolicy",
    "volumeClaimTemplates",
];

/// A set whose controller has nothing left to do.
pub(super) struct State {
    /// The set as the API server has it.
    pub(super) set: Value,
    /// The volume of each claim.
    claims: BTreeMap<String, String>,
    /// The uid of each pod.
    pub(super) pods: BTreeMap<String, String>,
}

impl State {
    /// Waits until the controller has caught up, and looks.
    pub(super) fn at_rest(namespace: &Namespace<'_>) -> Result<Self> {
        namespace.wait(SET, "is at rest", is_at_rest)?;
        let cluster = namespace.cluster();
        let all = ListParams::default();
        let claims = cluster.block_on(namespace.api::<PersistentVolumeClaim>().list(&all))?;
        let claims = claims.into_iter().filter_map(|claim| {
            let volume = claim.spec?.volume_name?;
            Some((claim.metadata.name?, volume))
        });
        let pods = cluster.block_on(namespace.api::<Pod>().list(&all))?;
        let pods = pods.into_iter();
        let pods = pods.filter_map(|pod| Some((pod.metadata.name?, pod.metadata.uid?)));
        Ok(Self {
            set: stored(namespace, SET)?,
            claims: claims.collect(),
            pods: pods.collect(),
        })
    }

    /// The name of the revision that the pods are to have.
    pub(super) fn revision(&self) -> &Value {
        &self.set["status"]["updateRevision"]
    }

    pub(super) fn metadata(&self, key: &str) -> &Value {
        &self.set["metadata"][key]
    }

    pub(super) fn container(&self) -> &Value {
        &self.set["spec"]["template"]["spec"]["containers"][0]
    }

    /// Whether the record names a probe that was not given up.
    pub(super) fn records(&self, probe: &str) -> Result<bool> {
        let record = record_of(&self.set)?;
        let entries = record["injected"].as_array().into_iter().flatten();
        let entries = entries.filter(|entry| entry["lapsed"] != true);
        let mut paths = entries.filter_map(|entry| entry["path"].as_str());
        Ok(paths.any(|path| path.ends_with(probe)))
    }

    /// Nothing of what can never change did, and each pod has the volume that it had.
    pub(super) fn keeps(&self, before: &Self) -> Result<()> {
        for field in IMMUTABLE {
            let [is, was] = [self, before].map(|state| &state.set["spec"][field]);
            ensure_equal(field, is, was)?;
        }
        for (claim, volume) in &before.claims {
            let now = self.claims.get(claim);
            ensure!(now == Some(volume), "{claim} had {volume}, and has {now:?}");
        }
        let mounts = &self.container()["volumeMounts"];
        ensure_equal("mounts", mounts, &before.container()["volumeMounts"])
    }

    /// Everything but its status is as it was, to the last bit of what the API server keeps of it.
    pub(super) fn is_same_write_as(&self, before: &Self) -> Result<()> {
        let essence = |state: &Self| {
            let mut set = state.set.clone();
            let by_status = |manager: &Value| manager["subresource"] == "status";
            if let Some(managers) = set["metadata"]["managedFields"].as_array_mut() {
                managers.retain(|manager| !by_status(manager));
            }
            set["metadata"]["resourceVersion"].take();
            json!([set["metadata"], set["spec"]])
        };
        ensure_equal("what is stored", &essence(self), &essence(before))
    }
}

fn is_at_rest(set: &StatefulSet) -> bool {
    let (spec, Some(status)) = (&set.spec, &set.status) else {
        return false;
    };
    let replicas = spec.replicas.unwrap_or(1);
    let strategy = spec.update_strategy.as_ref();
    let by_hand = strategy.and_then(|s| s.type_.as_deref()) == Some("OnDelete");
    let counted = [
        Some(status.replicas),
        status.ready_replicas.or(Some(0)),
        status.available_replicas.or(Some(0)),
    ];
    status.observed_generation == set.metadata.generation
        && counted.iter().all(|count| *count == Some(replicas))
        && (by_hand
            || status.updated_replicas.unwrap_or(0) == replicas
                && status.current_revision == status.update_revision)
}

/// The number of the revision that the set had `steps` revisions ago.
pub(super) fn earlier_revision(namespace: &Namespace<'_>, steps: usize) -> Result<i64> {
    let api = namespace.api::<ControllerRevision>();
    let all = namespace
        .cluster()
        .block_on(api.list(&ListParams::default()))?;
    let mut numbers: Vec<_> = all
        .iter()
        .filter_map(|revision| revision.revision)
        .collect();
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    let number = numbers.get(steps).copied();
    number.with_context(|| format!("of {numbers:?} none is {steps} before the newest"))
}

//! # access-mode-replicas
//! Finds claim templates whose access modes do not suit a claim that belongs to one pod.
//! ## Why
//! Each pod gets a claim of its own. One that is `ReadOnlyMany` and nothing else starts empty, and nobody can ever write to it.
//! One that is `ReadWriteMany` is shared with nobody, unless another workload mounts it; many provisioners cannot make such
//! volumes, and then it stays Pending. The access modes of a claim template can never be changed.
//! ## Fix
//! Ask for `ReadWriteOnce`. Where `ReadWriteMany` is meant, nothing is to be done: that finding is advice, and is never denied.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadOnlyMany], resources: {requests: {storage: 8Gi}}}}]
//!   template: {spec: {containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}}]
//!   template: {spec: {containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]}}
//! ```
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 8Gi}}}}]
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 8Gi}}}}]
//! ```

use std::cell::LazyCell;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::view::StatefulSet;
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessModeReplicas {}

impl Declare for AccessModeReplicas {
    const META: Meta = Meta {
        id: "access-mode-replicas",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("access_mode_replicas.rs"),
    };
}

impl Rule for AccessModeReplicas {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        // The list can never be changed afterwards.
        if cx.operation == Operation::Update {
            return;
        }
        let written = LazyCell::new(|| -> BTreeSet<_> {
            let mounts = sts.mounts();
            let written = mounts.filter(|mount| mount.mount.is_none_or(|mount| !mount.read_only));
            written.map(|mount| mount.volume).collect()
        });
        for claim in sts.claim_templates() {
            let (name, asks) = (claim.item().name(), claim.asks());
            let modes = &asks.access_modes;
            let only_read = !modes.is_empty() && modes.iter().all(|mode| *mode == "ReadOnlyMany");
            let finding = |message: String| Finding::new(claim.path(), message).subject(name);
            if modes.iter().any(|mode| *mode == "ReadWriteMany") {
                report.add(
                    finding(format!("claim template {name} asks for ReadWriteMany"))
                        .why("each pod gets a claim of its own and shares it with no other pod of the set, and where the class cannot make such volumes it stays Pending")
                        .remedy("ask for ReadWriteOnce, unless other workloads mount these claims")
                        .is_advice(),
                );
            } else if only_read && written.contains(name) {
                report.add(
                    finding(format!("claim template {name} asks for ReadOnlyMany only, and is mounted for writing"))
                        .why("each pod gets a claim of its own, which starts empty, and nobody could ever write to it")
                        .remedy("ask for ReadWriteOnce"),
                );
            }
        }
    }
}

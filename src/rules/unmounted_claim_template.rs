//! # unmounted-claim-template
//! Finds claim templates that no container uses.
//! ## Why
//! Each pod gets a claim, and with it a volume that is paid for, and nobody writes to it. Often a mount was forgotten, or has
//! another name, and the data lies in the container's own layer, which is gone with it.
//! ## Fix
//! Mount it, or remove it. The list of claim templates can never be changed once the set is made.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}}]
//!   template: {spec: {containers: [{name: db}]}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}}]
//!   template: {spec: {containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]}}
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::record::Record;
use crate::object::view::StatefulSet;
use crate::rule::{
    Context, Declare, Finding, Judges, Level, Levels, Meta, Operation, Report, Rule, Speaks,
};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct UnmountedClaimTemplate {}

impl Declare for UnmountedClaimTemplate {
    const META: Meta = Meta {
        id: "unmounted-claim-template",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("unmounted_claim_template.rs"),
    };
}

impl Rule for UnmountedClaimTemplate {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        if sts.spec.volume_claim_templates.is_empty() {
            return;
        }
        let record = Record::on(sts);
        let injected: BTreeSet<_> = record.iter().flat_map(Record::claims).collect();
        let mut settled: BTreeSet<_> = sts.mounts().map(|mount| mount.volume).collect();
        for claim in sts.claim_templates() {
            let name = claim.item().name();
            // An injected one can never be taken away; that its mount is gone is known.
            if name.is_empty() || injected.contains(name) || !settled.insert(name) {
                continue;
            }
            report.add(
                Finding::new(
                    claim.path(),
                    format!("no container mounts claim template {name}"),
                )
                .subject(name)
                .why("each pod gets a claim that nobody uses")
                .remedy(match cx.operation {
                    Operation::Create => "mount it where the data is kept, or remove it: later it cannot be removed",
                    Operation::Update => "mount it where the data is kept; it can be removed only by `kubectl delete --cascade=orphan`, making the set anew, and deleting its pods one by one",
                }),
            );
        }
    }
}

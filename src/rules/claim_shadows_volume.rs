//! # claim-shadows-volume
//! Finds pod volumes that a claim template of the same name hides.
//! ## Why
//! Where a volume and a claim template have one name, the claim wins without a word: the volume that the manifest speaks of is
//! never mounted (kubernetes/kubernetes `pkg/controller/statefulset/stateful_set_utils.go`, `updateStorage`).
//! ## Fix
//! Remove the volume; or give it and its mounts another name. Of claim templates that were injected, `volume-behind-claim`
//! speaks.
//! ## Example
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}}]
//!   template:
//!     spec:
//!       volumes: [{name: data, emptyDir: {}}]
//!       containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Gi}}}}]
//!   template:
//!     spec:
//!       volumes: [{name: scratch, emptyDir: {}}]
//!       containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}, {name: scratch, mountPath: /tmp}]}]
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::record::Record;
use crate::object::view::StatefulSet;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ClaimShadowsVolume {}

impl Declare for ClaimShadowsVolume {
    const META: Meta = Meta {
        id: "claim-shadows-volume",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("claim_shadows_volume.rs"),
    };
}

impl Rule for ClaimShadowsVolume {
    fn check(&self, sts: &StatefulSet<'_>, _: &Context<'_>, report: &mut Report) {
        if sts.spec.volume_claim_templates.is_empty() {
            return;
        }
        let record = Record::on(sts);
        let injected: BTreeSet<_> = record.iter().flat_map(Record::claims).collect();
        let mut claims: BTreeSet<_> = sts
            .claim_templates()
            .map(|claim| claim.item().name())
            .filter(|claim| !injected.contains(claim))
            .collect();
        // Each name once, however often it is there.
        for volume in sts
            .volumes()
            .filter(|volume| claims.remove(volume.item().name()))
        {
            let name = volume.item().name();
            report.add(
                Finding::new(
                    volume.path(),
                    format!("volume {name} is hidden by the claim template {name}"),
                )
                .subject(name)
                .why("pods mount the claim, and never this volume")
                .remedy(format!(
                    "remove the volume, or give it and its mounts a name other than {name}"
                )),
            );
        }
    }
}

//! # volume-behind-claim
//! Finds pod volumes that an injected claim template of the same name hides.
//! ## Why
//! Where a volume and a claim template have one name, the claim wins without a word: the volume that the manifest speaks of
//! is never mounted. The claim template was injected when the set was made, and can never be taken away from it.
//! ## Fix
//! To go on with the claim, remove the volume, and declare the claim template in the manifest. To go on with the volume, give
//! it and its mounts another name: the data stays behind in the claim.
//! ## Example
//! ```yaml old
//! metadata:
//!   name: db
//!   annotations:
//!     steadfast.dev/injected: >-
//!       {"version":1,"injected":[{"rule":"dangling-volume-mount","path":"spec.volumeClaimTemplates[data]","value":{"metadata":{"name":"data"}}}]}
//! spec: {volumeClaimTemplates: [{metadata: {name: data}}]}
//! ```
//! ```yaml before
//! metadata: {name: db}
//! spec: {template: {spec: {volumes: [{name: data, emptyDir: {}}]}}}
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec: {template: {spec: {volumes: [{name: scratch, emptyDir: {}}]}}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Named;
use crate::object::record::Record;
use crate::object::view::StatefulSet;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct VolumeBehindClaim {}

impl Declare for VolumeBehindClaim {
    const META: Meta = Meta {
        id: "volume-behind-claim",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Sets,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("volume_behind_claim.rs"),
    };
}

impl Rule for VolumeBehindClaim {
    fn check(&self, sts: &StatefulSet<'_>, _: &Context<'_>, report: &mut Report) {
        let Some(record) = Record::on(sts) else {
            return;
        };
        let is_injected = |name: &str| record.claims().any(|claim| claim == name);
        for volume in sts
            .volumes()
            .filter(|volume| is_injected(volume.item().name()))
        {
            let name = volume.item().name();
            report.add(
                Finding::new(
                    volume.path(),
                    format!("volume {name} is hidden by the injected claim template {name}"),
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

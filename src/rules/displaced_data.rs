//! # displaced-data
//! Finds updates that take pods away from the data in a claim that was injected with its mounts.
//! ## Why
//! A claim template that was injected with its mounts (and, for some workloads, environment variables that name the folder)
//! is one unit with them. With something else at that place, or with the container renamed, pods would start empty beside
//! their data, or write to a layer that is gone with the container.
//! ## Fix
//! Leave the place free, and the mount is put back by itself; or mount the claim in the manifest as it is to be mounted.
//! ## Example
//! ```yaml old
//! metadata:
//!   name: db
//!   annotations:
//!     steadfast.dev/injected: >-
//!       {"version":1,"injected":[{"rule":"volatile-data","path":"spec.volumeClaimTemplates[data]","value":{"metadata":{"name":"data"}}},
//!       {"rule":"volatile-data","container":"db","path":"spec.template.spec.containers[db].volumeMounts[data]",
//!       "value":{"name":"data","mountPath":"/var/lib/db"}}]}
//! spec:
//!   volumeClaimTemplates: [{metadata: {name: data}}]
//!   template: {spec: {containers: [{name: db, volumeMounts: [{name: data, mountPath: /var/lib/db}]}]}}
//! ```
//! ```yaml before
//! metadata: {name: db}
//! spec:
//!   template:
//!     spec:
//!       volumes: [{name: scratch, emptyDir: {}}]
//!       containers: [{name: db, volumeMounts: [{name: scratch, mountPath: /var/lib/db}]}]
//! ```
//! ```yaml after
//! metadata: {name: db}
//! spec:
//!   template:
//!     spec:
//!       volumes: [{name: scratch, emptyDir: {}}]
//!       containers: [{name: db, volumeMounts: [{name: scratch, mountPath: /tmp}]}]
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::record::Record;
use crate::object::unit::{Standing, parts};
use crate::object::view::StatefulSet;
use crate::rule::waiver::waivers;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct DisplacedData {}

impl Declare for DisplacedData {
    const META: Meta = Meta {
        id: "displaced-data",
        levels: Levels {
            baseline: Level::Deny,
            strict: Level::Deny,
        },
        judges: Judges::Updates,
        speaks: Speaks::AtValidate,
        per_container: true,
        fixes: false,
        source: include_str!("displaced_data.rs"),
    };
}

impl Rule for DisplacedData {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let Some(record) = cx.old.and_then(Record::on) else {
            return;
        };
        let was_held = |set: &StatefulSet<'_>, part: &crate::object::unit::Part<'_>| {
            part.standing(set) == Standing::Held
        };
        for part in parts(&record).filter(|part| cx.old.is_some_and(|old| was_held(old, part))) {
            let declined =
                waivers(sts).any(|waiver| waiver.covers(&part.entry.rule, Some(part.container)));
            let found = match part.standing(sts) {
                Standing::Displaced(found) => found,
                Standing::Missing(_) if !declined => {
                    format!("container {} lost the {}", part.container, part.name())
                }
                _ => continue,
            };
            report.add(
                Finding::new(Path::of(&["spec", "template", "spec", "containers"]), found)
                    .container(part.container)
                    .subject(&part.name())
                    .why("pods would start beside the data that they have in their claims")
                    .remedy("leave the place free, and the mount is put back; or mount the claim in the manifest"),
            );
        }
    }
}

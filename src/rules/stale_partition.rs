//! # stale-partition
//! Finds updates of the pod template that an older partition keeps from some pods.
//! ## Why
//! Pods with an ordinal below `partition` keep the old template. A partition left over from a staged rollout holds them
//! back for ever: two versions run side by side, and a pod that is replaced comes up with the old one.
//! ## Fix
//! Remove the partition, or state another one with the new template if the rollout is meant to be staged.
//! ## Example
//! ```yaml old
//! metadata: {name: web}
//! spec:
//!   replicas: 3
//!   updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}
//!   template: {spec: {containers: [{name: web, image: "web:1"}]}}
//! ```
//! ```yaml before
//! metadata: {name: web}
//! spec:
//!   replicas: 3
//!   updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}
//!   template: {spec: {containers: [{name: web, image: "web:2"}]}}
//! ```
//! ```yaml after
//! metadata: {name: web}
//! spec:
//!   replicas: 3
//!   updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}}
//!   template: {spec: {containers: [{name: web, image: "web:2"}]}}
//! ```

use serde::{Deserialize, Serialize};

use crate::object::Path;
use crate::object::view::StatefulSet;
use crate::rule::{Context, Declare, Finding, Judges, Level, Levels, Meta, Report, Rule, Speaks};

/// The parameters: none.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct StalePartition {}

impl Declare for StalePartition {
    const META: Meta = Meta {
        id: "stale-partition",
        levels: Levels {
            baseline: Level::Warn,
            strict: Level::Warn,
        },
        judges: Judges::Updates,
        speaks: Speaks::AtValidate,
        per_container: false,
        fixes: false,
        source: include_str!("stale_partition.rs"),
    };
}

impl Rule for StalePartition {
    fn check(&self, sts: &StatefulSet<'_>, cx: &Context<'_>, report: &mut Report) {
        let Some(old) = cx.old else { return };
        let (strategy, replicas) = (sts.spec.update_strategy(), sts.spec.replicas);
        let partition = strategy.rolling_update.partition;
        let holds_some = strategy.type_ == "RollingUpdate" && partition > 0 && partition < replicas;
        let same = old.spec.update_strategy() == strategy;
        if !(holds_some && same && cx.template_changes()) {
            return;
        }
        let at = Path::of(&["spec", "updateStrategy", "rollingUpdate", "partition"]);
        report.add(
            Finding::new(
                at.clone(),
                format!("{at} is {partition}, as it was, and the template changes"),
            )
            .why(format!(
                "of {replicas} pods the first {partition} keep the old template"
            ))
            .remedy("remove the partition, or state another one if the rollout is staged"),
        );
    }
}
